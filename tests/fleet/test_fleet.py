"""A fleet is made by Ansible, serves, is updated, grows and shrinks.

The tests build on each other: in this order, and none without those before.
"""

import asyncio
import collections
import json
import time
import urllib.request

from farm import FarmCrowd, node_of, until
from fleet import FLEET
from harness.client import Client
from harness.nginx import wait_for

RATE = 200
MEMBERS = 20
CHATS = 10
UPDATED = {'chat_nodes': 'libnginx-mod-ws-chat', 'backend': 'ws-chat-backend'}


class Traffic(FarmCrowd):
    """Everybody talks at a steady rate until told to stop."""

    @classmethod
    async def start(cls, fleet, name):
        """`name` is how the messages' cids begin: one's own each time."""
        self = await cls.gather(fleet, MEMBERS, CHATS, ssl=fleet.tls(),
                                server_hostname='chat.example')
        self.name = name
        self.said = collections.Counter()
        self.ending = asyncio.Event()
        pairs = [(member, chat) for chat, members in self.chats.items()
                 for member in members]
        self.begin = time.monotonic()
        self.talkers = [
            asyncio.create_task(self.pour(member, chat, len(pairs) / RATE,
                                          n / RATE))
            for n, (member, chat) in enumerate(pairs)]
        return self

    async def pour(self, member, chat, pause, delay):
        """By the clock: who was away catches up."""
        due = time.monotonic() + delay
        while not self.ending.is_set():
            await asyncio.sleep(max(0, due - time.monotonic()))
            cid = '%s-%d' % (self.name, self.said[member, chat])
            self.said[member, chat] += 1
            await member.say(chat, cid, [chat, member.user, cid], timeout=120)
            due += pause

    async def stop(self):
        """Nothing is lost, nothing comes twice, nobody was just cut off."""
        self.ending.set()
        await asyncio.gather(*self.talkers)
        seconds = time.monotonic() - self.begin
        for chat, members in self.chats.items():
            count = sum(n for (_, at), n in self.said.items() if at == chat)
            for member in members:
                await member.until(
                    lambda: len(member.messages[chat]) >= count, 120)
                assert len(member.messages[chat]) == count
        self.history.verify()
        ends = [end for member in self.members for end in member.ends]
        assert all(farewell and code in (1001, 1012)
                   for farewell, code in ends), ends
        print('%d messages, %.0f/s; %d sockets sent away, each with a Close'
              % (self.said.total(), self.said.total() / seconds, len(ends)))
        return ends

    async def during(self, work, *args):
        """Let them talk while something is done elsewhere."""
        try:
            return await asyncio.to_thread(work, *args)
        finally:
            for talker in self.talkers:
                if talker.done():
                    talker.result()


async def connect(fleet, user, **options):
    return await Client.connect(fleet, user=user, ssl=fleet.tls(),
                                server_hostname='chat.example', **options)


def test_provision(fleet):
    """From nothing; once more changes nothing, as the check says, too."""
    fleet.play('site.yml')
    for args in ([], ['--check']):
        recap = fleet.play('site.yml', *args)
        assert set(recap) == set(fleet.hosts)
        assert not fleet.changed(recap), fleet.changed(recap)
        print('again: changed=0 on %d hosts' % len(recap))
    wait_for(lambda: {name: state for name, (state, _) in
                      fleet.nodes().items()} == {'node1': 'UP', 'node2': 'UP'},
             60, 'the front finds the nodes good')
    for host in fleet.hosts.values():
        assert not host.run('systemctl --failed --no-legend').strip()


