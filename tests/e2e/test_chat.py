"""Commands and events of the protocol: each row, and the rules between them."""

import pytest

from harness.client import Client, ChatError

POSITION = ('epoch', 'seq')

# what `joined` has beside messages, with tests of its own
STATE = ('typing', 'signals', 'presence', 'marks', 'unread')


def pos(event):
    return {k: event[k] for k in POSITION}


settle = Client.settle


async def joined(nginx, user, chat='room', **options):
    client = await Client.connect(nginx, user=user, **options)
    await settle(client, 'join', chat_id=chat)
    return client


async def say(client, text, cid, chat='room', **fields):
    return await settle(client, 'send', chat_id=chat, cid=cid, message=text,
                        **fields)


@pytest.fixture
def ng(nginx):
    return nginx(location='ws_chat_rate off;')


async def test_welcome_comes_first_and_tells_the_limits(nginx):
    ng = nginx(location='ws_chat_ping_interval 7s; ws_chat_max_message 9k;'
                        'ws_chat_max_chats 5; ws_chat_rate 3r/s burst=6;'
                        'ws_chat_history 12 2h;',
               http='ws_chat_node node-7;')
    a = await Client.connect(ng, user='ann')
    w = a.welcome
    assert (w['proto'], w['user'], w['node']) == (1, 'ann', 'node-7')
    assert w['ping_ms'] == 7000
    assert w['limits'] == {'max_message': 9216, 'max_chats': 5, 'rate': 3,
                           'burst': 6, 'message_ms': 30000}
    assert w['retention'] == {'messages': 12, 'seconds': 7200}
    assert w['session'] and w['server_time'] > 1.7e12


async def test_sessions_and_guests_have_names_of_their_own(ng):
    a, b = await Client.connect(ng), await Client.connect(ng)
    assert a.welcome['user'].startswith('guest-')
    assert a.welcome['user'] != b.welcome['user']
    assert a.welcome['session'] != b.welcome['session']


async def test_everybody_gets_the_message_once_the_sender_too(ng):
    ann, bob = await joined(ng, 'ann'), await joined(ng, 'bob')
    first = await say(ann, {'n': 1}, 'c1')
    second = await say(bob, 'two', 'c1')
    for client in ann, bob:
        one, two = await client.collect(2)
        assert pos(one) == pos(first) and pos(two) == pos(second)
        assert (one['sender'], one['cid'], one['message'], one['chat_id']) \
            == ('ann', 'c1', {'n': 1}, 'room')
        assert (two['sender'], two['message']) == ('bob', 'two')
        assert one['prev'] is None and two['prev'] == pos(one)
        assert one['timestamp'] == first['timestamp']
        await client.nothing('message')


async def test_the_reply_of_each_command(ng):
    a = await Client.connect(ng, user='ann')
    assert await a.cmd('ping', id=1) == {'ev': 'pong', 'id': 1}
    reply = await settle(a, 'join', id='j', chat_id='room')
    head = reply['head']
    for name in STATE:
        reply.pop(name)
    assert reply == {'ev': 'joined', 'id': reply['id'], 'chat_id': 'room',
                     'epoch': head['epoch'], 'head': head, 'recovered': True,
                     'messages': [], 'more': False}
    assert head['seq'] == 0
    ack = await say(a, 'x', 'c1')
    assert ack == {'ev': 'ack', 'id': ack['id'], 'chat_id': 'room',
                   'cid': 'c1', 'timestamp': ack['timestamp'],
                   'epoch': ack['epoch'], 'seq': 1, 'dup': False}
    # in Redis the first message begins the epoch
    assert head['epoch'] in (0, ack['epoch'])
    reply = await settle(a, 'history', chat_id='room')
    event = await a.expect('message')
    assert reply == {'ev': 'history', 'id': reply['id'], 'chat_id': 'room',
                     'messages': [event], 'more': False,
                     'complete_to': pos(ack)}
    assert await a.cmd('leave', id=2 ** 53 - 1, chat_id='room') == {
        'ev': 'left', 'id': 2 ** 53 - 1, 'chat_id': 'room'}


