"""conf/prometheus and conf/grafana: what promtool and the sources say."""

import pathlib
import re
import subprocess
import sys

import yaml

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / 'tests/farm'))

from queries import dashboard_panels, rules  # noqa: E402

RULES = TOP / 'conf/prometheus/ws_chat.rules.yml'
TESTS = TOP / 'conf/prometheus/ws_chat.test.yml'


def promtool(*args):
    done = subprocess.run(['promtool', *args], text=True, cwd=RULES.parent,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return done.stdout


def known():
    """Names of metrics in the sources, without what histograms add."""
    names = set()
    for path in (TOP / 'ngx_ws_chat_module').glob('*.c'):
        names |= {'nginx_ws_chat_' + name for name in re.findall(
            r'(?:metric|metric_shm|_one)\((?:m, )?"([a-z_]+)"|PREFIX\s+'
            r'"([a-z_]+)"', path.read_text()) for name in name if name}
    for kind, source in (('relay', 'bk_relay.c'),
                         ('archiver', 'bk_archive.c'),
                         ('history', 'ws_chat_history.c')):
        names |= {'ws_chat_%s_%s' % (kind, name) for name in re.findall(
            r'bk_(?:counter|gauge|seconds)\("([a-z_]+)"',
            (TOP / 'backend' / source).read_text())}
    return names


def test_promtool():
    assert 'SUCCESS' in promtool('check', 'rules', RULES.name)
    promtool('check', 'config', 'prometheus.yml')
    promtool('test', 'rules', TESTS.name)


def test_each_alert_is_tested_and_explained():
    alerts = [rule['alert'] for rule in rules(RULES)[0]]
    assert len(set(alerts)) == len(alerts)
    tested = [test['name'] for test in
              yaml.safe_load(TESTS.read_text())['tests']]
    assert tested == alerts
    text = (TOP / 'docs/OPERATIONS.md').read_text()
    runbooks = re.findall(r'^### (WsChat\w+)\n(?=\w|`)', text, re.M)
    assert runbooks == alerts


def test_metrics_exist():
    names = known()
    assert len(names) > 60
    asked = RULES.read_text() + ' '.join(
        target['expr']
        for panel in dashboard_panels(TOP / 'conf/grafana/ws_chat.json')
        for target in panel['targets'])
    found = {re.sub(r'_bucket$', '', name) for name in re.findall(
        r'\b(?:nginx_ws_chat|ws_chat_relay|ws_chat_archiver|ws_chat_history)'
        r'_[a-z_]+', asked)}
    assert len(found) > 40
    assert found <= names
