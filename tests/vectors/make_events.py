#!/usr/bin/env python3
"""The golden events: server events in both encodings, byte for byte.

    make_events.py            writes tests/vectors/events/NAME.{json,msgpack}

Made with Python's json and the msgpack package from what PROTOCOL says, and
held against the core by tests/unit/test_event.c, which builds the same events.
A message is given as its very text (raw), which JSON members get unchanged,
or as octets, which JSON members get as base64.
"""

import base64
import json
import pathlib

import msgpack

DIRECTORY = pathlib.Path(__file__).with_name('events')
EPOCH = 1700000000000
LAST = 2**53 - 1


class Raw:
    """JSON text that stays as it is."""

    def __init__(self, text):
        self.text = text


def pos(epoch, seq):
    return {'epoch': epoch, 'seq': seq}


def message(seq, text, prev='before', cid='c1', sender='ann', chat_id='lobby',
            epoch=EPOCH, timestamp=1700000001234):
    if prev == 'before':
        prev = pos(epoch, seq - 1)
    return {'ev': 'message', 'chat_id': chat_id, 'epoch': epoch, 'seq': seq,
            'prev': prev, 'cid': cid, 'sender': sender, 'message': text,
            'timestamp': timestamp}


def changed(event, **fields):
    """The same with these fields before its timestamp."""
    event = dict(event)
    timestamp = event.pop('timestamp')
    return {**event, **fields, 'timestamp': timestamp}


