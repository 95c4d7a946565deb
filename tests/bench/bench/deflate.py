"""What compression costs, and what it saves."""

import json
import random
import tempfile

from .case import Target
from .fan import Fan, one_chat, thousands
from .server import NchanDeflate, Ours, OursPlain

WORDS = '''the of and to in is you that it he was for on are as with his they
I at be this have from or one had by word but not what all were we when your
can said there use an each which she do how their if will up other about out
many then them these so some her would make like him into time has look two
more write go see number no way could people my than first water been call who
oil its now find long down day did get come made may part over new sound take
only little work know place year live me back give most very after thing our
just name good sentence man think say great where help through much before
line right too mean old any same tell boy follow came want show also around
form three small set put end does another well large must big even such because
turn here why ask went men read need land different home us move try kind hand
picture again change off play spell air away animal house point page letter
mother answer found study still learn should America world tomorrow meeting
release deploy ticket customer invoice review branch server thanks sorry great
lunch coffee weekend photo'''.split()

NAMES = ('ann', 'bob', 'carla', 'dmitri', 'elif', 'fatou', 'goran', 'hana',
         'ines', 'jun', 'katya', 'luis', 'mei', 'noor', 'oscar', 'priya')


class Deflate(Fan):
    """One who says different things, as people and programs do."""

    peers = (Ours, OursPlain, NchanDeflate)
    rate = 50
    seconds = (1, 1.2, 5), (0.4, 0.1, 30)
    columns = (
        ('cpu_us', 'CPU us/delivery', '%.2f'),
        ('wire', 'octets/delivery', '%.0f'),
        ('cpu_share', 'CPU busy', '%.0f %%'),
        ('p50', 'p50 ms', '%.2f'),
        ('p99', 'p99 ms', '%.2f'),
        ('missing', 'missing', '%d'),
        ('others', 'other load', '%.2f'),
    )

    def __init__(self):
        super().__init__()
        self.title = '%s, %s messages a second of %s' % (
            one_chat(self.members), thousands(self.rate), self.what)

    def run_round(self, peer, quick):
        with tempfile.NamedTemporaryFile('w', prefix='wsc-bench.') as file:
            file.write(lines(self.message))
            file.flush()
            self.options = ('--lines', file.name, *peer.lines,
                            *(['--deflate'] if peer.deflates else []))
            return super().run_round(peer, quick)


class Deflate1k(Deflate):
    name = 'deflate-1k'
    rows = (
        ('1 x 1,000, 50/s of 1 KB JSON, compressed: CPU us', 'cpu_us',
         '{:.2f}'),
        ('octets on the wire', 'wire', '{:,.0f}'),
        ('the same, not compressed: CPU us', 'cpu_us', '{:.2f}',
         OursPlain.name),
        ('octets on the wire', 'wire', '{:,.0f}', OursPlain.name))
    what = '1 KB of JSON (a list of records)'
    targets = (Target('cpu_us', 1.2, OursPlain.name),
               Target('wire', 0.4, OursPlain.name))

    @staticmethod
    def message(rng):
        """Of a program: records, as many as there is room for."""
        cards = []
        while len(json.dumps(cards)) < 950:
            cards.append({
                'id': rng.randrange(10 ** 6),
                'title': text(rng, rng.randrange(20, 45)),
                'assignee': rng.choice(NAMES),
                'state': rng.choice(('open', 'doing', 'done')),
                'votes': rng.randrange(20),
                'due': '2026-%02d-%02d' % (rng.randrange(1, 13),
                                           rng.randrange(1, 29))})
        return {'board': rng.randrange(1000), 'cards': cards}


class DeflateChat(Deflate):
    name = 'deflate-chat'
    rows = (
        ('100 to 300 octets, compressed: CPU us', 'cpu_us', '{:.2f}'),
        ('octets on the wire', 'wire', '{:,.0f}'),
        ('the same, not compressed: CPU us', 'cpu_us', '{:.2f}',
         OursPlain.name),
        ('octets on the wire', 'wire', '{:,.0f}', OursPlain.name))
    what = '100 to 300 octets of chat'
    targets = ()

    @staticmethod
    def message(rng):
        """Of a person."""
        return {'type': 'text', 'text': text(rng, rng.randrange(60, 250))}


def text(rng, size):
    """So many octets of words, the first of the list more often."""
    words = []
    while sum(map(len, words)) + len(words) < size:
        words.append(WORDS[int(len(WORDS) * rng.random() ** 2)])
    return ' '.join(words)[:size]


def lines(message, count=1000, seed=1):
    """Different messages, the same ones in each run."""
    rng = random.Random(seed)
    return ''.join(json.dumps(message(rng), separators=(',', ':')) + '\n'
                   for _ in range(count))
