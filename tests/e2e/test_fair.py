"""A large room does not hold up small ones, nor the worker."""

import json
import os
import re
import signal

import pytest

from harness.nginx import wait_for
from harness.raw import Raw, frame

MEMBERS = 1200
SEND = re.compile(r': \*(\d+) send: fd:\d+ (\d+) of (\d+)$')


def enter(ng, chat):
    r = Raw(ng)
    r.upgrade('/chat', extra=frame(json.dumps(
        {'op': 'join', 'id': 1, 'chat_id': chat})))
    assert b'"welcome"' in r.read_frame().payload
    assert b'"joined"' in r.read_frame().payload
    return r


def say(chat, cid, size):
    return frame(json.dumps({'op': 'send', 'chat_id': chat, 'cid': cid,
                             'message': 'x' * size}))


def messages(r, count):
    """So many messages come, with nothing but acks between."""
    sizes = []
    while len(sizes) < count:
        payload = r.read_frame().payload
        if json.loads(payload)['ev'] == 'message':
            sizes.append(len(payload) + (4 if len(payload) > 125 else 2))
    return sizes


def turns(ng, begin):
    """The sends of each turn of the event loop: [(connection, size)]."""
    found = [[]]
    for line in ng.log()[begin:].splitlines():
        if ' epoll timer: ' in line:
            found.append([])
            continue
        send = SEND.search(line)
        if send:
            assert send[2] == send[3], line
            found[-1].append((int(send[1]), int(send[2])))
    return [turn for turn in found if turn]


@pytest.mark.once
@pytest.mark.plain_store
def test_order_of_writes(nginx):
    """By what the debug log tells, so that no clock is involved."""
    ng = nginx(workers=1, level='debug', store=False,
               location='ws_chat_rate off; ws_chat_deflate off;')
    large = [enter(ng, 'large') for _ in range(MEMBERS)]
    small = [enter(ng, 'small') for _ in range(3)]
    pid, = ng.worker_pids()

    def at_once(*sends):
        """The worker finds all of these in one turn; its turns."""
        begin = len(ng.log())
        os.kill(pid, signal.SIGSTOP)
        for r, data in sends:
            r.send(data)
        os.kill(pid, signal.SIGCONT)

    begin = len(ng.log())
    at_once((large[0], say('large', 'a', 200)),
            (small[0], say('small', 'a', 100)))
    (size, ), (short, ) = messages(large[0], 1), messages(small[0], 1)
    for r in large[1:]:
        assert messages(r, 1) == [size]
    for r in small[1:]:
        assert messages(r, 1) == [short]
    wait_for(lambda: sum(len(t) for t in turns(ng, begin)) >= MEMBERS + 3)
    ran = turns(ng, begin)
    order = [size_of for turn in ran for _, size_of in turn]

    # one write for each member, and they take turns
    assert order.count(size) + order.count(short) >= MEMBERS + 3 - 2
    last = max(i for i, one in enumerate(order) if one == short)
    assert order[:last].count(size) < 100, order[:last].count(size)
    # a turn of the loop has an end, however large the room is
    assert max(len(turn) for turn in ran) < 600
    assert len(ran) > 2

    # several messages that wait are one write
    begin = len(ng.log())
    at_once((large[0], say('large', 'b', 200) + say('large', 'c', 200)
             + say('large', 'd', 200)))
    wide, = set(messages(large[0], 3))
    for r in large[1:]:
        assert messages(r, 3) == [wide] * 3
    wait_for(lambda: sum(len(t) for t in turns(ng, begin)) >= MEMBERS)
    order = [one for turn in turns(ng, begin) for one in turn]
    assert sum(one[1] == 3 * wide for one in order) >= MEMBERS - 1
    for r in large + small:
        r.close()
