import assert from 'node:assert/strict';
import {test} from 'node:test';

import {comparePositions} from '../../client/ws-chat.js';
import {at, message, settle, start} from './fake.mjs';


/* Answers the history command that is waiting. */
async function page(world, seqs, more = {}) {
    const asked = world.taken().find((c) => c.op === 'history');

    await world.tell({ev: 'history', id: asked.id, chat_id: 'a', more: false,
                      messages: seqs.map((m) => m.seq ? m : message(m)),
                      ...more});
    return asked;
}


test('positions: epoch before seq', () => {
    assert.ok(comparePositions(at(9, 1), at(1, 2)) < 0);
    assert.ok(comparePositions(at(2), at(1)) > 0);
    assert.equal(comparePositions(at(1), at(1)), 0);
});


test('join: history, then live messages in order', async () => {
    const world = start();
    const join = world.chat.join('a', {history: 2});

    await world.welcome();
    const asked = await world.joined({
        head: at(2), messages: [message(1), message(2)]});

    assert.equal(asked.history, 2);
    assert.equal(asked.after, undefined);

    const room = await join;

    assert.deepEqual(room.messages.map((m) => m.seq), [1, 2]);
    await world.tell(message(3));
    assert.deepEqual(world.seqs, [3]);
    assert.deepEqual(room.position, at(3));
    assert.equal(room.messages.at(-1).chat_id, 'a');
});


test('join: twice is one, and before the welcome it waits', async () => {
    const world = start();

    assert.equal(world.chat.join('a'), world.chat.join('a'));
    await world.welcome();
    assert.equal(world.taken().length, 1);
});


test('join: from the handler of the state it is still one', async () => {
    const world = start();

    world.chat.join('b');
    world.chat.on('state', () => {
        world.chat.join('a');
        world.chat.leave('b');
    });
    await world.welcome();
    assert.deepEqual(world.taken().map((c) => [c.op, c.chat_id]),
                     [['join', 'a'], ['leave', 'b']]);
});


test('join: refused for good', async () => {
    const world = start();
    const join = world.chat.join('bad id');

    await world.welcome();
    await world.tell({ev: 'error', id: world.taken()[0].id,
                      code: 'bad_request', message: 'chat_id'});
    await assert.rejects(join, {code: 'bad_request', message: 'chat_id'});
    assert.equal(world.chat.room('bad id'), null);
    assert.equal(world.named('left').length, 1);
});


test('join: refused for now is asked again when the server says', async () => {
    const world = start();
    const join = world.chat.join('a');

    await world.welcome();
    await world.tell({ev: 'error', id: world.taken()[0].id, temporary: true,
                      code: 'unavailable', retry_ms: 700});
    await world.clock.pass(699);
    assert.equal(world.taken().length, 0);
    await world.clock.pass(1);
    await world.joined({head: at(0)});
    assert.equal((await join).chatId, 'a');
});


test('resume: every chat behind its own last position', async () => {
    const world = start();

    world.chat.join('a');
    world.chat.join('b');
    await world.welcome();

    for (const join of world.taken()) {
        const head = join.chat_id === 'a' ? at(7) : at(2, 5);
        await world.tell({ev: 'joined', id: join.id, chat_id: join.chat_id,
                          head, recovered: true, messages: [], more: false});
    }

    await world.tell(message(8));
    await world.again();
    assert.deepEqual(world.taken().map((c) => [c.chat_id, c.after]),
                     [['a', at(8)], ['b', at(2, 5)]]);
});


test('resume: what was missed comes once, with what is live', async () => {
    const world = start();

    await world.session(5);
    await world.again();
    await world.joined({head: at(7), messages: [message(6), message(7)]});
    await world.tell(message(7));
    await world.tell(message(8));
    assert.deepEqual(world.seqs, [6, 7, 8]);
    assert.equal(world.named('gap').length, 0);
});


test('resume: nothing missed moves the position to the head', async () => {
    const world = start();

    await world.session(5);
    await world.again();
    await world.joined({epoch: 9, head: at(5, 9)});
    assert.deepEqual(world.chat.room('a').position, at(5, 9));
});


test('more:true: pages up to the head, live ones wait', async () => {
    const world = start();

    await world.session(0);
    await world.again();
    await world.joined({head: at(6), messages: [message(1), message(2)],
                        more: true});
    await world.tell(message(7));
    assert.deepEqual(world.seqs, [1, 2]);
    assert.deepEqual((await page(world, [3, 4], {more: true})).after, at(2));
    assert.deepEqual((await page(world, [5, 6])).after, at(4));
    assert.deepEqual(world.seqs, [1, 2, 3, 4, 5, 6, 7]);
    await world.tell(message(8));
    assert.equal(world.seqs.at(-1), 8);
    assert.equal(world.named('gap').length, 0);
});


test('more:true: a cut while paging resumes where it was', async () => {
    const world = start();

    await world.session(0);
    await world.again();
    await world.joined({head: at(6), messages: [message(1)], more: true});
    await page(world, [2, 3], {more: true});
    await world.tell(message(7));
    await world.again();
    assert.deepEqual(world.taken()[0].after, at(3));
    assert.deepEqual(world.seqs, [1, 2, 3]);
});


