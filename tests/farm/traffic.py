"""Some members who do in a farm what has a metric."""

import asyncio
import json
import random
import urllib.request

import confluent_kafka

from harness.client import ChatError, Client

MEMBERS = 12
ROOMS = 3


class Traffic:
    def __init__(self, ports):
        self.ports = ports
        self.url = 'ws://127.0.0.1:%d' % ports['front']
        self.clients = []
        self.last = {}
        self.producer = confluent_kafka.Producer({
            'bootstrap.servers': '127.0.0.1:%d' % ports['kafka'],
            'partitioner': 'murmur2_random'})

    async def run(self):
        """Until it is cancelled."""
        for i in range(MEMBERS):
            self.clients.append(await self.member(i))
        turn = 0
        while True:
            turn += 1
            await self.talk(random.randrange(MEMBERS), turn)
            if turn % 10 == 0:
                await self.come_back(random.randrange(MEMBERS))
                await self.err(random.randrange(MEMBERS))
            if turn % 5 == 0:
                self.produce(turn)
                await asyncio.to_thread(self.read_archive)
            await asyncio.sleep(0.05)

    async def member(self, i, **join):
        client = await Client.connect(self.url, user='user%d' % i)
        joined = await client.settle('join', chat_id='room%d' % (i % ROOMS),
                                     **join)
        self.last[i] = joined['head']
        return client

    async def talk(self, i, turn):
        await self.clients[i].settle(
            'send', chat_id='room%d' % (i % ROOMS), retry=True,
            cid='m%d-%d' % (i, turn), message={'text': 'hello %d' % turn})
        for number, client in enumerate(self.clients):
            for event in client.events:
                if event['ev'] == 'message':
                    self.last[number] = {'epoch': event['epoch'],
                                         'seq': event['seq']}
            client.events.clear()

    async def come_back(self, i):
        await self.clients[i].close()
        self.clients[i] = await self.member(i, after=self.last[i])

    async def err(self, i):
        try:
            await self.clients[i].cmd('send', chat_id='never joined',
                                      cid='x', message=1)
        except ChatError:
            pass

    def produce(self, turn):
        self.producer.produce('chat-messages', key='shop', value=json.dumps(
            {'sender': 'shop', 'message': turn, 'cid': 'c%d' % turn}))
        self.producer.poll(0)

    def read_archive(self):
        urllib.request.urlopen(
            'http://127.0.0.1:%d/chats/shop/messages' % self.ports['history'],
            timeout=10).close()

    async def close(self):
        self.producer.flush(5)
        for client in self.clients:
            await client.close()
