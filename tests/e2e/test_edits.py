"""Messages that are edited, retracted and erased."""

import asyncio
import json
import urllib.parse

import pytest

from harness import tokens
from harness.client import Client, ChatError
from harness.member import connect_to, position
from harness.sse import Stream

FREE = 'ws_chat_rate off;'
ROOM = 'room'
SECRET = 'a secret text of ann'
JWT = FREE + ' ws_chat_auth jwt; ws_chat_jwt_key secret;'


async def joined(ng, user, chat=ROOM, **options):
    client = await Client.connect(ng, user=user, **options)
    await client.settle('join', chat_id=chat)
    return client


async def say(client, message, chat=ROOM, cid=None):
    """Send a message; its position, as an answer to a command has it."""
    cid = cid or 'c%d' % next(client.cids)
    await client.settle('send', chat_id=chat, cid=cid, message=message)
    event = await client.expect('message', chat_id=chat, cid=cid)
    return {'epoch': event['epoch'], 'seq': event['seq']}


async def edit(client, place, message, chat=ROOM):
    return await client.settle('edit', chat_id=chat, message=message, **place)


async def retract(client, place, chat=ROOM):
    return await client.settle('retract', chat_id=chat, **place)


async def history(client, chat=ROOM, **fields):
    return (await client.settle('history', chat_id=chat,
                                **fields))['messages']


async def refused(client, op, **fields):
    with pytest.raises(ChatError) as e:
        await client.settle(op, chat_id=ROOM, **fields)
    return e.value.code


def after(place):
    return {'after': place}


async def api(ng, method, path, body=None):
    """A call of the API: status and what it answers; unavailable: again."""
    while True:
        response = await asyncio.to_thread(
            ng.request, '/api/' + path, method,
            body=None if body is None else json.dumps(body))
        if response.status != 503:
            return response.status, json.loads(response.body)
        await asyncio.sleep(0.05)


async def test_everybody_is_told(nginx):
    ng = nginx(location=FREE)
    ann = await joined(ng, 'ann')
    people = [ann, await joined(ng, 'bob', fmt='msgpack'),
              await joined(ng, 'eve', deflate=True)]
    first = await say(ann, {'text': 'frist'})
    second = await say(ann, SECRET)
    ack = await edit(ann, first, {'text': 'first', 'n': 1.50})
    assert ack == {'ev': 'ack', 'id': ack['id'], 'chat_id': ROOM,
                   'timestamp': ack['timestamp'], **first}
    ack = await retract(ann, second)
    assert position(ack) == position(second)
    for client in people:
        assert await client.expect('update') == {
            'ev': 'update', 'chat_id': ROOM, **first,
            'message': {'text': 'first', 'n': 1.50}}
        assert await client.expect('update') == {
            'ev': 'update', 'chat_id': ROOM, **second, 'retracted': True}
        seen = await history(client)
        assert seen[0]['message'] == {'text': 'first', 'n': 1.50}
        assert seen[0]['edited'] is True and 'retracted' not in seen[0]
        assert seen[1]['retracted'] is True and 'message' not in seen[1]
        assert seen[1]['sender'] == 'ann' and position(seen[1]['prev']) \
            == position(first)
    late = await Client.connect(ng, user='zoe')
    reply = await late.settle('join', chat_id=ROOM, history=10)
    assert [m.get('message') for m in reply['messages']] == [
        {'text': 'first', 'n': 1.50}, None]
    assert 'updates' not in reply
    assert SECRET not in reply.raw


async def test_octets(nginx):
    ng = nginx(location=FREE)
    ann = await joined(ng, 'ann', fmt='msgpack')
    bob = await joined(ng, 'bob')
    place = await say(ann, 'text')
    await edit(ann, place, b'\x00\xff')
    assert (await ann.expect('update'))['message'] == b'\x00\xff'
    event = await bob.expect('update')
    assert (event['message'], event['enc']) == ('AP8=', 'base64')
    assert (await history(bob))[0]['enc'] == 'base64'
    await edit(ann, place, 'again')
    assert (await history(bob))[0]['message'] == 'again'


