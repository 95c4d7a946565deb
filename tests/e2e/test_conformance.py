"""make conformance: the check of any server, on one that is right."""

import json
import subprocess
import sys

import pytest

from harness.nginx import TOP

pytestmark = [pytest.mark.plain_store, pytest.mark.once]


def conformance(*args):
    done = subprocess.run(
        [sys.executable, TOP / 'tests/conformance/conformance', *args],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=100)
    return done.returncode, done.stdout


def test_all_rules_hold(nginx):
    ng = nginx()
    code, out = conformance(ng.url + '/chat')
    assert code == 0 and ' 0 do not' in out, out
    code, out = conformance(ng.url + '/chat', '--json')
    assert code == 0 and len(json.loads(out)) > 10
    # no chat of that name can be: rules that need one do not hold
    code, out = conformance(ng.url + '/chat', '--chat', 'no chat')
    assert code == 1 and 'NOT   joined tells the head' in out, out
    assert 'ok    an array of commands is answered in order' in out, out


def test_no_server(nginx):
    code, out = conformance(nginx().url + '/none')
    assert code == 3 and 'HTTP 404' in out, out
    assert conformance('http://127.0.0.1/')[0] == 2
