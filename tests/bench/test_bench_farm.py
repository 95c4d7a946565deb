"""bench-farm works; its figures are for who runs it alone."""

import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]


def bench_farm(*args):
    return subprocess.run(
        [sys.executable, TOP / 'tests/bench/bench-farm', *args], text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, timeout=280)


def test_quick():
    done = bench_farm('--quick')
    assert done.returncode == 0, done.stderr
    for word in ('durable chats', 'Kafka alone', 'ratio', 'processors',
                 'rows a second'):
        assert word in done.stdout


def test_bad_arguments():
    done = bench_farm('--rounds', '0')
    assert done.returncode == 2
    assert '--rounds' in done.stderr
