#!/usr/bin/env python3
"""The golden envelopes: what nodes write into Redis, byte for byte.

    make_envelopes.py         writes tests/vectors/envelopes/NAME.msgpack

Made with the msgpack package from what core/wsc_envelope.h says, and held
against the core by tests/unit/test_envelope.c, which builds the same ones.
"""

import pathlib

import msgpack

from make_events import write

DIRECTORY = pathlib.Path(__file__).with_name('envelopes')
EPOCH = 1700000000000
STAMP = 1700000001234
LAST = 2**53 - 1


def envelopes():
    yield 'entry', [1, 1, STAMP, 'ann', 'c1', '{"text":"hi"}']
    yield 'entry_first', [1, 1, STAMP, 'Zo\u00eb \u20ac', 'c"2', '"\u00e9"',
                          EPOCH - 1, LAST]
    yield 'entry_binary', [1, 1, STAMP, 'ann', 'c3', b'\x00\xff\x10']
    yield 'message', [1, 2, STAMP, 'ann', 'c1', '{"text":"hi"}',
                      EPOCH, 2, EPOCH, 1]
    yield 'message_first', [1, 2, STAMP, 'ann', 'c1', 'null',
                            EPOCH, 1, 0, 0]
    yield 'hint', [1, 3, 17]
    yield 'canary', [1, 4, LAST]
    yield 'news', [1, 5, 3, 1, 'lobby', 2,
                   'pos', 'Zo\u00eb \u20ac', '{"x":1.50}', 0, 0, 0, 0,
                   'blob', 'ann', b'\x00\xff\x10', 1, EPOCH, 3, LAST]
    yield 'news_user', [1, 5, 1, 2, 'ann', 1,
                        '', 'root', '"hi"', STAMP, 0, 0, 0]
    yield 'news_settled', [1, 5, 32, 1, 'room', 1,
                           'c1', 'ann', '', EPOCH, LAST, 0, 0]
    yield 'change', [1, 6, STAMP, 'Zo\u00eb \u20ac', EPOCH, 2, 0,
                     '{"text":"ho"}', EPOCH, 7]
    yield 'change_binary', [1, 6, STAMP, 'ann', EPOCH, LAST, 0,
                            b'\x00\xff\x10', 0, 0]
    yield 'change_retracted', [1, 6, STAMP, '', EPOCH - 1, 1, 1, '',
                               EPOCH, LAST]
    yield 'news_zone', [1, 5, 63, 3, '', 0]


def vectors():
    for name, value in envelopes():
        yield name + '.msgpack', msgpack.packb(value)


if __name__ == '__main__':
    write(DIRECTORY, vectors())
