"""A page with the panels of a dashboard, and a picture of a page."""

import html
import re
import shutil
import subprocess

COLOURS = ('#2a6fdb', '#d9822b', '#2e9e5b', '#b5408f', '#6b6ecf', '#8c6d31')
WIDTH, HEIGHT = 420, 130
UNITS = {'cps': '/s', 's': ' s', 'bytes': ' B', 'short': '',
         'percentunit': ''}
STYLE = '''body { font: 14px sans-serif; background: #f4f5f5; margin: 16px }
h1 { font-size: 20px } h2 { font-size: 14px; margin: 0 0 6px }
main { display: grid; grid-template-columns: repeat(12, 1fr); gap: 10px }
section { background: #fff; border: 1px solid #ddd; padding: 10px }
.stat { font-size: 26px } .key { font-size: 12px; margin-right: 12px }
svg { width: 100% }'''


def number(value):
    if value and abs(value) < 0.1:
        return '%.2g' % value
    for limit, name in ((1e9, 'G'), (1e6, 'M'), (1e3, 'k')):
        if abs(value) >= limit:
            return '%.1f%s' % (value / limit, name)
    return '%.4g' % round(value, 2)


def legend(text, labels):
    return re.sub(r'{{(\w+)}}', lambda m: labels.get(m[1], ''), text)


def chart(series, unit):
    """Lines from the first moment to the last, from zero to the most."""
    points = [point for _, line in series for point in line]
    if not points:
        return '<p>no data</p>'
    first, last = min(p[0] for p in points), max(p[0] for p in points)
    most = max(max(p[1] for p in points), 1e-9)
    span = max(last - first, 1)
    lines = []
    for i, (_, line) in enumerate(series):
        path = ' '.join('%.1f,%.1f' % (
            (when - first) / span * WIDTH,
            HEIGHT - 2 - value / most * (HEIGHT - 20))
            for when, value in line)
        lines.append('<polyline fill="none" stroke="%s" stroke-width="1.5" '
                     'points="%s"/>' % (COLOURS[i % len(COLOURS)], path))
    return ('<svg viewBox="0 0 %d %d"><text x="2" y="12" font-size="11" '
            'fill="#777">%s%s</text>%s</svg>' % (
                WIDTH, HEIGHT, number(most), unit, ''.join(lines)))


def panel_body(prometheus, panel, seconds):
    unit = UNITS[panel['fieldConfig']['defaults']['unit']]
    series = [(legend(target['legendFormat'], labels), line)
              for target in panel['targets']
              for labels, line in prometheus.range(target['expr'], seconds)
              if line]
    if panel['type'] == 'stat':
        return ''.join('<p><span class="stat">%s%s</span> %s</p>' % (
            number(line[-1][1]), unit, html.escape(name))
            for name, line in series)
    keys = ''.join('<span class="key" style="color: %s">%s: %s%s</span>' % (
        COLOURS[i % len(COLOURS)], html.escape(name), number(line[-1][1]),
        unit) for i, (name, line) in enumerate(series))
    return chart(series, unit) + keys


def dashboard_page(prometheus, panels, seconds):
    cells = ['<section style="grid-column: span %d"><h2>%s</h2>%s</section>'
             % (panel['gridPos']['w'] // 2, html.escape(panel['title']),
                panel_body(prometheus, panel, seconds)) for panel in panels]
    return ('<!DOCTYPE html><meta charset="utf-8"><title>ws_chat</title>'
            '<style>%s</style><h1>ws_chat, the last %d s</h1><main>%s</main>'
            % (STYLE, seconds, ''.join(cells)))


def photograph(url, path, width, height):
    subprocess.run(
        [shutil.which('chromium'), '--headless', '--no-sandbox',
         '--disable-gpu', '--hide-scrollbars', '--no-first-run',
         '--virtual-time-budget=3000', '--window-size=%d,%d' % (
             width, height), '--screenshot=%s' % path.resolve(), url],
        check=True, timeout=120, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