async def test_who_may_and_what(nginx):
    ng = nginx(location=FREE)
    ann = await joined(ng, 'ann')
    bob = await joined(ng, 'bob')
    place = await say(ann, 'mine')
    nowhere = {**place, 'seq': place['seq'] + 7}
    other = {**place, 'epoch': place['epoch'] + 1}
    assert await refused(bob, 'edit', message='x', **place) == 'forbidden'
    assert await refused(bob, 'retract', **place) == 'forbidden'
    for where in (nowhere, other, {'epoch': 0, 'seq': 0}):
        assert await refused(ann, 'edit', message='x', **where) == 'not_found'
        assert await refused(ann, 'retract', **where) == 'not_found'
    assert await refused(ann, 'edit', **place) == 'bad_request'
    assert await refused(ann, 'retract', epoch=1) == 'bad_request'
    zoe = await Client.connect(ng, user='zoe')
    assert await refused(zoe, 'retract', **place) == 'not_joined'
    await retract(ann, place)
    await retract(ann, place)
    assert await refused(ann, 'edit', message='x', **place) == 'not_found'
    assert await refused(bob, 'retract', **place) == 'forbidden'
    for client in (ann, bob):
        assert (await client.expect('update'))['retracted'] is True
        await client.nothing('update')


@pytest.mark.parametrize('fmt', ['json', 'msgpack'])
async def test_tokens_decide(nginx, fmt):
    ng = nginx(start=False, location=JWT)
    (ng.dir / 'secret').write_bytes(tokens.SECRET + b'\n')
    ng.start()

    async def holder(user, **claims):
        token = tokens.mint(tokens.claims(user, **claims))
        client = await Client.connect(
            ng, fmt=fmt, headers={'Authorization': 'Bearer ' + token})
        await client.settle('join', chat_id=ROOM)
        return client

    ann = await holder('ann')
    place = await say(ann, 'mine')
    another = await say(ann, 'mine, too')
    mute = await holder('ann', chat={'send': ['other']})
    assert await refused(mute, 'edit', message='x', **place) == 'forbidden'
    assert await refused(mute, 'retract', **place) == 'forbidden'
    bob = await holder('bob', moderate=False)
    assert await refused(bob, 'retract', **place) == 'forbidden'
    mod = await holder('mod', moderate=True, chat={'send': []})
    await edit(mod, place, 'mended')
    await retract(mod, another)
    seen = await history(ann)
    assert seen[0]['message'] == 'mended' and seen[0]['sender'] == 'ann'
    assert seen[1]['retracted'] is True
    await edit(ann, place, 'mine again')


async def test_on_all_workers(nginx):
    ng = nginx(workers=3, location=FREE)
    people = []
    for worker in ng.worker_pids():
        client = await connect_to(ng, worker, user='ann')
        await client.settle('join', chat_id=ROOM)
        people.append(client)
    places = [await say(people[0], n) for n in range(20)]
    for n, place in enumerate(places):
        if n % 3:
            await people[n % 3].expect('message', **place)
        await edit(people[n % 3], place, 'edit %d' % n)
    for client in people:
        for n, place in enumerate(places):
            assert (await client.expect('update', **place))['message'] \
                == 'edit %d' % n


async def test_a_race_ends_alike_for_all(nginx):
    """Whoever wins: all see the end of it, and no text once it is gone."""
    ng = nginx(workers=2, location=FREE)
    one, two, watcher = [await joined(ng, 'ann') for _ in range(3)]
    for n in range(6):
        # 20 mistakes would close
        place = await say(one, 'first')

        async def changes(client):
            for k in range(3):
                try:
                    await edit(client, place, 'text %d' % k)
                except ChatError as e:
                    assert e.code == 'not_found'

        async def gone(client):
            await retract(client, place)

        await asyncio.gather(changes(one), gone(two))
        seen = (await history(one, limit=1))[0]
        assert seen['retracted'] is True and 'message' not in seen
        event = {}
        while not event.get('retracted'):
            event = await watcher.expect('update', **place)
        await watcher.nothing('update')