def events():
    first = message(1, Raw('"hello"'), prev=None)
    second = message(2, Raw('{ "a" : [1.50, "\\u00e9\\ud83d\\ude00\\/"] }'),
                     cid='"c\\2"', sender='Zo\u00eb "Z" \u20ac')
    octets = message(3, b'\x00\xff\x10octets', prev=pos(EPOCH - 1, LAST))

    yield 'welcome', {
        'ev': 'welcome', 'proto': 1, 'user': 'Zo\u00eb "Z" \u20ac',
        'session': 's-1', 'node': 'node1', 'ping_ms': 30000,
        'limits': {'max_message': 65536, 'max_chats': 64, 'rate': 20,
                   'burst': 40},
        'retention': {'messages': 1000, 'seconds': 86400},
        'server_time': 1700000000123}
    yield 'welcome_limits', {
        'ev': 'welcome', 'proto': 1, 'user': 'ann',
        'session': 's-1', 'node': 'node1', 'ping_ms': 30000,
        'limits': {'max_message': 65536, 'max_chats': 64, 'rate': 0,
                   'burst': 0, 'message_ms': 30000,
                   'max_user_connections': 8, 'max_ip_connections': 100},
        'retention': {'messages': 1000, 'seconds': 86400},
        'server_time': 1700000000123}
    yield 'joined_empty', {
        'ev': 'joined', 'id': 1, 'chat_id': 'lobby', 'epoch': EPOCH,
        'head': pos(EPOCH, 0), 'recovered': False, 'messages': [],
        'more': False}
    yield 'joined', {
        'ev': 'joined', 'id': 'x"\u00e9', 'chat_id': 'lobby', 'epoch': EPOCH,
        'head': pos(EPOCH, 3), 'recovered': True,
        'messages': [first, second, octets], 'more': True}
    yield 'joined_lost', {
        'ev': 'joined', 'chat_id': 'lobby', 'epoch': EPOCH,
        'head': pos(EPOCH, 3), 'recovered': False, 'reason': 'too_old',
        'messages': [octets], 'more': False}
    yield 'joined_state', {
        'ev': 'joined', 'id': 1, 'chat_id': 'lobby', 'epoch': EPOCH,
        'head': pos(EPOCH, 0), 'recovered': True, 'messages': [],
        'more': False,
        'typing': ['Zo\u00eb "Z" \u20ac', 'ann'],
        'signals': {'pos "\u00e9"': {'sender': 'ann',
                                     'data': Raw('{"x":1.50}')},
                    'blob': {'sender': 'ann', 'data': b'\x00\xff\x10'}},
        'presence': {'count': 1, 'users': [
            {'user': 'Zo\u00eb "Z" \u20ac', 'conns': 3,
             'info': Raw('{"x":1.50}')}]},
        'marks': {
            'Zo\u00eb "Z" \u20ac': {'delivered': pos(EPOCH, 2),
                                   'read': pos(EPOCH, 1)},
            'blob': {'delivered': pos(EPOCH, 4), 'read': pos(EPOCH, 4)},
            'ann': {'delivered': pos(EPOCH, 3), 'read': None}},
        'unread': 100}
    yield 'left', {'ev': 'left', 'id': -7, 'chat_id': 'lobby'}
    yield 'ack', {
        'ev': 'ack', 'id': LAST, 'chat_id': 'lobby', 'cid': 'c1',
        'timestamp': 1700000001234, 'epoch': EPOCH, 'seq': 128,
        'dup': False}
    yield 'ack_dup', {
        'ev': 'ack', 'id': -LAST, 'chat_id': 'lobby', 'cid': 'c1',
        'timestamp': 1700000001234, 'epoch': EPOCH, 'seq': 65536,
        'dup': True}
    yield 'ack_unplaced', {
        'ev': 'ack', 'id': '', 'chat_id': 'lobby', 'cid': 'c1',
        'timestamp': 1700000001234}
    yield 'ack_change', {
        'ev': 'ack', 'id': 3, 'chat_id': 'lobby',
        'timestamp': 1700000001234, 'epoch': EPOCH, 'seq': 2}
    yield 'pong', {'ev': 'pong', 'id': 0}
    yield 'history', {
        'ev': 'history', 'id': 256, 'chat_id': 'lobby',
        'messages': [first, second], 'more': True,
        'complete_to': pos(EPOCH, 2)}
    yield 'history_long', {
        'ev': 'history', 'id': 1, 'chat_id': 'lobby',
        'messages': [message(i + 1, Raw(str(i - 8)),
                             prev=pos(EPOCH, i) if i else None)
                     for i in range(17)],
        'more': False, 'complete_to': pos(EPOCH, 17)}
    yield 'message', second
    yield 'message_first', first
    yield 'message_binary', octets
    yield 'message_limits', message(
        LAST, Raw('[18446744073709551615,-9223372036854775808,1e-7,-0.0,'
                  '123456789012345678901234567890,null,true,false,{},[]]'),
        prev=pos(LAST, LAST), cid='~' * 64, sender='\u20ac' * 42 + '""',
        chat_id='x' * 128, epoch=LAST, timestamp=LAST)
    yield 'message_edited', changed(second, edited=True)
    gone = changed(second, retracted=True)
    del gone['message']
    yield 'message_retracted', gone
    yield 'update', {
        'ev': 'update', 'chat_id': 'lobby', 'epoch': EPOCH, 'seq': 2,
        'message': second['message']}
    yield 'update_binary', {
        'ev': 'update', 'chat_id': 'lobby', 'epoch': EPOCH, 'seq': 3,
        'message': octets['message']}
    yield 'update_retracted', {
        'ev': 'update', 'chat_id': 'lobby', 'epoch': EPOCH, 'seq': 2,
        'retracted': True}
    yield 'joined_updates', {
        'ev': 'joined', 'id': 1, 'chat_id': 'lobby', 'epoch': EPOCH,
        'head': pos(EPOCH, 3), 'recovered': True, 'messages': [octets],
        'more': False,
        'updates': [{'ev': 'update', 'chat_id': 'lobby', 'epoch': EPOCH,
                     'seq': 1, 'message': first['message']},
                    {'ev': 'update', 'chat_id': 'lobby', 'epoch': EPOCH,
                     'seq': 2, 'retracted': True}]}
    yield 'gap', {
        'ev': 'gap', 'chat_id': 'lobby', 'after': pos(EPOCH, 3),
        'before': pos(EPOCH, 70000), 'reason': 'slow'}
    yield 'signal', {
        'ev': 'signal', 'chat_id': 'lobby', 'sender': 'Zo\u00eb "Z" \u20ac',
        'name': 'pos', 'data': Raw('{"x":1.50}')}
    yield 'signal_binary', {
        'ev': 'signal', 'chat_id': 'lobby', 'sender': 'ann', 'name': '"',
        'data': b'\x00\xff\x10'}
    yield 'mark', {
        'ev': 'mark', 'chat_id': 'lobby', 'sender': 'Zo\u00eb "Z" \u20ac',
        'delivered': pos(EPOCH, LAST), 'read': pos(EPOCH - 1, 7)}
    yield 'mark_delivered', {
        'ev': 'mark', 'chat_id': 'lobby', 'sender': 'ann',
        'delivered': pos(EPOCH, 3), 'read': None}
    yield 'marks_page', {
        'ev': 'marks_page', 'chat_id': 'lobby', 'count': 3, 'marks': {
            'bob': {'delivered': pos(EPOCH, 2), 'read': pos(EPOCH, 2)}},
        'more': True}
    yield 'settled', {
        'ev': 'settled', 'chat_id': 'lobby', 'cid': 'c1', 'epoch': EPOCH,
        'seq': 65536}
    yield 'presence_after', {
        'ev': 'presence_page', 'chat_id': 'lobby', 'count': 2,
        'users': [{'user': 'ann', 'conns': 1}], 'more': True}
    yield 'typing', {
        'ev': 'typing', 'chat_id': 'lobby', 'sender': 'ann', 'on': True}
    yield 'typing_off', {
        'ev': 'typing', 'chat_id': 'lobby', 'sender': 'ann', 'on': False}
    yield 'presence', {
        'ev': 'presence', 'chat_id': 'lobby', 'join': ['ann', '"'],
        'leave': ['Zo\u00eb "Z" \u20ac'], 'count': 1234}
    yield 'presence_page', {
        'ev': 'presence_page', 'id': 'x', 'chat_id': 'lobby', 'count': 1,
        'users': [{'user': 'ann', 'conns': 1}], 'more': False}
    yield 'notice', {
        'ev': 'message', 'sender': 'ann', 'message': Raw('"hi"'),
        'timestamp': 1700000001234}
    yield 'ok', {'ev': 'ok', 'id': 'x'}
    yield 'kicked', {'ev': 'kicked', 'chat_id': 'lobby', 'reason': 'kicked'}
    yield 'reconnect', {
        'ev': 'reconnect', 'in_ms': 1500, 'reason': 'restart'}
    yield 'error', {
        'ev': 'error', 'id': 5, 'chat_id': 'lobby', 'cid': 'c1',
        'code': 'rate_limited', 'message': 'too many commands',
        'temporary': True, 'retry_ms': 250}
    yield 'error_bare', {
        'ev': 'error', 'code': 'bad_request', 'message': 'not JSON',
        'temporary': False}


