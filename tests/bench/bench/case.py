"""What every case has: peers in turn, medians, ratios, targets."""

import collections
import statistics

from .server import Ours

# What must be held: the figure of ours, or its ratio to that of the peer `to`,
# is at most (least: at least) limit
Target = collections.namedtuple('Target', 'figure limit to least',
                                defaults=(None, False))


class Case:
    """name, title, notes to print; peers in the order they are run.

    columns     (key of a round's figures, heading, format)
    targets     Targets
    plain       figures of which a ratio says nothing
    rows        of README: (label, figure, format, peer if not ours)
    """

    name = title = None
    notes = ()
    peers = ()
    columns = ()
    targets = ()
    rows = ()
    plain = ('missing', 'late', 'others', 'generator', 'connections')
    rounds = 3

    def run_round(self, peer, quick):
        """One round: {key: number}."""
        raise NotImplementedError

    def run(self, rounds, quick, say):
        """Interleaved rounds, then {'rounds', 'medians', ...}."""
        figures = {peer.name: [] for peer in self.peers}
        for number in range(rounds):
            for peer in self.peers:
                say('%s, round %d of %d: %s'
                    % (self.name, number + 1, rounds, peer.name))
                figures[peer.name].append(self.run_round(peer, quick))
        return self.result(figures)

    def result(self, figures):
        medians = {name: median(one) for name, one in figures.items()}
        ratios = self.ratios(medians)
        return {'title': self.title, 'rounds': figures, 'medians': medians,
                'ratios': ratios,
                'targets': [self.judge(target, medians, ratios)
                            for target in self.targets]}

    def ratios(self, medians):
        """{peer: {figure: ours / theirs}}"""
        ours = medians.get(Ours.name)
        if ours is None:
            return {}
        return {name: {key: ours[key] / theirs[key] for key in ours
                       if key not in self.plain and theirs.get(key)
                       and ours[key] is not None}
                for name, theirs in medians.items()
                if not name.startswith(Ours.name)}

    def judge(self, target, medians, ratios):
        value = (ratios[target.to] if target.to
                 else medians[Ours.name])[target.figure]
        met = (value >= target.limit if target.least
               else value <= target.limit)
        return {**target._asdict(), 'value': value, 'met': met}


def median(rounds):
    """{key: median} of the rounds' figures; None where there is none."""
    result = {}
    for key in rounds[0]:
        values = [one[key] for one in rounds]
        result[key] = None if None in values else statistics.median(values)
    return result