@pytest.mark.plain_store
async def test_without_an_id_only_errors_are_answered(ng):
    a = await Client.connect(ng, user='ann')
    await a.post([{'op': 'join', 'chat_id': 'room'},
                  {'op': 'send', 'chat_id': 'room', 'cid': 'c', 'message': 1},
                  {'op': 'history', 'chat_id': 'room'},
                  {'op': 'ping'},
                  {'op': 'leave', 'chat_id': 'elsewhere'},
                  {'op': 'send', 'chat_id': 'elsewhere', 'cid': 'd',
                   'message': 1}])
    error = await a.expect('error')
    assert (error['code'], error['chat_id'], error['cid']) == (
        'not_joined', 'elsewhere', 'd')
    assert 'id' not in error and error['temporary'] is False
    await a.expect('message', cid='c')
    await a.nothing()


@pytest.mark.plain_store
async def test_join_in_the_url(ng):
    bob = await joined(ng, 'bob', 'b')
    a = await Client.connect(ng, user='ann', params={'join': 'a,b'})
    await a.cmd('ping')
    ack = await say(bob, 'hi', 'c1', 'b')
    assert pos(await a.expect('message', chat_id='b')) == pos(ack)
    await say(a, 'me', 'c2', 'a')
    await a.expect('message', chat_id='a', sender='ann')


async def test_bad_names_in_the_url_are_told(ng):
    a = await Client.connect(ng, user='ann', params={'join': 'ok,b a d,'})
    error = await a.expect('error', code='bad_request')
    assert 'join' in error['message']


async def test_a_repeated_cid_is_stored_once(ng):
    ann, bob = await joined(ng, 'ann'), await joined(ng, 'bob')
    again = await joined(ng, 'ann')
    first = await say(ann, 'one', 'c1')
    second = await say(ann, 'other text', 'c1', retry=True)
    third = await say(again, 'one', 'c1', retry=True)
    for ack in second, third:
        assert ack['dup'] is True
        assert pos(ack) == pos(first)
        assert ack['timestamp'] == first['timestamp']
    assert first['dup'] is False
    other = await say(bob, 'one', 'c1')
    assert other['dup'] is False
    for client in ann, bob, again:
        events = await client.collect(2)
        assert [e['sender'] for e in events] == ['ann', 'bob']
        assert events[0]['message'] == 'one'
        await client.nothing('message')


async def test_the_same_chat_id_elsewhere_is_another_chat(nginx):
    ng = nginx(zone='ws_chat_zone chat:2m; ws_chat_zone other:2m;',
               location='ws_chat_rate off;',
               server='location /other { ws_chat zone=other; }')
    ann = await joined(ng, 'ann')
    bob = await joined(ng, 'bob', path='/other')
    await say(ann, 'here', 'c1')
    await say(bob, 'there', 'c1')
    assert (await ann.expect('message'))['message'] == 'here'
    assert (await bob.expect('message'))['message'] == 'there'
    await ann.nothing('message')
    await bob.nothing('message')


async def test_nothing_comes_after_left(ng):
    ann, bob = await joined(ng, 'ann'), await joined(ng, 'bob')
    await ann.cmd('leave', chat_id='room')
    ann.events.clear()
    await say(bob, 'late', 'c1')
    await bob.expect('message')
    await ann.nothing()
    with pytest.raises(ChatError) as e:
        await ann.send('room', 'x')
    assert e.value.code == 'not_joined'


async def test_sends_before_leave_are_answered_before_left(ng):
    a = await joined(ng, 'ann')
    await a.post([{'op': 'send', 'id': i, 'chat_id': 'room',
                   'cid': 'c%d' % i, 'message': i} for i in range(10)]
                 + [{'op': 'leave', 'id': 'bye', 'chat_id': 'room'}])
    answered = 0
    while True:
        event = await a.recv()
        if event['ev'] == 'left':
            break
        answered += event['ev'] in ('ack', 'error')
    assert answered == 10
    await a.nothing()


