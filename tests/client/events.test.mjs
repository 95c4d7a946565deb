import assert from 'node:assert/strict';
import {test} from 'node:test';

import {at, message, settle, start} from './fake.mjs';


/* Collects what the chat's iteration yields, until it ends. */
function collect(world, options) {
    const all = {seqs: [], error: null, isOver: false};

    (async () => {
        try {
            for await (const m of world.chat.messages('a', options)) {
                all.seqs.push(m.seq);
            }
        } catch (err) {
            all.error = err;
        }

        all.isOver = true;
    })();

    return all;
}


test('on, once, off', async () => {
    const world = start();
    const seen = [];
    const each = (m) => seen.push(`each ${m.seq}`);

    await world.session(0);
    world.chat.on('message', each);
    world.chat.once('message', (m) => seen.push(`once ${m.seq}`));
    const never = world.chat.once('message', () => seen.push('never'));

    never();
    await world.tell(message(1));
    await world.tell(message(2));
    world.chat.off('message', each);
    await world.tell(message(3));
    assert.deepEqual(seen, ['each 1', 'once 1', 'each 2']);
});


test('a message outside of chats is a notice', async () => {
    const world = start();
    const seen = [];

    world.chat.on('notice', (ev) => seen.push(ev.message));
    await world.session(0);
    await world.tell({ev: 'message', sender: 'ops', message: 'at noon',
                      timestamp: 1});
    assert.deepEqual(seen, ['at noon']);
    assert.deepEqual(world.seqs, []);
});


test('for await: new messages, over a cut, until leave()', async () => {
    const world = start();
    const all = collect(world);

    await world.session(4);
    await world.tell(message(5));
    await world.again();
    await world.joined({head: at(7), messages: [message(6), message(7)]});
    await world.tell(message(8));
    assert.deepEqual(all.seqs, [5, 6, 7, 8]);
    assert.equal(all.isOver, false);
    world.chat.leave('a');
    await settle();
    assert.deepEqual([all.isOver, all.error], [true, null]);
});


test('for await: with the history it joins with', async () => {
    const world = start();
    const all = collect(world, {history: 2});

    await world.welcome();
    const join = await world.joined({head: at(2),
                                     messages: [message(1), message(2)]});

    assert.equal(join.history, 2);
    await world.tell(message(3));
    assert.deepEqual(all.seqs, [1, 2, 3]);
    world.chat.close();
    await settle();
    assert.deepEqual([all.isOver, all.error], [true, null]);
});


test('for await: of a chat joined before, the new ones only', async () => {
    const world = start();

    await world.session(2, {messages: [message(1), message(2)]});
    const all = collect(world, {history: 50});

    await settle();
    await world.tell(message(3));
    assert.deepEqual(all.seqs, [3]);
});


test('for await: after a reset, what was not seen yet', async () => {
    const world = start();
    const all = collect(world, {history: 10});

    await world.session(1);
    await world.tell(message(2));
    await world.again();
    await world.joined({recovered: false, reason: 'too_old', head: at(9)});
    await world.answer('history', {ev: 'history', more: false,
                                   messages: [message(2), message(9)]});
    assert.deepEqual(all.seqs, [2, 9]);
});


test('for await: a kick, a refusal and a close are thrown', async () => {
    const kicked = start();
    let all = collect(kicked);

    await kicked.session(0);
    await kicked.tell(message(1));
    await kicked.tell({ev: 'kicked', chat_id: 'a', reason: 'spam'});
    assert.deepEqual([all.seqs, all.error.message], [[1], 'spam']);

    const refused = start();

    all = collect(refused);
    await refused.welcome();
    await refused.answer('join', {ev: 'error', code: 'forbidden'});
    assert.equal(all.error.code, 'forbidden');

    const shut = start();

    all = collect(shut);
    await shut.session(0);
    await shut.lose(4003);
    assert.equal(all.error.status, 4003);
});


test('for await: break stops listening', async () => {
    const world = start();
    let seen = 0;

    (async () => {
        for await (const m of world.chat.messages('a')) {
            seen = m.seq;
            break;
        }
    })();
    await world.session(0);
    await world.tell(message(1));
    await world.tell(message(2));
    assert.equal(seen, 1);
    assert.ok(world.chat.room('a').joined);
});
