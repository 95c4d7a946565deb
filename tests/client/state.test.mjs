import assert from 'node:assert/strict';
import {test} from 'node:test';

import {at, message, start} from './fake.mjs';


/* What the client sent that changes state. */
function told(world, op) {
    return world.taken().filter((c) => c.op === op)
                .map(({id, ...command}) => command);
}


test('join reply: all of the state is there at once', async () => {
    const world = start();
    const room = await world.session(5, {
        unread: 3, typing: ['bob', 'ada'],
        presence: {count: 120, users: [{user: 'bob', conns: 2,
                                        info: {color: 'red'}}]},
        marks: {bob: {delivered: at(5), read: at(2)}},
        signals: {poll: {sender: 'bob', data: [1, 2]}},
    });

    assert.equal(room.unread, 3);
    assert.deepEqual(room.typing, ['bob']);
    assert.equal(room.presence.count, 120);
    assert.deepEqual(room.presence.users.get('bob').info, {color: 'red'});
    assert.deepEqual(room.marks.get('bob'), {delivered: at(5), read: at(2)});
    assert.deepEqual(room.signals.get('poll').data, [1, 2]);
});


test('presence: who comes, who goes, told with the room', async () => {
    const world = start();
    const room = await world.session(0, {
        presence: {count: 1, users: [{user: 'bob', conns: 1},
                                     {user: 'eve', conns: 2, info: 'x'}]}});

    await world.tell({ev: 'presence', chat_id: 'a', count: 2, leave: ['bob'],
                      join: ['eve', {user: 'max'}]});
    assert.deepEqual([...room.presence.users.keys()], ['eve', 'max']);
    assert.equal(room.presence.count, 2);
    assert.equal(room.presence.users.get('eve').info, 'x');
    assert.equal(world.named('presence')[0].room, room);
});


test('presence: after a cut the reply replaces what was known', async () => {
    const world = start();
    const room = await world.session(0, {
        presence: {count: 1, users: [{user: 'bob', conns: 1}]}});

    await world.again();
    await world.joined({presence: {count: 1, users: [{user: 'eve'}]}});
    assert.deepEqual([...room.presence.users.keys()], ['eve']);
});


test('typing of others: on, off, expired, ended by a message', async () => {
    const world = start();
    const room = await world.session(0);
    const typing = (sender, on) => world.tell({ev: 'typing', chat_id: 'a',
                                               sender, on});

    await typing('bob', true);
    await typing('eve', true);
    await typing('ada', true);
    assert.deepEqual(room.typing, ['bob', 'eve']);
    await typing('bob', false);
    assert.deepEqual(room.typing, ['eve']);
    await world.clock.pass(20000);
    await typing('eve', true);

    for (let n = 0; n < 2; n++) {
        await world.clock.pass(20000);
        await world.tell({ev: 'pong', id: 'ping'});
    }

    await world.clock.pass(19999);
    assert.deepEqual(room.typing, ['eve']);
    await world.clock.pass(1);
    assert.deepEqual(room.typing, []);
    assert.deepEqual([world.named('typing').at(-1).sender,
                      world.named('typing').at(-1).on], ['eve', false]);
    await typing('bob', true);
    await world.tell(message(1));
    assert.deepEqual(room.typing, []);
});


test('typing of others: a cut ends it', async () => {
    const world = start();
    const room = await world.session(0);

    await world.tell({ev: 'typing', chat_id: 'a', sender: 'bob', on: true});
    await world.lose();
    assert.deepEqual(room.typing, []);
});


test('typing(): said now and then, taken back once', async () => {
    const world = start();

    await world.session(0);
    world.chat.typing('a', false);
    world.chat.typing('a');
    world.chat.typing('a');
    assert.deepEqual(told(world, 'typing'),
                     [{op: 'typing', on: true, chat_id: 'a'}]);
    await world.clock.pass(2499);
    world.chat.typing('a');
    assert.deepEqual(told(world, 'typing'), []);
    await world.clock.pass(1);
    world.chat.typing('a');
    assert.equal(told(world, 'typing').length, 1);
    world.chat.typing('a', false);
    world.chat.typing('a', false);
    assert.deepEqual(told(world, 'typing').map((c) => c.on), [false]);
});


test('typing(): a message ends it; offline it is not kept', async () => {
    const world = start();

    await world.session(0);
    world.chat.typing('a');
    world.taken();
    world.chat.send('a', 'done');
    assert.deepEqual(world.taken().map((c) => [c.op, c.on]),
                     [['typing', false], ['send', undefined]]);
    await world.lose();
    world.chat.typing('a');
    await world.clock.pass(500);
    await world.welcome();
    await world.joined();
    assert.deepEqual(told(world, 'typing'), []);
    world.chat.typing('nowhere');
});