async def test_leaving_what_was_not_joined_succeeds(ng):
    a = await Client.connect(ng, user='ann')
    assert (await a.leave('nowhere'))['chat_id'] == 'nowhere'


async def test_a_send_right_behind_its_join_is_accepted(ng):
    """Not a second packet between them, and nothing comes before `joined`."""
    for chat in ('new', 'new', 'other'):
        a = await Client.connect(ng, user='ann')
        while True:
            await a.post([{'op': 'join', 'id': 1, 'chat_id': chat},
                          {'op': 'send', 'id': 2, 'chat_id': chat,
                           'cid': a.welcome['session'], 'message': 'x'}])
            first = await a.recv()
            if first['ev'] == 'joined':
                break
            # the test store refused it: what waited fails likewise
            assert first['id'] == 1 and first['temporary'], first
            second = await a.recv()
            assert second['id'] == 2 and second['temporary'], second
        reply = await a.take(lambda e: e.get('id') == 2)
        if reply['ev'] == 'ack':
            event = await a.expect('message', cid=a.welcome['session'])
            assert pos(event) == pos(reply)
        else:
            assert reply['temporary'], reply
        await a.close()


async def test_pipelined_sends_keep_their_order(ng):
    ann, bob = await joined(ng, 'ann'), await joined(ng, 'bob')
    for batch in range(20):
        await ann.post([{'op': 'send', 'id': 'b%d-%d' % (batch, i),
                         'chat_id': 'room', 'cid': 'c%d-%d' % (batch, i),
                         'message': [batch, i]} for i in range(50)])
    replies = [await ann.reply('b%d-%d' % (b, i))
               for b in range(20) for i in range(50)]
    stored = [r for r in replies if r['ev'] == 'ack']
    assert len(stored) > 800
    sent = [[b, i] for b in range(20) for i in range(50)
            if replies[b * 50 + i]['ev'] == 'ack']
    for client in ann, bob:
        got = await client.collect(len(stored))
        assert [e['message'] for e in got] == sent
        assert [pos(e) for e in got] == [pos(r) for r in stored]
        assert all(b['prev'] == pos(a) for a, b in zip(got, got[1:]))


async def test_joining_again_answers_again(ng):
    a = await joined(ng, 'ann')
    acks = [await say(a, i, 'c%d' % i) for i in range(3)]
    await a.collect(3)
    reply = await settle(a, 'join', chat_id='room', after=pos(acks[0]))
    assert [m['message'] for m in reply['messages']] == [1, 2]
    await say(a, 'on', 'c9')
    assert (await a.expect('message'))['message'] == 'on'
    await a.nothing('message')
    assert (await a.leave('room'))['ev'] == 'left'


async def test_too_many_chats(nginx):
    ng = nginx(location='ws_chat_max_chats 3;')
    a = await Client.connect(ng, user='ann')
    for i in range(3):
        await settle(a, 'join', chat_id='c%d' % i)
    with pytest.raises(ChatError) as e:
        await a.join('c3')
    assert e.value.code == 'too_many_chats'
    await settle(a, 'join', chat_id='c1')      # joined: not one more
    await a.leave('c0')
    await settle(a, 'join', chat_id='c3')


@pytest.mark.plain_store
async def test_history_pages_both_ways(ng):
    a = await joined(ng, 'ann')
    acks = [await say(a, i, 'c%d' % i) for i in range(120)]
    events = await a.collect(120)

    newest = await a.cmd('history', chat_id='room')
    assert newest['messages'] == events[-50:] and newest['more'] is True
    assert newest['complete_to'] == pos(acks[-1])

    page = await a.cmd('history', chat_id='room', limit=60,
                       before=pos(newest['messages'][0]))
    assert page['messages'] == events[10:70] and page['more'] is True
    page = await a.cmd('history', chat_id='room', limit=60,
                       before=pos(page['messages'][0]))
    assert page['messages'] == events[:10] and page['more'] is False

    page = await a.cmd('history', chat_id='room', limit=100,
                       after={'epoch': acks[0]['epoch'], 'seq': 0})
    assert page['messages'] == events[:100] and page['more'] is True
    page = await a.cmd('history', chat_id='room', limit=100,
                       after=pos(page['messages'][-1]))
    assert page['messages'] == events[100:] and page['more'] is False
    page = await a.cmd('history', chat_id='room', after=pos(acks[-1]))
    assert page['messages'] == [] and page['more'] is False


