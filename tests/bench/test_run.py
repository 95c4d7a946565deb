"""Does every case of tests/bench/run still work? Its figures say nothing."""

import subprocess

import pytest

from bench import generator, table
from bench.case import Case, Target
from bench.cases import CASES
from bench.growth import Growth
from bench.server import Ours, TOP

RUN = TOP / 'tests/bench/run'


def run(*args):
    return subprocess.run([RUN, *args], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=110)


@pytest.mark.parametrize('name', CASES)
def test_case(name):
    done = run('--quick', name)
    assert done.returncode == 0, done.stderr
    assert '%s works: %s' % (name, Ours.name) in done.stderr or \
        '%s works: members of one chat' % name in done.stderr


def test_before():
    done = run('--quick', '--before', Ours.module, 'fan-50')
    assert done.returncode == 0, done.stderr
    assert 'fan-50 works: %s, before, ' % Ours.name in done.stderr
    done = run('--before', TOP / 'none.so', 'fan-50')
    assert done.returncode == 2 and 'none.so' in done.stderr


def test_no_such_case():
    done = run('fan-5')
    assert done.returncode == 2
    assert 'fan-50' in done.stderr


class Example(Case):
    name, title = 'example', 'an example'
    columns = (('cost', 'us', '%.1f'), ('rate', '1/s', '%.0f'),
               ('missing', 'missing', '%d'))
    targets = (Target('cost', 0.5, 'theirs'), Target('rate', 100, least=True),
               Target('missing', 0))


def test_medians_ratios_and_targets():
    def rounds(*costs):
        return [{'cost': cost, 'rate': 90, 'missing': 0} for cost in costs]

    result = Example().result({Ours.name: rounds(3, 1, 2),
                               'theirs': rounds(9, 5, 5)})
    assert result['medians'][Ours.name]['cost'] == 2
    assert result['ratios'] == {'theirs': {'cost': 0.4, 'rate': 1}}
    assert [target['met'] for target in result['targets']] == [
        True, False, True]
    assert table.table(Example, result).splitlines() == [
        'an example (median of 3 rounds)',
        '                   us   1/s  missing',
        'ngx_ws_chat       2.0    90        0',
        'theirs            5.0    90        0',
        'ratio to theirs  0.40  1.00        -',
        'good: cost is 0.4 of that of theirs, at most 0.5 wanted',
        'MISSED: rate is 90, at least 100 wanted',
        'good: missing is 0, at most 0 wanted']


def test_the_steepest_step_is_judged():
    judged = Growth().steepest('chats', {'10': 1, '100': 1.2, '1000': 3,
                                         '10000': None})
    assert judged['value'] == 2.5 and not judged['met']


def test_generator_ends_early():
    class Nothing:
        def arguments(self):
            return ['--no-such-option']

    with pytest.raises(generator.BenchError, match='ended early'):
        generator.run(Nothing())