test('marks of others: never back, whatever comes', async () => {
    const world = start();
    const room = await world.session(0);
    const mark = (more) => world.tell({ev: 'mark', chat_id: 'a',
                                       sender: 'bob', ...more});

    await mark({delivered: at(5)});
    await mark({read: at(3)});
    await mark({delivered: at(4), read: at(2)});
    assert.deepEqual(room.marks.get('bob'), {delivered: at(5), read: at(3)});
    await mark({delivered: at(1, 2)});
    assert.deepEqual(room.marks.get('bob').delivered, at(1, 2));
    assert.equal(world.named('mark').length, 4);
});


test('receipts(): whom a message reached, without its sender', async () => {
    const world = start();
    const room = await world.session(0, {marks: {
        ada: {delivered: at(9), read: at(9)},
        bob: {delivered: at(4), read: at(2)},
        eve: {delivered: at(3)},
    }});

    assert.deepEqual(room.receipts(message(2, {sender: 'ada'})),
                     {delivered: ['bob', 'eve'], read: ['bob']});
    assert.deepEqual(room.receipts(message(4, {sender: 'ada'})),
                     {delivered: ['bob'], read: []});
});


test('mark(): coalesced, only forward', async () => {
    const world = start();

    await world.session(9, {marks: {ada: {delivered: at(2), read: at(1)}}});
    world.chat.mark('a', {delivered: at(2)});
    await world.clock.pass(250);
    assert.deepEqual(told(world, 'mark'), []);
    world.chat.mark('a', {delivered: at(4)});
    world.chat.mark('a', {delivered: at(6), read: message(5)});
    world.chat.mark('a', {delivered: at(5)});
    await world.clock.pass(249);
    assert.deepEqual(told(world, 'mark'), []);
    await world.clock.pass(1);
    assert.deepEqual(told(world, 'mark'), [
        {op: 'mark', delivered: at(6), read: at(5), chat_id: 'a'}]);
    world.chat.mark('a', {read: at(5), delivered: at(1)});
    await world.clock.pass(1000);
    assert.deepEqual(told(world, 'mark'), []);
});


test('mark(): what a cut took goes again; refused for now, too', async () => {
    const world = start();

    await world.session(9);
    world.chat.mark('a', {read: at(4)});
    await world.clock.pass(250);
    assert.equal(told(world, 'mark').length, 1);
    await world.lose();
    world.chat.mark('a', {delivered: at(9)});
    await world.clock.pass(500);
    await world.welcome();
    await world.joined({head: at(9)});
    await world.clock.pass(250);
    await world.tell({ev: 'error', id: world.socket.sent[0].id,
                      code: 'overloaded', retry_ms: 900});
    assert.equal(told(world, 'mark').length, 1);
    await world.clock.pass(899);
    assert.equal(told(world, 'mark').length, 0);
    await world.clock.pass(1);
    assert.deepEqual(told(world, 'mark'), [
        {op: 'mark', delivered: at(9), read: at(4), chat_id: 'a'}]);
});


test('receipts: true tells that messages of others came', async () => {
    const world = start({receipts: true});

    await world.session(2, {messages: [message(1), message(2)]});
    await world.tell(message(3, {sender: 'ada'}));
    await world.clock.pass(250);
    assert.deepEqual(told(world, 'mark').map((c) => c.delivered), [at(2)]);
    await world.tell(message(4));
    await world.tell(message(5));
    await world.clock.pass(250);
    assert.deepEqual(told(world, 'mark').map((c) => c.delivered), [at(5)]);
});


test('unread: what the server counts, and what comes behind', async () => {
    const world = start();
    const room = await world.session(2, {
        unread: 1, messages: [message(1), message(2)]});

    await world.tell(message(3));
    await world.tell(message(4, {sender: 'ada'}));
    await world.tell(message(5));
    assert.equal(room.unread, 3);
    world.chat.mark('a', {read: at(3)});
    assert.equal(room.unread, 1);
    room.markRead();
    assert.equal(room.unread, 0);
    await world.tell(message(6));
    assert.equal(room.unread, 1);
    await world.tell({ev: 'mark', chat_id: 'a', sender: 'ada', read: at(6)});
    assert.equal(room.unread, 0);
});


test('unread: what a resume brings is counted once', async () => {
    for (const unread of [3, undefined]) {
        const world = start();
        const room = await world.session(0);

        await world.tell(message(1));
        await world.again();
        await world.joined({unread, head: at(3),
                            messages: [message(2), message(3)]});
        assert.equal(room.unread, 3);
    }
});


