"""The figures that are kept, and the documents that show them."""

import collections
import json

from .cases import CASES
from .growth import Growth
from .machine import BenchError
from .server import Ours, TOP

FIGURES = TOP / 'tests/bench/figures.json'

BEGIN = '<!-- written by make bench ARGS=--save -->\n'
END = '<!-- end of what it wrote -->\n'

# a document, and the cases that it shows
Place = collections.namedtuple('Place', 'path cases')
PLACES = (Place(TOP / 'README.md', ('fan-50', 'fan-3000', 'chats-200',
                                    'redis-200', 'handshakes', 'idle')),
          Place(TOP / 'docs/COMPARISON.md', tuple(CASES)))

PEERS = (('bare', 'bare server'), ('nchan', 'nchan'), ('ws', 'ws'))


def summary(results):
    """The whole run in Markdown: {case: result} as run() gives them."""
    rows = [row(result, *one) for name, result in results.items()
            for one in CASES[name].rows]
    parts = []
    if rows:
        parts.append(heading([''] + [Ours.name] + [name for _, name in PEERS])
                     + rows)
    if Growth.name in results:
        parts.append(growth(results[Growth.name]))
    return '\n'.join('\n'.join(lines) + '\n' for lines in parts)


def heading(cells):
    return ['| %s |' % ' | '.join(cells),
            '|---' + '|---:' * (len(cells) - 1) + '|']


def row(result, label, figure, form, peer=Ours.name):
    medians = result['medians']
    cells = [label, number(form, medians[peer].get(figure))]
    for prefix, _ in PEERS:
        cells.append('')
        theirs = next((one for one in medians if one.startswith(prefix)),
                      None)
        if peer == Ours.name and theirs in medians:
            cells[-1] = with_ratio(
                number(form, medians[theirs].get(figure)),
                result['ratios'].get(theirs, {}).get(figure))
    return '| %s |' % ' | '.join(cells)


def number(form, value):
    return '' if value is None else form.format(value)


def growth(result):
    lines = heading([result['title']] +
                    [title for _, title, _ in Growth.columns])
    for name, figures in result['medians'].items():
        ratios = result['ratios'].get(name, {})
        lines.append('| %s | %s |' % (name, ' | '.join(
            with_ratio('' if figures[key] is None else form % figures[key],
                       ratios.get(key))
            for key, _, form in Growth.columns)))
    return lines


def with_ratio(text, ratio):
    return text if ratio is None else '%s (%.2f)' % (text, ratio)


def section(saved, cases):
    """What a document says of the kept figures of these cases."""
    about = saved['machine']
    results = {name: result for name, result in saved['cases'].items()
               if name in cases}
    rounds = {name: max(map(len, result['rounds'].values()))
              for name, result in results.items()}
    many = sorted(set(rounds.values()) - {1})
    once = [name for name, count in rounds.items() if count == 1]
    return (
        '%s\nMedians of %s interleaved rounds%s, in brackets that of ours '
        'divided by theirs in each round, on %s, %d processors, kernel %s, '
        'NGINX %s; one processor for the server, the others for the '
        'generator. CPU time is that of the server, kernel included.\n' % (
            summary(results), ' to '.join(map(str, many[:1] + many[1:][-1:])),
            ' (of %s one)' % ', '.join(once) if once else '', about['cpu'],
            about['cpus'], about['kernel'], about['nginx']))


def parts(place):
    """A document before, within and after the section."""
    text = place.path.read_text()
    before, begin, rest = text.partition(BEGIN)
    inside, end, after = rest.partition(END)
    if not begin or not end:
        raise BenchError('%s has no place for figures: %s' % (
            place.path.name, BEGIN))
    return before + begin, inside, end + after


def save(saved):
    around = [parts(place) for place in PLACES]
    FIGURES.write_text(json.dumps(saved, indent=1) + '\n')
    for place, (before, _, after) in zip(PLACES, around):
        place.path.write_text(before + section(saved, place.cases) + after)


def differs(place):
    """Does it show anything but the kept figures?"""
    inside = parts(place)[1]
    if not FIGURES.exists():
        return inside != ''
    return inside != section(json.loads(FIGURES.read_text()), place.cases)
