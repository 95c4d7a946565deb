"""Members whose sights and deeds go into a history, to be judged by it."""

import asyncio
import itertools

from websockets.exceptions import ConnectionClosed

from .history import History
from .member import Member, position, workers_of


class Witness(Member):
    """A Member that reports to a History."""

    def __init__(self, ng, user, history, options=None):
        super().__init__(ng, user, [], options or {})
        self.history = history
        self.farewell = None
        self.ends = []

    async def join(self):
        await super().join()
        for chat in self.chats:
            self.history.view(self.user, chat).begin(self.last[chat])

    def note(self, chat, event):
        view = self.history.view(self.user, chat)
        view.begin(self.last[chat])
        view.message(event)
        super().note(chat, event)

    def take(self, event):
        if event['ev'] == 'gap':
            self.history.view(self.user, event['chat_id']).gap(event)
        elif event['ev'] == 'settled':
            self.history.acked(event['chat_id'], self.user, event['cid'],
                               position(event))
        elif event['ev'] == 'reconnect':
            self.farewell = event
        super().take(event)

    async def come_back(self):
        """Notes how the connection ended: (reconnect event, close code)."""
        self.ends.append((self.farewell, self.client.ws.close_code))
        self.farewell = None
        await super().come_back()

    async def say(self, chat, cid, message, timeout=60):
        """Send until it is acknowledged, and have both on record."""
        self.history.sent(chat, self.user, cid, message)
        ack = await self.send(chat, cid, message, timeout)
        self.history.acked(chat, self.user, cid,
                           position(ack) if 'seq' in ack else None)
        return ack

    async def look(self, chat):
        """Read the newest message of the chat, if that is possible now."""
        asked = self.history.now()
        ident = 'h%d' % next(self.ids)
        self.replies[ident] = asyncio.get_running_loop().create_future()
        try:
            await self.client.post({'op': 'history', 'id': ident, 'limit': 1,
                                    'chat_id': chat})
            reply = await self.replies[ident]
        except ConnectionClosed:
            reply = None
        finally:
            del self.replies[ident]
        if reply and reply['ev'] == 'history':
            self.history.read(asked, chat, reply)


class Crowd:
    """Many witnesses, each chat with some of them on every worker."""

    def __init__(self, ng, members, history):
        self.ng = ng
        self.members = members
        self.history = history
        self.chats = {}

    @classmethod
    async def gather(cls, ng, clients, chats, each=2, **options):
        """So many clients; of each worker's so many in every chat."""
        history = History()
        members = [cls.witness(ng, 'user-%d' % i, history, options)
                   for i in range(clients)]
        self = cls(ng, members, history)
        for i in range(0, clients, 20):
            await asyncio.gather(*(m.connect() for m in members[i:i + 20]))
        groups = {}
        for member, worker in zip(members, self.workers()):
            groups.setdefault(worker, []).append(member)
        names = ['chat-%d' % i for i in range(chats)]
        for group in groups.values():
            turns = itertools.cycle(group)
            for name in names * each:
                member = next(m for m in turns if name not in m.chats)
                member.chats.append(name)
                self.chats.setdefault(name, []).append(member)
        await asyncio.gather(*(m.begin() for m in members))
        return self

    @staticmethod
    def witness(ng, user, history, options):
        return Witness(ng, user, history, options)

    def workers(self):
        return workers_of(self.ng, [m.client for m in self.members])

    def spread(self):
        """For each chat the workers that its members are connected to."""
        where = dict(zip(self.members, self.workers()))
        return {chat: {where[m] for m in members}
                for chat, members in self.chats.items()}

    async def talk(self, name, rounds, pause=0):
        """Everybody says something in each of its chats, so many times."""
        async def one(member, chat):
            for i in range(rounds):
                cid = '%s-%d' % (name, i)
                await member.say(chat, cid, [chat, member.user, cid])
                await asyncio.sleep(pause)

        await asyncio.gather(*(one(member, chat)
                               for chat, members in self.chats.items()
                               for member in members))

    async def complete(self, count, timeout=60):
        """Wait until all members of all chats have so many messages."""
        for chat, members in self.chats.items():
            for member in members:
                await member.until(
                    lambda: len(member.messages[chat]) >= count, timeout)

    def judge(self, count):
        """All is as it has to be, and there are so many in each chat."""
        self.history.verify()
        for chat, members in self.chats.items():
            for member in members:
                assert len(member.messages[chat]) == count
