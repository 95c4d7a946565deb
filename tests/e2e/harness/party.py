"""People who talk on several nodes while something breaks."""

import asyncio
import itertools

from .history import History
from .nginx import PATIENCE
from .seed import seeded
from .witness import Witness


class Party:
    """Two members on each node, in all chats; they talk until told to stop."""

    def __init__(self, members, history, rng):
        self.members = members
        self.history = history
        self.random = rng
        self.running = True
        self.tasks = [asyncio.create_task(self.talk(m)) for m in members]

    @classmethod
    async def start(cls, nodes, chats):
        history = History()
        members = [Witness(ng, 'user-%d-%d' % (i, k), history)
                   for i, ng in enumerate(nodes) for k in range(2)]
        for member in members:
            member.chats = list(chats)
            await member.connect()
            await member.begin()
        return cls(members, history, seeded('party'))

    async def talk(self, member):
        for n in itertools.count():
            if not self.running:
                return
            chat = self.random.choice(member.chats)
            await member.say(chat, 'c%d' % n, [member.user, chat, n])
            await asyncio.sleep(self.random.uniform(0, 0.02))

    async def hear(self, count):
        """Until so many more are acknowledged."""
        goal = len(self.history.acks) + count
        while len(self.history.acks) < goal:
            for task in self.tasks:
                if task.done():
                    task.result()
            await asyncio.sleep(0.01)

    async def stop(self):
        self.running = False
        await asyncio.wait_for(asyncio.gather(*self.tasks), 40 * PATIENCE)

    async def check(self, one, gaps=False, seconds=15):
        """Everybody has all that is stored, without new traffic."""
        heads = {}
        for chat in self.members[0].chats:
            there = await asyncio.to_thread(one.stream, chat)
            self.history.dump(chat, there)
            heads[chat] = there[-1].position if there else (0, 0)
        for member in self.members:
            for chat in member.chats:
                await member.until(
                    lambda: member.last[chat] >= heads[chat],
                    timeout=seconds * PATIENCE)
            assert member.returns == 0
        self.history.verify(gaps=gaps)