async def test_who_was_away_is_told(nginx):
    """Those up to its position that were changed since come with `joined`."""
    ng = nginx(location=FREE)
    ann = await joined(ng, 'ann')
    places = [await say(ann, 'message %d' % n) for n in range(6)]
    await edit(ann, places[0], 'before')
    seen = [await say(ann, 'message %d' % n) for n in range(6, 8)]
    places += seen
    # bob knows all up to here, and goes
    await edit(ann, places[1], 'since')
    await edit(ann, places[1], 'since, again')
    await retract(ann, places[2])
    places.append(await say(ann, SECRET))
    await retract(ann, places[8])
    places.append(await say(ann, 'message 9'))
    await edit(ann, places[9], 'nine')
    for fmt in ('json', 'msgpack'):
        bob = await Client.connect(ng, user='bob', fmt=fmt)
        reply = await bob.settle('join', chat_id=ROOM, after=places[7])
        assert reply['recovered'] is True
        updates = {position(u): u for u in reply['updates']}
        assert updates == {
            position(places[1]): {'ev': 'update', 'chat_id': ROOM,
                                  **places[1], 'message': 'since, again'},
            position(places[2]): {'ev': 'update', 'chat_id': ROOM,
                                  **places[2], 'retracted': True}}
        assert [position(m) for m in reply['messages']] == [
            position(places[8]), position(places[9])]
        assert 'message' not in reply['messages'][0]
        assert reply['messages'][1]['message'] == 'nine'
        secret = SECRET if fmt == 'json' else SECRET.encode()
        assert secret not in reply.raw
    # who has everything is told as well, without a message to come
    reply = await bob.settle('join', chat_id=ROOM, after=places[9])
    assert reply['messages'] == [] and reply['recovered'] is True
    assert [position(u) for u in reply['updates']] == [position(places[9])]


async def test_too_many_to_tell(nginx):
    ng = nginx(location=FREE)
    ann = await joined(ng, 'ann')
    big = 'x' * 40000
    places = [await say(ann, n) for n in range(8)]
    for place in places:
        await edit(ann, place, big)
    bob = await Client.connect(ng, user='bob')
    reply = await bob.settle('join', chat_id=ROOM, after=places[-1])
    assert (reply['recovered'], reply['reason']) == (False, 'too_old')
    assert [m['message'] for m in await history(bob)] == [big] * 8


async def test_trimmed_messages_are_not_found(nginx):
    ng = nginx(location=FREE + ' ws_chat_history 5 1h;')
    ann = await joined(ng, 'ann')
    places = [await say(ann, n) for n in range(8)]
    assert await refused(ann, 'edit', message='x', **places[0]) == 'not_found'
    assert await refused(ann, 'retract', **places[2]) == 'not_found'
    await edit(ann, places[3], 'kept')
    await retract(ann, places[7])
    seen = await history(ann)
    assert [m.get('message') for m in seen] == ['kept', 4, 5, 6, None]
    places.append(await say(ann, 8))
    assert [m.get('message') for m in await history(ann)] == [
        4, 5, 6, None, 8]
    # the chain and the cid of the one that is gone stay
    assert (await history(ann))[-1]['prev'] == places[7]


async def test_its_cid_stays_known(nginx):
    ng = nginx(location=FREE)
    ann = await joined(ng, 'ann')
    place = await say(ann, SECRET, cid='one')
    await retract(ann, place)
    ack = await ann.settle('send', chat_id=ROOM, cid='one', message=SECRET)
    assert ack.get('dup') is True
    assert SECRET not in json.dumps(await history(ann))


async def test_rate(nginx):
    ng = nginx(location='ws_chat_rate 1r/s burst=3;')
    ann = await joined(ng, 'ann')
    place = await say(ann, 'x')
    with pytest.raises(ChatError) as e:
        for n in range(20):
            await ann.cmd('edit', chat_id=ROOM, message=n, **place)
    assert e.value.code in ('rate_limited', 'unavailable')


async def test_events_and_posts(nginx):
    """Streams tell of changes, and replay what is there now."""
    ng = nginx(location=FREE, server='''
        location = /events { ws_chat_sse zone=chat; ws_chat_rate off; }''')
    ann = await joined(ng, 'ann')
    places = [await say(ann, 'one'), await say(ann, SECRET)]

    def stream(last_id=None):
        return asyncio.to_thread(Stream, ng, ROOM, user='bob',
                                 path='/events', last_id=last_id)

    live = await stream()
    live.expect('joined')
    body = json.dumps([{'op': 'edit', 'id': 1, 'chat_id': ROOM,
                        'message': 'two', **places[0]},
                       {'op': 'retract', 'id': 2, 'chat_id': ROOM,
                        **places[1]}])
    while True:
        response = await asyncio.to_thread(
            ng.request, '/events?user=ann', 'POST', body=body)
        answers = json.loads(response.body)
        if [a['ev'] for a in answers] == ['ack', 'ack']:
            break
        assert all(a['ev'] == 'ack' or a['temporary'] for a in answers)
    update = await asyncio.to_thread(live.expect, 'update', **places[0])
    assert update['message'] == 'two'
    update = await asyncio.to_thread(live.expect, 'update', **places[1])
    assert update['retracted'] is True
    live.close()
    again = await stream('%d:%d' % position(places[0]))
    event = again.expect('joined')
    assert [u['message'] for u in event['updates']] == ['two']
    event = await asyncio.to_thread(again.expect, 'message')
    assert event['retracted'] is True and 'message' not in event
    again.close()


