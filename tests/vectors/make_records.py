#!/usr/bin/env python3
"""The golden records: values of Kafka's records, byte for byte.

    make_records.py           writes tests/vectors/records/NAME.{json,msgpack}

Made with Python's json and the msgpack package from what core/wsc_record.h
says, and held against the core and the daemons' reader by
tests/unit/test_record_change.c.
"""

import pathlib

from make_events import EPOCH, LAST, Raw, both, write

DIRECTORY = pathlib.Path(__file__).with_name('records')
STAMP = '2023-11-14T22:13:21.234Z'


def records():
    yield 'edit', {
        'chat_id': 'lobby', 'op': 'edit', 'epoch': EPOCH, 'seq': 7,
        'by': 'Zo\u00eb "Z" \u20ac', 'message': Raw('{ "a" : [1.50] }'),
        'timestamp': STAMP}
    yield 'edit_binary', {
        'chat_id': 'lobby', 'op': 'edit', 'epoch': EPOCH, 'seq': LAST,
        'by': 'ann', 'message': b'\x00\xff\x10', 'timestamp': STAMP}
    yield 'edit_moderated', {
        'chat_id': 'lobby', 'op': 'edit', 'epoch': EPOCH, 'seq': 1,
        'by': 'root', 'moderate': True, 'message': Raw('null'),
        'timestamp': STAMP}
    yield 'retract', {
        'chat_id': 'lobby', 'op': 'retract', 'epoch': EPOCH - 1, 'seq': 7,
        'by': 'ann', 'timestamp': STAMP}
    yield 'retract_by_server', {
        'chat_id': 'lobby', 'op': 'retract', 'epoch': EPOCH, 'seq': 65536,
        'moderate': True, 'timestamp': STAMP}


def vectors():
    return both(records())


if __name__ == '__main__':
    write(DIRECTORY, vectors())
