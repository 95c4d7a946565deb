"""A page with the panels of a dashboard, and a picture of a page."""

import html
import itertools
import re
import shutil
import subprocess

COLOURS = ('#2a6fdb', '#d9822b', '#2e9e5b', '#b5408f', '#6b6ecf', '#8c6d31')
# of a cell of the dashboard's grid, and the space below it
CELL, GAP = 30, 8
UNITS = {'cps': '/s', 's': ' s', 'bytes': 'B', 'short': ''}
STYLE = """body { font: 14px sans-serif; background: #f4f5f5; margin: 16px }
h1 { font-size: 20px; height: 32px; margin: 0 }
main { position: relative }
h2, section { position: absolute; box-sizing: border-box; margin: 0 }
h2 { font-size: 16px }
section { background: #fff; border: 1px solid #ddd; padding: 10px;
  display: flex; flex-direction: column }
h3 { font-size: 14px; margin: 0 0 6px }
.stats { display: flex; gap: 32px; align-items: baseline }
.stats span { font-size: 28px }
.chart { flex: 1; min-height: 0; border: solid #ddd; border-width: 1px 0;
  position: relative }
.chart span { position: absolute; left: 2px; top: 2px }
.chart span, .time { font-size: 11px; color: #666 }
.time { display: flex; justify-content: space-between; margin-bottom: 4px }
.key { font-size: 12px; margin-right: 12px; white-space: nowrap }
svg { width: 100%; height: 100%; overflow: visible }"""


def shown(value, unit):
    """A number as people read it."""
    if unit == 'percentunit':
        return '%.3g %%' % (100 * value)
    if unit == 's' and 0 < value < 1:
        return '%.3g ms' % (1000 * value)
    prefix = '' if unit != 'bytes' else ' '
    for limit, name in ((1e9, ' G'), (1e6, ' M'), (1e3, ' k')):
        if abs(value) >= limit:
            value, prefix = value / limit, name
            break
    return '%.3g%s%s' % (value, prefix, UNITS[unit])


def legend(text, labels):
    return re.sub(r'{{(\w+)}}', lambda m: labels.get(m[1], ''), text)


def polyline(line, colour, first, span, most):
    """In a square of 100: from the left to the right, from zero to most."""
    return ('<polyline fill="none" stroke="%s" stroke-width="1.5" '
            'vector-effect="non-scaling-stroke" points="%s"/>' % (
                colour, ' '.join('%.2f,%.2f' % (
                    100 * (when - first) / span, 100 - 90 * value / most)
                    for when, value in line)))


def chart(series, unit):
    points = [point for _, line in series for point in line]
    if not points:
        return '<p>no data</p>'
    first, last = min(p[0] for p in points), max(p[0] for p in points)
    most = max(p[1] for p in points)
    lines = [polyline(line, colour, first, max(last - first, 1), most or 1)
             for (_, line), colour in zip(series, itertools.cycle(COLOURS))]
    return ('<div class="chart"><span>%s</span><svg viewBox="0 0 100 100" '
            'preserveAspectRatio="none">%s</svg></div>'
            '<div class="time"><span>%d s ago</span><span>now</span></div>' % (
                shown(most, unit), ''.join(lines), last - first))


def panel_body(prometheus, panel, seconds):
    unit = panel['fieldConfig']['defaults']['unit']
    series = [(legend(target['legendFormat'], labels), line)
              for target in panel['targets']
              for labels, line in prometheus.range(target['expr'], seconds)
              if line]
    if panel['type'] == 'stat':
        return '<div class="stats">%s</div>' % ''.join(
            '<div><span>%s</span> %s</div>' % (
                shown(line[-1][1], unit), html.escape(name))
            for name, line in series)
    return chart(series, unit) + '<div>%s</div>' % ' '.join(
        '<span class="key" style="color: %s">%s: %s</span>' % (
            colour, html.escape(name), shown(line[-1][1], unit))
        for (name, line), colour in zip(series, itertools.cycle(COLOURS)))


def place(panel):
    """Its style: where Grafana has it."""
    at = panel['gridPos']
    return ('left: %.3f%%; width: calc(%.3f%% - %dpx); top: %dpx; height: %dpx'
            % (at['x'] / 0.24, at['w'] / 0.24, GAP, at['y'] * CELL,
               at['h'] * CELL - GAP))


def dashboard_page(prometheus, rows, panels, seconds):
    """The page, and how high it is."""
    cells = ['<h2 style="%s">%s</h2>' % (place(row), html.escape(row['title']))
             for row in rows]
    cells += ['<section style="%s"><h3>%s</h3>%s</section>' % (
        place(panel), html.escape(panel['title']),
        panel_body(prometheus, panel, seconds)) for panel in panels]
    text = ('<!DOCTYPE html><meta charset="utf-8"><title>ws_chat</title>'
            '<style>%s</style><h1>ws_chat, the last %d s</h1><main>%s</main>'
            % (STYLE, seconds, ''.join(cells)))
    return text, 64 + CELL * max(panel['gridPos']['y'] + panel['gridPos']['h']
                                 for panel in panels)


def photograph(url, path, width, height):
    subprocess.run(
        [shutil.which('chromium'), '--headless', '--no-sandbox',
         '--disable-gpu', '--hide-scrollbars', '--no-first-run',
         '--virtual-time-budget=3000', '--window-size=%d,%d' % (
             width, height), '--screenshot=%s' % path.resolve(), url],
        check=True, timeout=120, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