test('recovered:false: state is replaced by the history', async () => {
    const world = start();

    await world.session(0);
    await world.tell(message(1));
    await world.again();
    await world.joined({epoch: 2, head: at(4, 2), recovered: false,
                        reason: 'epoch'});
    await world.tell(message(5, {epoch: 2}));
    const asked = await page(world, [message(3, {epoch: 2, cid: 'c1'}),
                                     message(4, {epoch: 2, cid: 'y'})]);

    assert.deepEqual([asked.limit, asked.after], [10, undefined]);
    assert.equal(world.named('reset')[0].reason, 'epoch');
    assert.deepEqual(world.chat.room('a').messages.map((m) => m.seq),
                     [3, 4, 5]);
    assert.deepEqual(world.seqs, [1, 5]);
});


test('recovered:false: a failing history still ends in a reset', async () => {
    const world = start();

    await world.session(3);
    await world.again();
    await world.joined({head: at(9), recovered: false, reason: 'too_old'});

    for (let n = 0; n < 3; n++) {
        await world.tell({ev: 'error', id: world.taken()[0].id,
                          code: 'unavailable', retry_ms: 100});
        await world.clock.pass(100);
    }

    assert.equal(world.named('reset')[0].reason, 'too_old');
    await world.tell(message(10));
    assert.deepEqual(world.seqs, [10]);
});


test('repeats are dropped by position and by sender and cid', async () => {
    const world = start();

    await world.session(0);
    await world.tell(message(1));
    await world.tell(message(1));
    await world.tell(message(2, {cid: 'c1'}));
    await world.tell(message(3, {cid: 'c1', sender: 'eve'}));
    await world.tell(message(2, {cid: 'late'}));
    assert.deepEqual(world.seqs, [1, 3]);
    assert.deepEqual(world.chat.room('a').position, at(3));
});


test('messages without cid are no repeats of each other', async () => {
    const world = start();

    await world.session(0);
    await world.tell(message(1, {cid: undefined}));
    await world.tell(message(2, {cid: undefined}));
    assert.deepEqual(world.seqs, [1, 2]);
});


test('gap event: filled from the history, nobody is told', async () => {
    const world = start();

    await world.session(2);
    await world.tell({ev: 'gap', chat_id: 'a', after: at(2), before: at(5),
                      reason: 'slow'});
    await world.tell(message(5));
    assert.deepEqual(world.seqs, []);
    assert.deepEqual((await page(world, [3, 4, 5])).after, at(2));
    assert.deepEqual(world.seqs, [3, 4, 5]);
    assert.equal(world.named('gap').length, 0);
});


test('gap event: what cannot be filled is told once', async () => {
    const world = start();

    await world.session(2);
    await world.tell({ev: 'gap', chat_id: 'a', after: at(2), before: at(9),
                      reason: 'slow'});
    await world.tell(message(9));
    await page(world, [8, 9]);
    assert.deepEqual(world.seqs, [8, 9]);
    assert.deepEqual(
        world.named('gap').map(({after, before}) => [after, before]),
        [[at(2), at(8)]]);
});


test('gap event: history fails, the gap is told, life goes on', async () => {
    const world = start();

    await world.session(2);
    await world.tell({ev: 'gap', chat_id: 'a', after: at(2), before: at(9),
                      reason: 'slow'});
    await world.tell(message(9));
    await world.tell({ev: 'error', id: world.taken()[0].id, code: 'internal'});
    await world.tell(message(10));
    assert.deepEqual(world.seqs, [9, 10]);

    const gaps = world.named('gap');

    assert.equal(gaps.length, 1);
    assert.deepEqual([gaps[0].after, gaps[0].before, gaps[0].reason],
                     [at(2), at(9), 'slow']);
});


test('gap event: a history not complete so far is no proof', async () => {
    const world = start();

    await world.session(2);
    await world.tell({ev: 'gap', chat_id: 'a', after: at(2), before: at(9),
                      reason: 'slow'});
    await page(world, [3, 4], {complete_to: at(4)});
    assert.deepEqual(
        world.named('gap').map(({after, before}) => [after, before]),
        [[at(4), at(9)]]);
    await world.tell(message(9));
    assert.deepEqual(world.seqs, [3, 4, 9]);
});


test('gap event: a second one while filling raises the goal', async () => {
    const world = start();

    await world.session(2);
    await world.tell({ev: 'gap', chat_id: 'a', after: at(2), before: at(4),
                      reason: 'slow'});
    await world.tell(message(4));
    await world.tell({ev: 'gap', chat_id: 'a', after: at(4), before: at(7),
                      reason: 'slow'});
    await world.tell(message(7, {prev: undefined}));
    await page(world, [3, 4], {more: true});
    await page(world, [5, 6, 7]);
    assert.deepEqual(world.seqs, [3, 4, 5, 6, 7]);
});


