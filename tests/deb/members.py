"""Members of a chat in the machine; what each of them saw goes out.

  members.py PORT COUNT

Prints "ready" when all have joined, then each line of standard input makes
it try a new connection ("probe") or tell how the members ended ("end").
"""

import asyncio
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'e2e'))

from harness.client import Client  # noqa: E402
from websockets.exceptions import ConnectionClosed  # noqa: E402


async def follow(client):
    """(close code, told to reconnect) at its end."""
    told = False
    try:
        while True:
            event = await client.recv(3600)
            told = told or event['ev'] == 'reconnect'
    except ConnectionClosed as e:
        return (e.rcvd.code if e.rcvd else None), told


async def main(port, count):
    url = 'ws://127.0.0.1:%s' % port
    clients = [await Client.connect(url, user='user%d' % i)
               for i in range(int(count))]
    for client in clients:
        await client.join('room')
    ends = [asyncio.create_task(follow(client)) for client in clients]
    print('ready', flush=True)
    while True:
        line = await asyncio.to_thread(sys.stdin.readline)
        if not line:
            return
        if line == 'probe\n':
            async with await Client.connect(url, user='new') as client:
                await client.join('room')
                await client.send('room', 'hello')
            print('served', flush=True)
        elif line == 'end\n':
            print(json.dumps(await asyncio.gather(*ends)), flush=True)


asyncio.run(main(*sys.argv[1:]))