test('signal(): data past the history; the latest are known', async () => {
    const world = start();
    const room = await world.session(0);
    const signal = world.chat.signal('a', 'car', {lat: 1}, {keep: true});

    assert.deepEqual(
        await world.answer('signal', {ev: 'ok'}),
        {op: 'signal', chat_id: 'a', name: 'car', data: {lat: 1}, keep: true,
         id: world.chat.welcome && 2});
    await signal;
    await world.tell({ev: 'signal', chat_id: 'a', sender: 'bob', name: 'car',
                      data: {lat: 2}});
    assert.deepEqual(room.signals.get('car'),
                     {sender: 'bob', data: {lat: 2}});
    assert.deepEqual(world.named('signal')[0].data, {lat: 2});

    for (let n = 0; n < 1200; n++) {
        await world.tell({ev: 'signal', chat_id: 'a', sender: 'bob',
                          name: `n${n}`, data: n});
    }

    assert.equal(room.signals.size, 1000);
    assert.equal(room.signals.get('n1199').data, 1199);
    await world.tell({ev: 'signal', chat_id: 'a', sender: 'bob',
                      name: 'n1199', data: null});
    assert.ok(!room.signals.has('n1199'));
});


test('presence(), history(): pages', async () => {
    const world = start();

    await world.session(0);
    const people = world.chat.presence('a', {offset: 100});
    const asked = await world.answer('presence', {
        ev: 'presence_page', count: 101, users: [{user: 'z'}], more: false});

    assert.deepEqual([asked.offset, asked.limit], [100, 100]);
    assert.equal((await people).users[0].user, 'z');

    const page = world.chat.history('a', {before: at(9), limit: 5});
    const wanted = await world.answer('history', {
        ev: 'history', messages: [message(8)], more: true});

    assert.deepEqual([wanted.before, wanted.limit], [at(9), 5]);
    assert.equal((await page).messages[0].seq, 8);
});


test('edit(), retract(): asked for, and seen by everybody', async () => {
    const world = start();
    const room = await world.session(3, {
        messages: [message(1), message(2), message(3)]});
    const edit = world.chat.edit('a', room.messages[0], 'better');
    const asked = await world.answer('edit', {ev: 'ack'});

    assert.deepEqual({...asked, id: 0}, {op: 'edit', chat_id: 'a', id: 0,
                                         ...at(1), message: 'better'});
    await edit;
    world.chat.retract('a', room.messages[1]);
    assert.equal((await world.answer('retract', {ev: 'ack'})).seq, 2);
    await world.tell({ev: 'update', chat_id: 'a', ...at(1),
                      message: 'better'});
    await world.tell({ev: 'update', chat_id: 'a', ...at(2), retracted: true});
    await world.tell({ev: 'update', chat_id: 'a', ...at(99),
                      retracted: true});
    assert.deepEqual(room.messages.map((m) => m.message),
                     ['better', undefined, 'text 3']);
    assert.ok(room.messages[0].edited && room.messages[1].retracted);
    assert.equal(world.named('update').length, 3);
});


test('what was changed during a cut comes with the join', async () => {
    const world = start();
    const room = await world.session(2, {messages: [message(1), message(2)]});

    await world.again();
    await world.joined({
        head: at(3), messages: [{...message(3), edited: true}],
        updates: [{ev: 'update', chat_id: 'a', ...at(1), message: 'better'},
                  {ev: 'update', chat_id: 'a', ...at(2), retracted: true}]});
    assert.deepEqual(room.messages.map((m) => m.message),
                     ['better', undefined, 'text 3']);
    assert.ok(room.messages[0].edited && room.messages[1].retracted);
    assert.equal(world.named('update').length, 2);
});


test('an update reaches a message that waits behind a hole', async () => {
    const world = start();
    const room = await world.session(2);

    await world.tell(message(5));
    await world.tell({ev: 'update', chat_id: 'a', ...at(5), message: 'new'});
    await world.answer('history', {ev: 'history', more: false,
                                   messages: [message(3), message(4)]});
    assert.deepEqual(room.messages.map((m) => m.message),
                     ['text 3', 'text 4', 'new']);
});


test('a server without an op is asked once in a session', async () => {
    const world = start();
    const refuse = async () => {
        for (const {id} of world.taken()) {
            await world.tell({ev: 'error', id, code: 'unknown_op',
                              message: 'typing'});
        }
    };

    await world.session(0);
    world.chat.typing('a');
    world.chat.mark('a', {read: at(1)});
    await world.clock.pass(250);
    await refuse();
    await world.clock.pass(9000);
    world.chat.typing('a');
    world.chat.mark('a', {read: at(2)});
    await world.clock.pass(250);
    assert.deepEqual(world.taken(), []);
    await assert.rejects(world.chat.request({op: 'typing'}),
                         {code: 'unknown_op'});
    assert.deepEqual(world.named('error'), []);
    await world.again();
    await world.joined();
    world.chat.typing('a');
    assert.equal(told(world, 'typing').length, 1);
});
