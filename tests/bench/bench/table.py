"""Results as text."""


def table(case, result):
    """The medians of a case, a line for each peer and each ratio."""
    lines = [[''] + [heading for _, heading, _ in case.columns]]
    for name, figures in result['medians'].items():
        lines.append([name] + [cell(form, figures.get(key))
                               for key, _, form in case.columns])
    for name, ratios in result['ratios'].items():
        lines.append(['ratio to ' + name] +
                     [cell('%.2f', ratios.get(key))
                      for key, _, _ in case.columns])
    widths = [max(len(line[i]) for line in lines)
              for i in range(len(lines[0]))]
    rounds = len(next(iter(result['rounds'].values())))
    text = ['%s (%s)' % (result['title'], 'one round' if rounds == 1
                         else 'median of %d rounds' % rounds)]
    for line in lines:
        text.append('  '.join([line[0].ljust(widths[0])] + [
            word.rjust(width)
            for word, width in zip(line[1:], widths[1:])]).rstrip())
    text += [verdict(target) for target in result['targets']]
    text += case.notes
    return '\n'.join(text) + '\n'


def cell(form, value):
    return '-' if value is None else form % value


def verdict(target):
    return '%s: %s is %.3g%s, at %s %.3g wanted' % (
        'good' if target['met'] else 'MISSED', target['figure'],
        target['value'],
        ' of that of ' + target['to'] if target['to'] else '',
        'least' if target['least'] else 'most', target['limit'])