async def test_what_was_acked_is_in_the_history(ng):
    a = await joined(ng, 'ann')
    for i in range(20):
        ack = await say(a, i, 'c%d' % i)
        page = await settle(a, 'history', chat_id='room', limit=1)
        assert pos(page['messages'][0]) == pos(ack)


async def test_history_of_others_chats_is_not_joined(ng):
    a = await Client.connect(ng, user='ann')
    with pytest.raises(ChatError) as e:
        await a.cmd('history', chat_id='room')
    assert e.value.code == 'not_joined'


MESSAGES = [
    '{ "b" : 1.0,\t"a":1e2 }', '"\\u00e9\\/"', '"\u00e9"', '[ ]', '{}', '""',
    'null', 'true', '-0', '0.1', '1E+2', '123456789012345678901234567890',
    '"\\ud83d\\ude00"', '[[[[[[[[[[]]]]]]]]]]', '"</script>"',
    '{"message":{"op":"send"},"cid":"x"}',
    '[' * 32 + ']' * 32,
]


@pytest.mark.parametrize('text', MESSAGES)
async def test_the_text_reaches_json_members_byte_for_byte(ng, text):
    ann, bob = await joined(ng, 'ann'), await joined(ng, 'bob', deflate=True)
    while True:
        await ann.raw('{"op":"send","id":9,"chat_id":"room","cid":"c",'
                      '"message": %s }' % text)
        reply = await ann.reply(9)
        if reply['ev'] == 'ack':
            break
        assert reply['temporary'], reply
    part = '"message":%s,' % text
    for client in ann, bob:
        assert part in (await client.expect('message')).raw
    page = await settle(bob, 'history', chat_id='room')
    assert part in page.raw


BAD = [
    ('', 'empty'), ('{', ''), ('[]', ''), ('7', ''), ('"x"', ''),
    ('null', ''), ('{"op":1}', 'op'), ('{}', 'op'), ('{"op":"send"}', ''),
    ('{"op":"join"}', 'chat_id'), ('{"op":"join","chat_id":""}', 'chat_id'),
    ('{"op":"join","chat_id":"a b"}', 'chat_id'),
    ('{"op":"join","chat_id":"%s"}' % ('x' * 129), 'chat_id'),
    ('{"op":"join","chat_id":"a","history":501}', 'history'),
    ('{"op":"join","chat_id":"a","history":-1}', 'history'),
    ('{"op":"join","chat_id":"a","history":"5"}', 'history'),
    ('{"op":"join","chat_id":"a","after":5}', 'after'),
    ('{"op":"join","chat_id":"a","after":{"epoch":1}}', ''),
    ('{"op":"join","chat_id":"a","after":{"epoch":1,"seq":9007199254740992}}',
     ''),
    ('{"op":"send","chat_id":"a","cid":"","message":1}', 'cid'),
    ('{"op":"send","chat_id":"a","cid":"%s","message":1}' % ('x' * 65), 'cid'),
    ('{"op":"send","chat_id":"a","cid":"\u00e9","message":1}', 'cid'),
    ('{"op":"send","chat_id":"a","cid":"c"}', 'message'),
    ('{"op":"send","chat_id":"a","cid":"c","message":1,"retry":1}', 'retry'),
    ('{"op":"send","chat_id":"a","cid":"c","message":1e400}', ''),
    ('{"op":"send","chat_id":"a","cid":"c","message":"\\u0000"}', ''),
    ('{"op":"send","chat_id":"a","cid":"c","message":"\\ud800"}', ''),
    ('{"op":"send","chat_id":"a","cid":"c","message":{"a":1,"\\u0061":2}}',
     ''),
    ('{"op":"send","chat_id":"a","cid":"c","message":%s}'
     % ('[' * 33 + ']' * 33), ''),
    ('{"op":"send","chat_id":"a","cid":"c","message":01}', ''),
    ('{"op":"ping","op":"ping"}', ''),
    ('{"op":"ping","id":1.5}', 'id'), ('{"op":"ping","id":{}}', 'id'),
    ('{"op":"ping","id":"%s"}' % ('x' * 65), 'id'),
    ('{"op":"history","chat_id":"a","limit":0}', 'limit'),
    ('{"op":"history","chat_id":"a","limit":501}', 'limit'),
    ('{"op":"history","chat_id":"a","before":{"epoch":1,"seq":1},'
     '"after":{"epoch":1,"seq":1}}', ''),
    ('[%s]' % ','.join(['{"op":"ping"}'] * 65), '64'),
]


