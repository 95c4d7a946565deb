"""The judge of histories finds each kind of fault that is planted."""

import copy
import json

import pytest

from harness.history import History
from harness.redis import Entry

CHATS = ['red', 'blue']
USERS = ['ann', 'bob', 'cat']
EPOCH = 1700000000000


def clean():
    """Three members of two chats, twelve messages each; one comes late."""
    history = History()
    for chat in CHATS:
        last = None
        for i in range(12):
            seq = 2 * i + 1
            sender = USERS[i % 2]
            event = {'ev': 'message', 'chat_id': chat, 'epoch': EPOCH,
                     'seq': seq, 'sender': sender, 'cid': 'c%d' % i,
                     'prev': last, 'message': [chat, i]}
            last = {'epoch': EPOCH, 'seq': seq}
            for user in USERS:
                view = history.view(user, chat)
                if user == 'cat' and i < 4:
                    continue
                view.begin((EPOCH, seq - 2 if i else 0))
                view.message(copy.deepcopy(event))
            history.sent(chat, sender, event['cid'], event['message'])
            history.acked(chat, sender, event['cid'], (EPOCH, seq))
            history.read(history.now(), chat, {'complete_to': last})
    return history


def gap(after, before):
    return 'gap', {'ev': 'gap', 'chat_id': 'red', 'reason': 'slow',
                   'after': {'epoch': EPOCH, 'seq': after},
                   'before': {'epoch': EPOCH, 'seq': before}}


def steps(history, user='bob'):
    return history.views[user, 'red'].steps


def everywhere(history, number):
    """This message of the chat, as each member saw it."""
    return [event for (_, chat), view in history.views.items()
            if chat == 'red' for event in view.messages()
            if event['message'] == ['red', number]]


def drop(history):
    del steps(history)[5]


def head_drop(history):
    del steps(history, 'cat')[0]


def tail_drop(history):
    del steps(history)[-2:]


def drop_for_all(history):
    for user in USERS:
        view = history.views[user, 'red']
        view.steps = [s for s in view.steps if s[1]['message'][1] != 6]


def tail_drop_for_all(history):
    for user in USERS:
        del steps(history, user)[-1]


def duplicate(history):
    steps(history).insert(7, copy.deepcopy(steps(history)[6]))


def late_duplicate(history):
    steps(history).append(copy.deepcopy(steps(history)[2]))


def stored_twice(history):
    for event in everywhere(history, 8):
        event.update(sender='ann', cid='c6', message=['red', 6])


def reorder(history):
    s = steps(history)
    s[5], s[6] = s[6], s[5]


def other_order(history):
    """In order by position, but not the order of the others."""
    a, b = (copy.deepcopy(steps(history)[i][1]) for i in (4, 5))
    for event, other in ((steps(history)[4][1], b), (steps(history)[5][1], a)):
        event.update({k: other[k] for k in ('sender', 'cid', 'message')})


def reuse(history):
    """An unknown message at the position of another."""
    history.sent('red', 'ann', 'new', 'new')
    steps(history, 'cat')[3][1].update(sender='ann', cid='new', message='new')


def leak(history):
    event = copy.deepcopy(history.views['bob', 'blue'].messages()[6])
    steps(history)[6] = 'message', event


def altered(history):
    for event in everywhere(history, 8):
        event['message'] = ['red', 'other']


def early_ack(history):
    """The ack is out, the message not yet stored."""
    when, key, place = history.acks[5]
    asked, chat, _ = history.reads[5]
    history.reads[5] = asked, chat, (EPOCH, place[1] - 2)


def ack_of_nothing(history):
    history.sent('red', 'ann', 'new', 'new')
    history.acked('red', 'ann', 'new', (EPOCH, 99))


def wrong_ack(history):
    when, key, (epoch, seq) = history.acks[5]
    history.acks[5] = when, key, (epoch, seq + 2)


def acked_twice(history):
    """A repeated cid was stored again: two acks, two positions."""
    when, key, (epoch, seq) = history.acks[5]
    history.acks.append((history.now(), key, (epoch, seq + 4)))


def silent_gap(history):
    del steps(history)[4:7]


