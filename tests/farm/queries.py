"""What the dashboard and the alerts ask, and a Prometheus that answers."""

import json
import math
import re
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

VARIABLES = {'$zone': '.+', '$__rate_interval': '15s'}


def dashboard_rows(path):
    """The headings between panels."""
    return [panel for panel in json.loads(path.read_text())['panels']
            if panel['type'] == 'row']


def dashboard_panels(path):
    """The panels with targets, their variables filled in."""
    panels = [panel for panel in json.loads(path.read_text())['panels']
              if panel['type'] != 'row']
    for panel in panels:
        for target in panel['targets']:
            for name, value in VARIABLES.items():
                target['expr'] = target['expr'].replace(name, value)
    return panels


def rules(path):
    """(alerts, records) of a file of rules."""
    every = [rule for group in yaml.safe_load(path.read_text())['groups']
             for rule in group['rules']]
    return ([r for r in every if 'alert' in r],
            [r for r in every if 'record' in r])


def alert_expressions(path):
    """What alerts compare, without the comparison; those of embedded zones
    apart."""
    found = [re.sub(r' (==|<|>) [\d.]+', '', rule['expr'])
             for rule in rules(path)[0]]
    return ([e for e in found if 'chat_store_' not in e],
            [e for e in found if 'chat_store_' in e])


class Prometheus:
    def __init__(self, port):
        self.url = 'http://127.0.0.1:%d/api/v1/' % port
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}))

    def ask(self, what, **args):
        url = self.url + what + '?' + urllib.parse.urlencode(args)
        try:
            with self.opener.open(url, timeout=30) as response:
                return json.load(response)['data']['result']
        except urllib.error.HTTPError as e:
            raise OSError('%s: %s' % (args['query'], e.read().decode()))

    def has_data(self, expr):
        """A number at least, and not NaN."""
        return any(not math.isnan(float(series['value'][1]))
                   for series in self.ask('query', query=expr))

    def range(self, expr, seconds):
        """[(labels, [(when, value)])] of the last so many seconds."""
        now = time.time()
        return [(series['metric'],
                 [(when, float(value)) for when, value in series['values']
                  if not math.isnan(float(value))])
                for series in self.ask('query_range', query=expr, end=now,
                                       start=now - seconds, step=1)]
