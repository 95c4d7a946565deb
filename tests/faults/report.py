"""The figures of each kind of fault, as a table."""

import statistics

rows = []

COLUMNS = [
    ('fault', 'kind'), ('count', 'count'), ('acked', 'acked'),
    ('gaps each', 'gaps'), ('recovered:false', 'unrecovered'),
    ('live again p50', 'p50'), ('max', 'max'), ('bound', 'bound'),
    ('lost, announced', 'lost'), ('front closed', 'closed'),
    ('dups suppressed', 'dups'),
    ('came back', 'returns'),
]


def add(farm, kind, bound, times):
    """What there is to say about one farm; times: kind -> seconds of each."""
    rows.append(row(farm, kind, bound, [
        one for seconds in times.values() for one in seconds]))
    if len(times) > 1:
        rows[-1]['each'] = ', '.join('%s %.1f' % (name, max(seconds))
                                     for name, seconds in times.items())


def row(farm, kind, bound, times):
    members = farm.members
    gaps = sum(len(m.gaps) for m in members)
    return {
        'kind': kind, 'count': len(times), 'acked': len(farm.history.acks),
        'gaps': '%.3f' % (gaps / len(members) / max(len(times), 1)),
        'unrecovered': sum(m.unrecovered for m in members),
        'p50': '%.2f s' % statistics.median(times or [0]),
        'max': '%.2f s' % max(times or [0]), 'bound': '%d s' % bound,
        'lost': len(farm.lost()), 'closed': len(farm.unexplained()),
        'dups': '%d + %d' % (farm.duplicates, farm.repeated),
        'returns': sum(m.returns for m in members),
    }


def table():
    lines = [[title for title, _ in COLUMNS]]
    lines += [[str(one[key]) for _, key in COLUMNS] for one in rows]
    widths = [max(map(len, column)) for column in zip(*lines)]
    for line in lines:
        yield '  '.join(text.ljust(width) if i == 0 else text.rjust(width)
                        for i, (text, width) in enumerate(zip(line, widths)))
    for one in rows:
        if 'each' in one:
            yield '%s: %s' % (one['kind'], one['each'])
