"""Judges what clients saw, whatever they were connected to.

    history = History()
    history.sent('room', 'ann', 'c1', 'hi')
    history.acked('room', 'ann', 'c1', (7, 1))
    view = history.view('bob', 'room')
    view.begin((7, 0))
    view.message(event)
    history.verify()

A view is what one member saw of one chat, from the position at which it
joined to the end of the test, over any number of connections: it was to see
everything in between, once and in order. Positions are pairs (epoch, seq).
"""

import collections
import itertools

Problem = collections.namedtuple('Problem', 'kind text')


def position(fields):
    return fields['epoch'], fields['seq']


class View:
    """What one member saw of one chat."""

    def __init__(self, member, chat):
        self.member = member
        self.chat = chat
        self.start = None
        self.steps = []

    def begin(self, head):
        """It joined; later calls, for a resume, change nothing."""
        if self.start is None:
            self.start = head

    def message(self, event):
        self.steps.append(('message', event))

    def gap(self, event):
        self.steps.append(('gap', event))

    def messages(self):
        return [event for kind, event in self.steps if kind == 'message']

    def __str__(self):
        return '%s in %s' % (self.member, self.chat)


class History:
    """Everything that was sent, acknowledged and seen in one run."""

    def __init__(self):
        self.sends = {}
        self.acks = []
        self.reads = []
        self.views = {}
        self.clock = itertools.count(1)

    def now(self):
        """The moment of asking, for read(): each call is a later one."""
        return next(self.clock)

    def sent(self, chat, sender, cid, message):
        """Before it is sent for the first time."""
        self.sends[(chat, sender, cid)] = message

    def acked(self, chat, sender, cid, place):
        """When the ack was read."""
        self.acks.append((self.now(), (chat, sender, cid), place))

    def read(self, asked, chat, reply):
        """A `history` reply to a question asked at that moment."""
        self.reads.append((asked, chat, position(reply['complete_to'])))

    def view(self, member, chat):
        return self.views.setdefault((member, chat), View(member, chat))

    def verify(self, gaps=False):
        """Raise what is wrong; gaps: announced holes are no fault."""
        problems = self.check(gaps)
        if problems:
            raise AssertionError('%d problems:\n%s' % (len(problems), '\n'.join(
                '%s: %s' % one for one in problems[:20])))

    def check(self, gaps=False):
        """Every problem there is.

        position  two messages at one position
        twice     a message that came or was stored more than once
        order     a message that came behind a later one
        leak      a message that nobody sent to this chat
        chain     `prev` is not the position of the message before
        hole      messages left out and no gap announced
        gap       a gap that does not stand exactly at the hole
        lost      a message that did not reach who was to see it, or nobody
        ack       an ack that names another position than the message has
        early     an ack that came before the message could be read
        """
        self.problems = []
        for chat in sorted({chat for _, chat in self.views}):
            views = [v for v in self.views.values() if v.chat == chat]
            book = self.book(chat, views)
            self.check_chain(chat, views, book)
            for view in views:
                self.check_view(view, book, gaps)
            self.check_acks(chat, book)
        return self.problems

    def wrong(self, kind, text, *args):
        self.problems.append(Problem(kind, text % args))

    def book(self, chat, views):
        """The chat as all of its members saw it together."""
        book, places = {}, {}
        for view in views:
            for event in view.messages():
                place = position(event)
                known = book.setdefault(place, event)
                key = chat, event['sender'], event['cid']
                if any(known[k] != event[k]
                       for k in ('sender', 'cid', 'message')):
                    self.wrong('position', '%s: %s is %r and %r', view, place,
                               known, event)
                elif known['prev'] != event['prev']:
                    self.wrong('chain', '%s: %s follows %s and %s', view,
                               place, known['prev'], event['prev'])
                if (event['chat_id'] != chat
                        or key not in self.sends
                        or self.sends[key] != event['message']):
                    self.wrong('leak', '%s: %r', view, event)
                elif places.setdefault(key, place) != place:
                    self.wrong('twice', '%s: %s is at %s and %s', view, key,
                               places[key], place)
        return book

    def check_chain(self, chat, views, book):
        """From the first member's beginning on, and no link is missing."""
        last = min(view.start for view in views)
        for place in sorted(book):
            prev = book[place]['prev']
            if prev is None and last[1] == 0:
                pass
            elif prev is None or position(prev) != last:
                self.wrong('chain', '%s: %s follows %s, but says %s', chat,
                           place, last, prev)
            last = place

    def check_view(self, view, book, gaps):
        last, announced, seen = view.start, None, set()
        holes = []
        for kind, event in view.steps:
            if kind == 'gap':
                after, before = (position(event[k])
                                 for k in ('after', 'before'))
                if not gaps:
                    self.wrong('gap', '%s: %r', view, event)
                if after != last or before <= after:
                    self.wrong('gap', '%s: at %s: %r', view, last, event)
                # one gap may follow another
                announced, last = before, (before[0], before[1] - 1)
                holes.append((after, before))
                continue
            place = position(event)
            if place in seen:
                self.wrong('twice', '%s: %r', view, event)
                continue
            seen.add(place)
            if announced and place < announced:
                self.wrong('gap', '%s: %r came, but the gap is up to %s',
                           view, event, announced)
            if place < last:
                self.wrong('order', '%s: %r behind %s', view, event, last)
                continue
            prev = event['prev'] and position(event['prev'])
            if prev and prev > last:
                self.wrong('hole', '%s: %s to %s', view, last, prev)
            last, announced = place, None
        missed = [place for place in sorted(book)
                  if place > view.start and place not in seen
                  and not any(a < place < b for a, b in holes)]
        for place in missed:
            self.wrong('lost', '%s: %r', view, book[place])

    def check_acks(self, chat, book):
        places = {(chat, e['sender'], e['cid']): place
                  for place, e in book.items()}
        begin = min(v.start for v in self.views.values() if v.chat == chat)
        reads = [(asked, to) for asked, of, to in self.reads if of == chat]
        for when, key, place in self.acks:
            if key[0] != chat:
                continue
            if key not in places:
                if place > begin:
                    self.wrong('lost', '%s was acknowledged at %s', key, place)
            elif places[key] != place:
                self.wrong('ack', '%s is at %s, its ack says %s', key,
                           places[key], place)
            for asked, to in reads:
                if when < asked and to < place:
                    self.wrong('early', '%s: its ack said %s, but history '
                               'ended at %s', key, place, to)