def silent_prev(history):
    """One member is told of a chain that hides what it missed."""
    s = steps(history)
    s[7][1]['prev'] = s[3][1]['prev']
    del s[4:7]


def broken_chain(history):
    for event in everywhere(history, 6):
        event['prev'] = {'epoch': EPOCH, 'seq': 7}


def chain_from_nothing(history):
    for event in everywhere(history, 6):
        event['prev'] = None


def ack_without_a_place(history):
    """Durable chats: the ack promises a position, and there is none."""
    history.sent('red', 'ann', 'new', 'new')
    history.acked('red', 'ann', 'new', None)


def overtaken(history):
    """What was acknowledged first stands behind what was sent later."""
    first, later = everywhere(history, 5), everywhere(history, 7)
    for events, i in (first, 7), (later, 5):
        for event in events:
            event.update(cid='c%d' % i, message=['red', i])
    history.acks = [(when, key, None) for when, key, _ in history.acks]


def gap_too_early(history):
    s = steps(history)
    s[4:7] = []
    s.insert(3, gap(5, 13))


def gap_too_small(history):
    s = steps(history)
    s[4:7] = [gap(7, 11)]


def gap_too_large(history):
    s = steps(history)
    s[4:7] = [gap(7, 17)]


FAULTS = [
    (drop, 'lost hole'), (head_drop, 'lost'), (tail_drop, 'lost'),
    (drop_for_all, 'lost chain'), (tail_drop_for_all, 'lost'),
    (duplicate, 'twice'), (late_duplicate, 'twice'), (stored_twice, 'twice'),
    (reorder, 'order'), (other_order, 'position'), (reuse, 'position'),
    (leak, 'leak'), (altered, 'leak'), (early_ack, 'early'),
    (ack_of_nothing, 'lost'), (ack_without_a_place, 'lost'),
    (overtaken, 'time'), (wrong_ack, 'ack'), (acked_twice, 'ack'),
    (silent_gap, 'lost hole'), (silent_prev, 'lost chain'),
    (broken_chain, 'chain'), (chain_from_nothing, 'chain'),
    (gap_too_early, 'gap'), (gap_too_small, 'lost'), (gap_too_large, 'gap'),
]


@pytest.mark.once
def test_a_clean_history_passes():
    assert clean().check() == []
    clean().verify()


@pytest.mark.once
@pytest.mark.parametrize('fault,kinds', FAULTS,
                         ids=[fault.__name__ for fault, _ in FAULTS])
def test_a_fault_is_found(fault, kinds):
    history = clean()
    fault(history)
    found = {problem.kind for problem in history.check(gaps=True)}
    assert set(kinds.split()) <= found
    with pytest.raises(AssertionError):
        history.verify(gaps=True)


@pytest.mark.once
def test_an_announced_gap_is_a_fault_only_where_none_may_be():
    history = clean()
    s = steps(history)
    s[4:7] = [gap(7, 14)]
    assert history.check(gaps=True) == []
    assert {problem.kind for problem in history.check()} == {'gap'}


def dump(history, *without):
    """The store has what ann saw, but for these in the chat `red`."""
    for chat in CHATS:
        history.dump(chat, [
            Entry((e['epoch'], e['seq']), None, e['sender'], e['cid'],
                  json.dumps(e['message']))
            for e in history.views['ann', chat].messages()
            if chat != 'red' or e['message'][1] not in without])


def not_stored(history):
    dump(history, 6)


def stored_elsewhere(history):
    """The store has at a position what was never shown there."""
    dump(history)
    entries = history.dumps['red'][-1]
    a, b = (EPOCH, 11), (EPOCH, 13)
    entries[a], entries[b] = (
        entries[b]._replace(position=a), entries[a]._replace(position=b))


def stored_but_not_shown(history):
    dump(history)
    tail_drop_for_all(history)


def stored_once_more(history):
    dump(history)
    entries = history.dumps['red'][-1]
    entries[EPOCH, 99] = entries[EPOCH, 11]._replace(position=(EPOCH, 99))


def used_before(history):
    """An earlier dump had another message at a position."""
    dump(history)
    dump(history)
    entries = history.dumps['red'][0]
    entries[EPOCH, 11] = entries[EPOCH, 11]._replace(cid='c6')


