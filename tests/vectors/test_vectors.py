"""The golden events are what their script makes, and nothing else is there."""

import json

import make_events
import msgpack


def test_files_are_as_made():
    made = dict(make_events.vectors())
    found = {path.name: path.read_bytes()
             for path in make_events.DIRECTORY.iterdir()}
    assert found == made


def test_both_encodings_say_the_same():
    for name, event in make_events.events():
        text = json.loads(make_events.to_json(event),
                          parse_int=make_events.integer)
        packed = msgpack.unpackb(make_events.to_msgpack(event))
        assert text == make_events.octets_in_json(packed), name
