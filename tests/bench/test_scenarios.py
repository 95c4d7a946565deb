"""The scenario files for other load tools."""

import asyncio
import json
import os
import subprocess
import xml.etree.ElementTree

import websockets

from bench.server import Ours, TOP

SCENARIOS = TOP / 'tests/bench/scenarios'
ARTILLERY = TOP / 'build/node/node_modules/.bin/artillery'


class Limited(Ours):
    """With the limits that a server has if nothing is said."""

    server = Ours.server.replace('ws_chat_rate off;', '')


def artillery(port, users, report):
    phase = {'duration': 1, 'arrivalCount': users}
    return subprocess.run(
        [ARTILLERY, 'run', '--quiet', '--output', report,
         '--target', 'ws://127.0.0.1:%d/chat' % port,
         '--overrides', json.dumps({'config': {'phases': [phase]}}),
         SCENARIOS / 'artillery.yml'],
        env={**os.environ, 'ARTILLERY_DISABLE_TELEMETRY': 'true'},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=100)


async def witness(port, users, report):
    """(what artillery did, the messages it sent)"""
    url = 'ws://127.0.0.1:%d/chat?join=lobby,kitchen,garden' % port
    async with websockets.connect(url) as socket:
        done = await asyncio.to_thread(artillery, port, users, report)
        messages = []
        while len(messages) < users * 5:
            event = json.loads(await asyncio.wait_for(socket.recv(), 60))
            if event['ev'] == 'message':
                messages.append(event)
        return done, messages


def test_artillery(tmp_path):
    users = 4
    report = tmp_path / 'report.json'
    with Limited() as server:
        done, messages = asyncio.run(witness(server.port, users, report))
    assert done.returncode == 0, done.stdout
    result = json.loads(report.read_text())['aggregate']
    assert result['scenariosCompleted'] == users
    assert result['errors'] == {}
    assert len({event['cid'] for event in messages}) == users * 5
    assert {event['message']['text'] for event in messages} == {
        'hello from artillery'}


def test_tsung():
    """As much as can be said without the program."""
    root = xml.etree.ElementTree.parse(SCENARIOS / 'tsung.xml').getroot()
    commands = [json.loads(one.text) for one in root.iter('websocket')
                if one.text]
    assert [one['op'] for one in commands] == ['join', 'send', 'leave']
