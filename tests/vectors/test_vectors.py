"""The golden files are what their scripts make, and nothing else is there."""

import json

import make_envelopes
import make_events
import make_records
import msgpack
import pytest


@pytest.mark.parametrize('maker', [make_events, make_envelopes,
                                   make_records])
def test_files_are_as_made(maker):
    made = dict(maker.vectors())
    found = {path.name: path.read_bytes()
             for path in maker.DIRECTORY.iterdir()}
    assert found == made


def test_both_encodings_say_the_same():
    for name, event in make_events.events():
        text = json.loads(make_events.to_json(event),
                          parse_int=make_events.integer)
        packed = msgpack.unpackb(make_events.to_msgpack(event))
        assert text == make_events.octets_in_json(packed), name
