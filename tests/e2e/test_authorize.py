"""ws_chat_authorize: a location of the server is asked before each join."""

import asyncio

import pytest

from harness.client import ChatError, Client
from harness.nginx import wait_for

pytestmark = pytest.mark.plain_store

SERVER = """
    location = /may {
        internal;
        if ($arg_chat_id = no) { return 403; }
        if ($arg_chat_id = who) { return 401; }
        if ($arg_chat_id = broken) { return 500; }
        if ($arg_user = eve) { return 403; }
        if ($arg_chat_id = file) { rewrite ^ /missing last; }
        return 204;
    }
    location = /ask { internal; proxy_pass http://127.0.0.1:%(port)s/answer; }
    location = /answer {
        if ($arg_chat_id = no) { return 403; }
        if ($arg_user != "Zo%%C3%%AB%%26") { return 500; }
        if ($arg_session = "") { return 500; }
        return 200 "yes";
    }
    location = /missing { internal; root /nonexistent; }
    location = /dead { internal; proxy_pass http://127.0.0.1:1/; }
    location = /proxied { ws_chat zone=chat; ws_chat_authorize /ask; }
    location = /down { ws_chat zone=chat; ws_chat_authorize /dead; }
"""


@pytest.fixture
def ng(nginx):
    ng = nginx(workers=1, location='ws_chat_authorize /may;', start=False)
    ng.write_conf(ng.text.replace(
        'location /chat', SERVER % {'port': ng.port} + 'location /chat', 1))
    ng.start()
    return ng


async def code_of(client, chat_id):
    with pytest.raises(ChatError) as e:
        await client.join(chat_id)
    return e.value.code


async def test_answers(ng):
    a = await Client.connect(ng, 'ann')
    await a.join('yes')
    await a.send('yes', 'hi')
    assert await code_of(a, 'no') == 'forbidden'
    assert await code_of(a, 'who') == 'forbidden'
    assert await code_of(a, 'broken') == 'unavailable'
    assert await code_of(a, 'file') == 'unavailable'
    # a second join needs no permission, a new one does
    await a.join('yes')
    await a.leave('yes')
    await a.join('yes')
    eve = await Client.connect(ng, 'eve')
    assert await code_of(eve, 'yes') == 'forbidden'


async def test_proxied(ng):
    a = await Client.connect(ng, 'Zo\xeb&', path='/proxied')
    for n in range(20):
        await a.join('room%d' % n)
    assert await code_of(a, 'no') == 'forbidden'
    b = await Client.connect(ng, 'ann', path='/down')
    assert await code_of(b, 'yes') == 'unavailable'


async def test_order(ng):
    """What follows a join waits for its permission."""
    a = await Client.connect(ng, 'Zo\xeb&', path='/proxied')
    await a.post([{'op': 'join', 'id': 1, 'chat_id': 'r'},
                  {'op': 'send', 'id': 2, 'chat_id': 'r', 'cid': 'c',
                   'message': 1},
                  {'op': 'join', 'id': 3, 'chat_id': 'no'},
                  {'op': 'send', 'id': 4, 'chat_id': 'no', 'cid': 'c',
                   'message': 1},
                  {'op': 'leave', 'id': 5, 'chat_id': 'r'}])
    assert (await a.reply(1))['ev'] == 'joined'
    assert (await a.reply(2))['ev'] == 'ack'
    assert (await a.reply(3))['code'] == 'forbidden'
    assert (await a.reply(4))['code'] in ('forbidden', 'not_joined')
    assert (await a.reply(5))['ev'] == 'left'


async def test_many(ng):
    """More than are asked at a time; some do not wait for the answer."""
    clients = [await Client.connect(ng, 'Zo\xeb&', path='/proxied')
               for _ in range(100)]
    for c in clients:
        await c.post([{'op': 'join', 'id': n, 'chat_id': 'm%d' % n}
                      for n in range(3)])
    for c in clients[::3]:
        await c.abort()
    for n, c in enumerate(clients):
        if n % 3:
            for ident in range(3):
                assert (await c.reply(ident))['ev'] == 'joined'
    await asyncio.gather(*(c.close() for n, c in enumerate(clients) if n % 3))
    wait_for(lambda: ng.status()['connections'] == 0)


def test_conf(nginx):
    for value in ('may', '@may', '/may?x=1'):
        ng = nginx(location='ws_chat_authorize %s;' % value, start=False)
        code, text = ng.check_conf()
        assert code != 0 and 'ws_chat_authorize' in text