def place_of(place):
    return 'chats/%s/messages/%d:%d' % ((ROOM,) + position(place))


async def test_the_api_changes_everybodys(nginx):
    ng = nginx(location=FREE)
    ann = await joined(ng, 'ann')
    place = await say(ann, 'text')
    status, answer = await api(ng, 'PATCH', place_of(place), {'message': [1]})
    assert (status, position(answer)) == (200, position(place))
    assert (await ann.expect('update'))['message'] == [1]
    status, answer = await api(ng, 'DELETE', place_of(place))
    assert (status, position(answer)) == (200, position(place))
    assert (await ann.expect('update'))['retracted'] is True
    assert (await api(ng, 'DELETE', place_of(place)))[0] == 200
    status, answer = await api(ng, 'PATCH', place_of(place), {'message': 1})
    assert (status, answer['code']) == (404, 'not_found')
    nowhere = {**place, 'seq': place['seq'] + 1}
    assert (await api(ng, 'DELETE', place_of(nowhere)))[0] == 404
    for path, body in ((place_of(place), {}), (place_of(place), []),
                       ('chats/%s/messages/1' % ROOM, {'message': 1}),
                       ('chats/%s/messages/1:x' % ROOM, {'message': 1}),
                       ('chats/a b/messages/1:1'.replace(' ', '%20'),
                        {'message': 1})):
        status, answer = await api(ng, 'PATCH', path, body)
        assert (status, answer['code']) == (400, 'bad_request'), path
    status, answer = await api(ng, 'PATCH', place_of(place),
                               {'message': 'x' * 70000})
    assert (status, answer['code']) == (413, 'too_large')
    status, answer = await api(ng, 'GET', 'chats/%s/messages' % ROOM)
    assert answer['messages'][0]['retracted'] is True


async def test_erasing_a_user(nginx):
    """An erased user's text is in no answer, and nobody else's is gone."""
    ng = nginx(workers=2, location=FREE, server='''
        location = /events { ws_chat_sse zone=chat; ws_chat_rate off; }''')
    name = 'ann / \u20ac'
    chats = ['chat-%d' % n for n in range(7)]
    ann = await Client.connect(ng, user=name)
    bob = await Client.connect(ng, user='bob')
    first = {}
    for chat in chats:
        for client in (ann, bob):
            await client.settle('join', chat_id=chat)
        for n in range(4):
            first.setdefault(chat, await say(bob, 'of bob', chat))
            await say(ann, SECRET * (1 + 10 * n), chat)
        edited = await say(ann, 'x', chat)
        await edit(ann, edited, SECRET, chat)
        await retract(ann, await say(ann, SECRET, chat), chat)
    path = 'users/' + urllib.parse.quote(name, safe='')
    status, answer = await api(ng, 'DELETE', path)
    assert (status, answer['messages']) == (200, 5 * len(chats))
    for chat in chats:
        # one was retracted before, and told
        for _ in range(6):
            await bob.expect('update', chat_id=chat, retracted=True)
        seen = await history(bob, chat)
        assert len(seen) == 10
        assert [m.get('message') for m in seen if m['sender'] == 'bob'] == [
            'of bob'] * 4
        assert all(m.get('retracted') and 'message' not in m
                   for m in seen if m['sender'] == name)
        before = None
        for m in seen:
            assert m['prev'] == before
            before = {'epoch': m['epoch'], 'seq': m['seq']}
        reply = await bob.settle('join', chat_id=chat, after=first[chat])
        assert reply['recovered'] is True and len(reply['messages']) == 9
        assert SECRET not in reply.raw
        status, answer = await api(ng, 'GET', 'chats/%s/messages' % chat)
        assert SECRET not in json.dumps(answer)
        with await asyncio.to_thread(Stream, ng, chat, user='eve',
                                     path='/events', history=50) as stream:
            events = await asyncio.to_thread(stream.messages, 10)
        assert SECRET not in json.dumps(events)
    status, answer = await api(ng, 'DELETE', path)
    assert (status, answer['messages']) == (200, 0)
    # the user is not blocked by that
    await say(ann, 'new', chats[0])
    assert (await history(bob, chats[0]))[-1]['message'] == 'new'
