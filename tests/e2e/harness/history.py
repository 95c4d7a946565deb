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

What the store has can be told, too: dump() at any time, at last at the end.
Then all that is in the last dump was to be seen, and what was acknowledged is
to be in it, unless loss() told that the store forgot something after it was
sent. copy() tells what another store has of it.
"""

import collections
import itertools
import json

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

    def reset(self, head):
        """It was told that what is missing up to this head is unknown."""
        self.steps.append(('reset', head))

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
        self.begun = {}
        self.dumps = {}
        self.copies = []
        self.lost = 0
        self.clock = itertools.count(1)

    def now(self):
        """The moment of asking, for read(): each call is a later one."""
        return next(self.clock)

    def sent(self, chat, sender, cid, message):
        """Before it is sent for the first time."""
        self.sends[(chat, sender, cid)] = message
        self.begun.setdefault((chat, sender, cid), self.now())

    def acked(self, chat, sender, cid, place):
        """When the ack was read; place: None where it names no position."""
        self.acks.append((self.now(), (chat, sender, cid), place))

    def read(self, asked, chat, reply):
        """A `history` reply to a question asked at that moment."""
        self.reads.append((asked, chat, position(reply['complete_to'])))

    def dump(self, chat, entries):
        """What the store has now, entries as Redis.stream() gives them."""
        self.dumps.setdefault(chat, []).append(
            {e.position: e for e in entries})

    def copy(self, chat, name, entries, whole=True):
        """Another store has these; not whole: the end of the chat will do."""
        self.copies.append((chat, name, list(entries), whole))

    def loss(self):
        """The store just lost data: any of what was sent before."""
        self.lost = self.now()

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
        store     what was acknowledged is not in the store, or elsewhere
        gap       a gap that does not stand exactly at the hole
        lost      a message that did not reach who was to see it, or nobody
        ack       an ack that names another position than the message has
        early     an ack that came before the message could be read
        time      a message before one that was acknowledged when it was sent
        copy      another store has something else than the last dump
        """
        self.problems = []
        for chat in sorted({chat for _, chat in self.views}):
            views = [v for v in self.views.values() if v.chat == chat]
            book = self.book(chat, views)
            self.check_places(chat, book)
            self.check_chain(chat, views, book)
            for view in views:
                self.check_view(view, book, gaps)
            self.check_acks(chat, book)
            self.check_time(chat, book)
        for copy in self.copies:
            self.check_copy(*copy)
        return self.problems

    def wrong(self, kind, text, *args):
        self.problems.append(Problem(kind, text % args))

    def gone(self, chat, place, key):
        """The store may have lost, and has lost, this message."""
        return (chat in self.dumps
                and place not in self.dumps[chat][-1]
                and self.begun.get(key, 0) < self.lost)

    def book(self, chat, views):
        """The chat as its members saw it together, and as it was stored."""
        book = {}
        for dump in self.dumps.get(chat, []):
            for place, entry in dump.items():
                event = self.stored(chat, entry)
                self.check_event(chat, 'the store', place, event,
                                 book.setdefault(place, event))
        for view in views:
            for event in view.messages():
                place = position(event)
                known = book.setdefault(place, event)
                self.check_event(chat, view, place, event, known)
                if 'prev' not in known:
                    known['prev'] = event['prev']
                elif 'prev' in event and known['prev'] != event['prev']:
                    self.wrong('chain', '%s: %s follows %s and %s', view,
                               place, known['prev'], event['prev'])
        return book

    def stored(self, chat, entry):
        """An entry as an event; only the first of an epoch tells its prev."""
        event = {'chat_id': chat, 'sender': entry.sender, 'cid': entry.cid,
                 'message': json.loads(entry.message)}
        if entry.prev and entry.prev[1]:
            event['prev'] = dict(zip(('epoch', 'seq'), entry.prev))
        elif entry.position[1] == 1:
            event['prev'] = None
        return event

    def check_event(self, chat, view, place, event, known):
        key = chat, event['sender'], event['cid']
        if any(known[k] != event[k] for k in ('sender', 'cid', 'message')):
            self.wrong('position', '%s: %s is %r and %r', view, place, known,
                       event)
        if (event['chat_id'] != chat or key not in self.sends
                or self.sends[key] != event['message']):
            self.wrong('leak', '%s: %r', view, event)

    def check_places(self, chat, book):
        """Each message has one place, but for those that were lost."""
        places = {}
        for place in sorted(book):
            key = chat, book[place]['sender'], book[place]['cid']
            if key in places and not self.gone(chat, places[key], key):
                self.wrong('twice', '%s: %s is at %s and %s', chat, key,
                           places[key], place)
            places[key] = place

    def check_chain(self, chat, views, book):
        """From the first member's beginning on, and no link is missing."""
        begin = min(view.start for view in views)
        last = begin
        lasts = {begin, None} if begin[1] == 0 or self.lost else {begin}
        for place in sorted(p for p in book if p > begin):
            event = book[place]
            prev = event.get('prev') and position(event['prev'])
            if 'prev' in event and prev not in lasts and not (
                    # what nobody saw, and is lost
                    self.lost and prev and prev > last):
                self.wrong('chain', '%s: %s follows %s, but says %s', chat,
                           place, last, prev)
            if not self.gone(chat, place, (chat, event['sender'],
                                           event['cid'])):
                # who follows something lost may name what is before it
                lasts = set()
            lasts.add(place)
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
            if kind == 'reset':
                announced = event[0], event[1] + 1
                holes.append((last, announced))
                last = max(last, event)
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
                  and not any(a < place < b for a, b in holes)
                  and not self.gone(view.chat, place, (
                      view.chat, book[place]['sender'], book[place]['cid']))]
        for place in missed:
            self.wrong('lost', '%s: %r', view, book[place])

    def check_acks(self, chat, book):
        places = {(chat, e['sender'], e['cid']): place
                  for place, e in sorted(book.items())}
        begin = min(v.start for v in self.views.values() if v.chat == chat)
        reads = [(asked, to) for asked, of, to in self.reads if of == chat]
        owners = {place: (chat, e['sender'], e['cid'])
                  for place, e in book.items()}
        for when, key, place in self.acks:
            if key[0] != chat:
                continue
            if place is None:
                self.check_stored(key, places)
                continue
            if owners.setdefault(place, key) != key:
                self.wrong('position', '%s: %s was acknowledged to %s and %s',
                           chat, place, owners[place], key)
            if self.gone(chat, place, key):
                continue
            if chat in self.dumps and place not in self.dumps[chat][-1]:
                self.wrong('store', '%s was acknowledged at %s', key, place)
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

    def check_stored(self, key, places):
        """It was acknowledged without a position: it has one."""
        place, dumps = places.get(key), self.dumps.get(key[0])
        if place is None:
            self.wrong('lost', '%s was acknowledged', key)
        elif dumps and place not in dumps[-1] and not self.gone(
                key[0], place, key):
            self.wrong('store', '%s was acknowledged', key)

    def check_time(self, chat, book):
        """What is sent after an ack comes behind what was acknowledged."""
        places = {(chat, e['sender'], e['cid']): place
                  for place, e in sorted(book.items(), reverse=True)}
        moments = [(when, 'acked', key, place or places.get(key))
                   for when, key, place in self.acks if key[0] == chat]
        moments += [(when, 'sent', key, places.get(key))
                    for key, when in self.begun.items() if key[0] == chat]
        last = None
        for _, what, key, place in sorted(moments, key=lambda one: one[0]):
            if place is None:
                continue
            if what == 'acked':
                last = place if last is None else max(last, place)
            elif last is not None and place < last:
                self.wrong('time', '%s is at %s, but %s was acknowledged '
                           'before it was sent', key, place, last)

    def check_copy(self, chat, name, entries, whole):
        def told(entry):
            return (entry.position, entry.sender, entry.cid,
                    json.loads(entry.message))

        wanted = [told(entry) for _, entry in
                  sorted(self.dumps[chat][-1].items())]
        found = [told(entry) for entry in entries]
        if not whole:
            wanted = wanted[len(wanted) - len(found):]
        if found != wanted:
            odd = [one for pair in itertools.zip_longest(found, wanted)
                   if pair[0] != pair[1] for one in pair][:4]
            self.wrong('copy', '%s in %s: %d messages, not %d: %s', chat, name,
                       len(found), len(wanted), odd)
