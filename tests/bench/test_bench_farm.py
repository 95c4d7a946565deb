"""bench-farm works; its figures are for who runs it alone."""

import contextlib
import json
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


@contextlib.contextmanager
def mock_broker(topic):
    with subprocess.Popen([TOP / 'build/mock-broker', topic, '4'], text=True,
                          stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as broker:
        yield broker.stdout.readline().strip()
        broker.stdin.close()


def test_kafka_alone():
    """To connect is no part of what Kafka takes."""
    with mock_broker('chat-messages') as brokers:
        done = subprocess.run(
            [TOP / 'build/bench/kafka-loop', '-b', brokers, '-t',
             'chat-messages', '-r', '1000', '-n', '50', '-w', '20'],
            text=True, stdout=subprocess.PIPE, timeout=60)
    assert done.returncode == 0
    result = json.loads(done.stdout)
    assert [result[key] for key in ('sent', 'acked', 'received')] == 3 * [70]
    assert [result[key]['count'] for key in ('ack_ms', 'receive_ms')] == [
        50, 50]


def test_bad_arguments():
    done = bench_farm('--rounds', '0')
    assert done.returncode == 2
    assert '--rounds' in done.stderr
