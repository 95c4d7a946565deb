"""Does every case of tests/bench/run still work? Its figures say nothing."""

import subprocess

import pytest

from bench import generator, table
from bench.case import Case, Target, in_turn
from bench.cases import CASES
from bench.fan import Fan50
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
    done = run('--quick', '--before', Ours.module, 'fan-50', 'redis-200')
    assert done.returncode == 0, done.stderr
    for name in 'fan-50', 'redis-200':
        assert '%s works: %s, before, ' % (name, Ours.name) in done.stderr
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
    # 3 / 9, 1 / 5, 2 / 5: the machine was slow in the first round
    assert result['ratios'] == {'theirs': {'cost': 1 / 3, 'rate': 1}}
    assert [target['met'] for target in result['targets']] == [
        True, False, True]
    assert table.table(Example, result).splitlines() == [
        'an example (median of 3 rounds)',
        '                   us   1/s  missing',
        'ngx_ws_chat       2.0    90        0',
        'theirs            5.0    90        0',
        'ratio to theirs  0.33  1.00        -',
        'good: cost is 0.333 of that of theirs, at most 0.5 wanted',
        'MISSED: rate is 90, at least 100 wanted',
        'good: missing is 0, at most 0 wanted']


def test_nobody_is_always_first():
    assert [in_turn('abc', number) for number in range(3)] == [
        'abc', 'cba', 'abc']


def test_no_ratio_where_there_is_no_figure():
    none, some = ({'cost': cost, 'rate': 90, 'missing': 0}
                  for cost in (None, 2))
    result = Example().ratios({Ours.name: [some, some],
                               'theirs': [some, none]})
    assert result == {'theirs': {'rate': 1}}


def test_a_round_whose_generator_was_late_is_run_again():
    class Late(Fan50):
        def run_once(self, peer, quick):
            tries.append(peer)
            return {'late': times[len(tries) - 1]}

    for times, quick, expected in (([9, 0.1], False, 2), ([9] * 9, False, 3),
                                   ([9, 0.1], True, 1)):
        tries = []
        Late().run_round(Ours, quick)
        assert len(tries) == expected


def test_what_we_add_may_not_grow():
    """That more sockets cost the kernel more is not ours."""
    sizes = '10', '100', '1000'
    result = Growth().result({
        'chats': [dict(zip(sizes, one)) for one in ((1, 1.2, 6), (1, 1.2, 2),
                                                    (1, 1.2, 2))],
        'chats, bare server': [dict(zip(sizes, (1, 1, 2)))] * 3})
    assert result['ratios'] == {'chats, bare server': {
        '10': 1, '100': 1.2, '1000': 1}}
    target, = result['targets']
    assert target['value'] == 1.2 and target['met']
    assert not Growth().steepest('chats', {'10': 1, '100': 1.5,
                                           '1000': None})['met']


def test_generator_ends_early():
    class Nothing:
        def arguments(self):
            return ['--no-such-option']

    with pytest.raises(generator.BenchError, match='ended early'):
        generator.run(Nothing())