test('gap event: behind the position it is old news', async () => {
    const world = start();

    await world.session(5);
    await world.tell({ev: 'gap', chat_id: 'a', after: at(2), before: at(5),
                      reason: 'slow'});
    assert.equal(world.taken().length, 0);
});


test('prev: a hole nobody announced is found and filled', async () => {
    const world = start();

    await world.session(2);
    await world.tell(message(5));
    await world.tell(message(6));
    assert.deepEqual((await page(world, [3, 4, 5])).after, at(2));
    assert.deepEqual(world.seqs, [3, 4, 5, 6]);
});


test('prev: seq may jump and epochs may change without a hole', async () => {
    const world = start();

    await world.session(2);
    await world.tell(message(9, {prev: at(2)}));
    await world.tell(message(1, {epoch: 2, prev: at(9), cid: 'n'}));
    await world.tell(message(2, {epoch: 2, prev: undefined, cid: 'o'}));
    assert.deepEqual(world.seqs, [9, 1, 2]);
    assert.equal(world.taken().length, 0);
});


test('history: busy is asked three times', async () => {
    const world = start();

    await world.session(2);
    await world.tell(message(5));

    for (let n = 0; n < 2; n++) {
        await world.tell({ev: 'error', id: world.taken()[0].id,
                          code: 'rate_limited', retry_ms: 50});
        await world.clock.pass(50);
    }

    await page(world, [3, 4, 5]);
    assert.deepEqual(world.seqs, [3, 4, 5]);
});


test('history: no answer at all does not hold back for ever', async () => {
    const world = start();

    await world.session(2);
    await world.tell(message(5));
    await world.clock.pass(25000);
    await world.tell(message(6));
    await world.clock.pass(10000);
    assert.deepEqual(world.seqs, [5, 6]);
    assert.equal(world.named('gap').length, 1);
});


test('older(): goes before the first, and knows the beginning', async () => {
    const world = start();
    const join = world.chat.join('a');

    await world.welcome();
    await world.joined({head: at(5), messages: [message(4), message(5)]});

    const room = await join;
    const older = room.older(2);

    assert.ok(room.hasOlder);
    const asked = await page(world, [2, 3], {more: true});

    assert.deepEqual([asked.before, asked.limit], [at(4), 2]);
    assert.deepEqual((await older).map((m) => m.seq), [2, 3]);
    room.older(2);
    await page(world, [1]);
    await settle();
    assert.equal(room.hasOlder, false);
    assert.deepEqual(await room.older(), []);
    assert.deepEqual(room.messages.map((m) => m.seq), [1, 2, 3, 4, 5]);
});


test('older(): the server keeps none, whatever prev says', async () => {
    const world = start();
    const join = world.chat.join('a');

    await world.welcome();
    await world.joined({head: at(5), messages: [message(5)]});

    const room = await join;

    room.older(2);
    await page(world, []);
    await settle();
    assert.equal(room.hasOlder, false);
});


test('keep: the oldest go, older() finds them again', async () => {
    const world = start({keep: 3});

    await world.session(0);

    for (let n = 1; n <= 5; n++) {
        await world.tell(message(n));
    }

    const room = world.chat.room('a');

    assert.deepEqual(room.messages.map((m) => m.seq), [3, 4, 5]);
    room.older(5);
    await page(world, [1, 2]);
    await settle();
    assert.deepEqual(room.messages.map((m) => m.seq), [1, 2, 3, 4, 5]);
});


test('leave: tells the server and forgets the chat', async () => {
    const world = start();

    await world.session(2);
    const left = world.chat.leave('a');
    const [asked] = world.taken();

    assert.equal(asked.op, 'leave');
    await world.tell(message(3));
    await world.tell({ev: 'left', id: asked.id, chat_id: 'a'});
    await left;
    assert.deepEqual(world.seqs, []);
    await world.again();
    assert.equal(world.taken().length, 0);
});


test('leave: what is still asked for is not shown any more', async () => {
    const world = start();

    await world.session(2);
    await world.tell(message(5));
    const asked = world.taken().find((c) => c.op === 'history');

    world.chat.leave('a');
    await world.tell({ev: 'history', id: asked.id, chat_id: 'a', more: false,
                      messages: [message(3), message(4), message(5)]});
    assert.deepEqual(world.seqs, []);
});


test('kicked: the chat ends and is not joined again', async () => {
    const world = start();

    await world.session(2);
    const sent = world.chat.send('a', 'hi');

    await world.tell({ev: 'kicked', chat_id: 'a', reason: 'spam'});
    await assert.rejects(sent.position, {code: 'forbidden', message: 'spam'});
    assert.equal(world.named('left')[0].error.message, 'spam');
    await world.again();
    assert.equal(world.taken().length, 0);
});


test('events of later protocol steps come under their name', async () => {
    const world = start();
    const seen = [];

    await world.session(0);
    const off = world.chat.on('typing', (ev) => seen.push(ev.sender));

    await world.tell({ev: 'typing', chat_id: 'a', sender: 'bob', on: true});
    off();
    await world.tell({ev: 'typing', chat_id: 'a', sender: 'bob', on: false});
    assert.deepEqual(seen, ['bob']);
});
