"""What every case has: peers in turn, medians, ratios, targets."""

import collections
import statistics

from .server import Ours

# What must be held: the figure of ours, or its ratio to that of the peer `to`,
# is at most (least: at least) limit
Target = collections.namedtuple('Target', 'figure limit to least',
                                defaults=(None, False))


class Case:
    """name, title, notes to print; peers in the order they are run, every
    other round in the reverse one.

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
            for peer in in_turn(self.peers, number):
                say('%s, round %d of %d: %s'
                    % (self.name, number + 1, rounds, peer.name))
                figures[peer.name].append(self.run_round(peer, quick))
        return self.result(figures)

    def result(self, figures):
        medians = {name: median(one) for name, one in figures.items()}
        ratios = self.ratios(figures)
        return {'title': self.title, 'rounds': figures, 'medians': medians,
                'ratios': ratios,
                'targets': [self.judge(target, medians, ratios)
                            for target in self.targets]}

    def ratios(self, figures):
        """{peer: {figure: ours / theirs}}

        The median of the rounds' ratios: how fast a machine is drifts by
        more than what is to be told apart, but little from one server to
        the next.
        """
        ours = figures.get(Ours.name)
        if ours is None:
            return {}
        return {name: {key: value for key in ours[0]
                       if key not in self.plain
                       and (value := ratio(ours, theirs, key)) is not None}
                for name, theirs in figures.items()
                if not name.startswith(Ours.name)}

    def judge(self, target, medians, ratios):
        value = (ratios[target.to] if target.to
                 else medians[Ours.name])[target.figure]
        met = (value >= target.limit if target.least
               else value <= target.limit)
        return {**target._asdict(), 'value': value, 'met': met}


def in_turn(peers, number):
    """In which order they come in that round."""
    return peers[::-1] if number % 2 else peers


def ratio(ours, theirs, key):
    """The median of a figure's ratios in all rounds, or None."""
    pairs = [(mine[key], other.get(key)) for mine, other in zip(ours, theirs)]
    if any(mine is None or not other for mine, other in pairs):
        return None
    return statistics.median(mine / other for mine, other in pairs)


def median(rounds):
    """{key: median} of the rounds' figures; None where there is none."""
    result = {}
    for key in rounds[0]:
        values = [one[key] for one in rounds]
        result[key] = None if None in values else statistics.median(values)
    return result