@pytest.mark.parametrize('text,told', BAD)
async def test_bad_requests_are_told_and_harmless(ng, text, told):
    a = await Client.connect(ng, user='ann')
    await a.raw(text)
    error = await a.expect('error')
    assert error['code'] == 'bad_request' and error['temporary'] is False
    assert told in error['message']
    await a.cmd('ping')
    await a.nothing()


@pytest.mark.parametrize('op', [
    'edits', 'retrac', 'upgrade',
    'JOIN', '', 'x' * 1000])
async def test_unknown_ops(ng, op):
    a = await Client.connect(ng, user='ann')
    with pytest.raises(ChatError) as e:
        await a.cmd(op, chat_id='room')
    assert e.value.code == 'unknown_op'
    assert e.value.event['chat_id'] == 'room'


async def test_an_array_is_answered_command_by_command(ng):
    a = await Client.connect(ng, user='ann')
    await a.post([{'op': 'ping', 'id': i} for i in range(64)])
    for i in range(64):
        assert await a.recv() == {'ev': 'pong', 'id': i}


async def test_one_bad_element_does_not_spoil_the_array(ng):
    a = await Client.connect(ng, user='ann')
    await a.post([{'op': 'ping', 'id': 1}, 5, {'op': 'what', 'id': 'w'},
                  {'op': 'ping', 'id': 2}])
    got = [await a.recv() for _ in range(4)]
    assert [(e['ev'], e.get('id'), e.get('code')) for e in got] == [
        ('pong', 1, None), ('error', None, 'bad_request'),
        ('error', 'w', 'unknown_op'), ('pong', 2, None)]


async def test_unknown_fields_are_ignored(ng):
    a = await Client.connect(ng, user='ann')
    assert await a.cmd('ping', id='x' * 64, more=[1, {'op': 'x'}]) == {
        'ev': 'pong', 'id': 'x' * 64}


async def test_the_twentieth_mistake_in_a_minute_closes(ng):
    a = await Client.connect(ng, user='ann')
    for i in range(20):
        await a.post({'op': 'what', 'id': i})
    assert (await a.closed())[0] == 1008
    assert len([e for e in a.events if e['ev'] == 'error']) == 20


@pytest.mark.parametrize('fmt,data', [('json', b'{"op":"ping"}'),
                                      ('msgpack', '{"op":"ping"}')])
async def test_the_other_frame_type_closes(ng, fmt, data):
    a = await Client.connect(ng, user='ann', fmt=fmt)
    await a.raw(data)
    assert (await a.closed())[0] == 1003


async def test_two_encodings_and_compression_in_one_chat(ng):
    clients = [await joined(ng, 'u%d' % i, fmt=fmt, deflate=deflate)
               for i, (fmt, deflate) in enumerate(
                   [('json', False), ('json', True), ('msgpack', False),
                    ('msgpack', True)])]
    bodies = ['short', 'long ' * 200, {'k': [1, 2.5, None, True, 'é😀']}]
    for i, body in enumerate(bodies):
        await say(clients[i], body, 'c')
    for client in clients:
        got = await client.collect(3)
        assert [e['message'] for e in got] == bodies
        assert [e['sender'] for e in got] == ['u0', 'u1', 'u2']