async def test_chat(fleet):
    """From one node to the other, in both encodings; and coming back."""
    room = 'room-%d' % time.time_ns()
    ann = await connect(fleet, 'ann')
    bob = await connect(fleet, 'bob', fmt='msgpack')
    assert {c.welcome['node'] for c in (ann, bob)} == {'node1', 'node2'}
    for client in (ann, bob):
        await client.join(room)
    await ann.send(room, {'text': 'hi'}, cid='hello')
    first = await bob.expect('message', chat_id=room)
    assert first['message'] == {'text': 'hi'} and first['sender'] == 'ann'
    await ann.send(room, {'text': 'hi'}, cid='hello', retry=True)
    settled = await ann.expect('settled', chat_id=room, timeout=60)
    assert settled['seq'] == first['seq']
    await bob.close()
    for i in range(5):
        await ann.send(room, i)
    # acknowledged by Kafka, and gone to members through Redis
    await ann.take(lambda e: e.get('message') == 4, 60, 'the last one')
    bob = await connect(fleet, 'bob', deflate=True)
    joined = await bob.join(room, after={
        'epoch': first['epoch'], 'seq': first['seq']})
    assert joined['recovered']
    assert [m['message'] for m in joined['messages']] == list(range(5)), joined
    page = await bob.cmd('history', chat_id=room, limit=10)
    assert len(page['messages']) == 6


async def test_archive(fleet):
    """What was said is in PostgreSQL, by Kafka, and read from there."""
    ask = ("python3 -c 'import urllib.request as r; print(r.urlopen("
           "\"http://%s:9473/chats/archive/messages\").read().decode())'"
           % fleet.hosts['data'].address)
    ann = await connect(fleet, 'ann')
    await ann.join('archive')
    for i in range(3):
        await ann.send('archive', i)

    def archived():
        return [m['message'] for m in json.loads(
            fleet.hosts['data'].run(ask))['messages']]

    await until(lambda: archived() == [0, 1, 2], 60, 'it is archived')


async def test_crowd(fleet):
    """Many of them, on both nodes, see the same."""
    crowd = await Traffic.start(fleet, 'crowd')
    assert set(crowd.where()) == {'node1', 'node2'}
    await crowd.during(time.sleep, 3)
    assert not await crowd.stop()


def test_firewall(fleet):
    """From outside there is the front alone, and SSH."""
    def answers(host, port):
        try:
            with urllib.request.urlopen('http://%s:%d/' % (
                    fleet.hosts[host].address, port), timeout=1):
                return True
        except TimeoutError:
            return False
        except OSError as e:
            return not isinstance(getattr(e, 'reason', None), TimeoutError)

    assert answers('front', 8404)
    for host, port in (('node1', 8081), ('data', 6379), ('data', 5432),
                       ('data', 9092), ('data', 9473)):
        assert fleet.hosts[host].run(
            'ss -Hltn sport = :%d' % port).strip(), (host, port)
        assert not answers(host, port), (host, port)


async def test_rolling_update(fleet):
    """Newer packages on one node after the other, under traffic."""
    def versions():
        return {name: fleet.hosts[name].run(
            "dpkg-query -W -f '${Version}' " + package)
            for group, package in UPDATED.items()
            for name in fleet.groups[group]}

    before = versions()
    fleet.offer(*(FLEET / 'new').glob('*.deb'))
    crowd = await Traffic.start(fleet, 'rolling')
    await crowd.during(fleet.play, 'rolling-update.yml')
    # everybody was on a node that was updated
    assert len(await crowd.stop()) >= MEMBERS
    assert versions() == {name: old + '+1' for name, old in before.items()}
    assert {state for state, _ in fleet.nodes().values()} == {'UP'}


async def test_scale(fleet):
    """A third node comes, and one of the first ones goes, under traffic."""
    fleet.add('node3', 'chat_nodes')
    fleet.await_up()
    crowd = await Traffic.start(fleet, 'scale')
    await crowd.during(fleet.play, 'scale-out.yml', '-e', 'joining=node3')
    assert fleet.nodes()['node3'][0] == 'UP'
    newcomer = await connect(fleet, 'newcomer')
    assert newcomer.welcome['node'] == 'node3'

    there = len(crowd.where()['node1'])
    await crowd.during(fleet.play, 'scale-in.yml', '-e', 'leaving=node1')
    assert len(await crowd.stop()) == there
    assert set(fleet.nodes()) == {'node2', 'node3'}
    assert {node_of(m) for m in crowd.members} == {'node2', 'node3'}

    # without it in the inventory there is nothing left to do
    fleet.groups['chat_nodes'].remove('node1')
    fleet.write_inventory()