def octets_in_json(value):
    """A message of octets as JSON members get it."""
    if isinstance(value, list):
        return [octets_in_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for key, item in value.items():
        if isinstance(item, bytes):
            out[key] = base64.b64encode(item).decode()
            out['enc'] = 'base64'
        else:
            out[key] = octets_in_json(item)
    return out


def to_json(event):
    """Raw text takes the place of a mark once all else is written."""
    raws = []

    def mark(value):
        raws.append(value.text)
        return '<raw %d>' % (len(raws) - 1)

    text = json.dumps(octets_in_json(event), ensure_ascii=False,
                      separators=(',', ':'), default=mark)
    for i, raw in enumerate(raws):
        text = text.replace('"<raw %d>"' % i, raw)
    return text.encode()


def integer(text):
    """Integers over 64 bits become doubles in msgpack."""
    number = int(text)
    return number if -2**63 <= number < 2**64 else float(number)


def to_msgpack(event):
    return msgpack.packb(event, default=lambda raw: json.loads(
        raw.text, parse_int=integer))


def both(pairs):
    """Pairs of a file's name and what it holds; a text ends its line."""
    for name, value in pairs:
        yield name + '.json', to_json(value) + b'\n'
        yield name + '.msgpack', to_msgpack(value)


def vectors():
    return both(events())


def write(directory, pairs):
    directory.mkdir(exist_ok=True)
    for name, data in pairs:
        (directory / name).write_bytes(data)


if __name__ == '__main__':
    write(DIRECTORY, vectors())