def acked_at_one_place(history):
    """Two messages that nobody saw were acknowledged at one position."""
    for cid in ('x', 'y'):
        history.sent('red', 'ann', cid, cid)
        history.acked('red', 'ann', cid, (EPOCH, 99))
    history.loss()
    dump(history)


def lost_after_the_loss(history):
    history.loss()
    history.begun['red', 'ann', 'c6'] = history.now()
    dump(history, 6)


def shown_to_some_though_stored(history):
    """A loss excuses nothing that is still there."""
    del steps(history)[5]
    history.loss()
    dump(history)


def reset_too_small(history):
    """What came after a hopeless resume leaves out more than was told."""
    dump(history)
    s = steps(history)
    s[4:7] = [('reset', (EPOCH, 11))]


def reset_and_shown(history):
    s = steps(history)
    s.insert(4, ('reset', (EPOCH, 13)))
    dump(history)


def acked_but_not_kept(history):
    """As durable chats acknowledge: without a position."""
    when, key, _ = history.acks[6]
    history.acks[6] = when, key, None
    dump(history, 6)


def copied(history, *without):
    dump(history)
    history.copy('red', 'archive', [
        entry for entry in history.dumps['red'][-1].values()
        if entry.cid not in without])


def not_copied(history):
    copied(history, 'c6')


def end_not_copied(history):
    copied(history, 'c11')


def copied_elsewhere(history):
    copied(history)
    chat, name, entries, whole = history.copies[0]
    entries[6] = entries[6]._replace(position=(EPOCH, 14))


def copied_twice(history):
    copied(history)
    entries = history.copies[0][2]
    entries.insert(7, entries[6])


def hole_in_the_end(history):
    copied(history, 'c0', 'c1', 'c6')
    history.copies[0] = (*history.copies[0][:3], False)


DUMP_FAULTS = [
    (acked_but_not_kept, 'store'), (not_copied, 'copy'),
    (end_not_copied, 'copy'), (copied_elsewhere, 'copy'),
    (copied_twice, 'copy'), (hole_in_the_end, 'copy'),
    (not_stored, 'store'), (stored_elsewhere, 'position'),
    (stored_but_not_shown, 'lost'), (stored_once_more, 'twice'),
    (used_before, 'position'), (acked_at_one_place, 'position'),
    (lost_after_the_loss, 'store'), (shown_to_some_though_stored, 'lost'),
    (reset_too_small, 'lost hole'), (reset_and_shown, 'gap'),
]


@pytest.mark.once
def test_a_clean_history_agrees_with_the_store():
    history = clean()
    copied(history)
    entries = history.copies[0][2]
    history.copy('red', 'cache', entries[5:], whole=False)
    history.acks = [(when, key, None) for when, key, _ in history.acks]
    assert history.check() == []


@pytest.mark.once
@pytest.mark.parametrize('fault,kinds', DUMP_FAULTS,
                         ids=[fault.__name__ for fault, _ in DUMP_FAULTS])
def test_a_fault_of_the_store_is_found(fault, kinds):
    history = clean()
    fault(history)
    found = {problem.kind for problem in history.check(gaps=True)}
    assert set(kinds.split()) <= found, history.problems


@pytest.mark.once
def test_what_a_store_lost_may_be_missing():
    """Lost by a fail-over: shown to some, gone, one of it sent again."""
    history = clean()
    dump(history)
    for user in ('bob', 'cat'):
        del steps(history, user)[-2:]
    last = {'epoch': EPOCH, 'seq': 19}
    history.loss()
    dump(history, 10, 11)
    later = EPOCH + 1
    event = {'ev': 'message', 'chat_id': 'red', 'epoch': later, 'seq': 1,
             'sender': 'bob', 'cid': 'c11', 'prev': last,
             'message': ['red', 11]}
    for user in USERS:
        history.view(user, 'red').message(event)
    history.dumps['red'][-1][later, 1] = Entry(
        (later, 1), (EPOCH, 19), 'bob', 'c11', '["red", 11]')
    assert history.check() == []


@pytest.mark.once
def test_an_announced_reset_is_no_hole():
    history = clean()
    s = steps(history)
    s[4:7] = [('reset', (EPOCH, 13))]
    dump(history)
    assert history.check() == []
