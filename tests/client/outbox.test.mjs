import assert from 'node:assert/strict';
import {test} from 'node:test';

import {at, message, start} from './fake.mjs';


function ack(world, cid, more = {}) {
    return world.tell({ev: 'ack', id: cid, chat_id: 'a', cid, timestamp: 1,
                       ...more});
}


function refuse(world, cid, code, more = {}) {
    return world.tell({ev: 'error', id: cid, chat_id: 'a', cid, code,
                       message: code, ...more});
}


function states(world, cid) {
    return world.named('delivery').filter((s) => s.cid === cid).length;
}


test('send: queued, sent, acked with its position', async () => {
    const world = start();

    await world.session(0);
    const seen = [];

    world.chat.on('delivery', (s) => seen.push(s.state));
    const sent = world.chat.send('a', {text: 'hi'});

    const [out] = world.taken();

    assert.deepEqual(out, {op: 'send', id: sent.cid, chat_id: 'a',
                           cid: sent.cid, message: {text: 'hi'}});
    assert.match(sent.cid, /^[0-9a-f]{32}$/);
    await ack(world, sent.cid, at(1));
    assert.deepEqual(await sent.position, at(1));
    assert.deepEqual(seen, ['queued', 'sent', 'acked']);
    assert.deepEqual(world.chat.outbox, []);
});


test('send: an ack without position waits for the echo', async () => {
    const world = start();

    await world.session(0);
    const sent = world.chat.send('a', 1);

    await ack(world, sent.cid);
    assert.equal(sent.state, 'acked');
    assert.equal(await sent.acked, sent);
    await world.tell(message(4, {sender: 'ada', cid: sent.cid, prev: null}));
    assert.deepEqual(await sent.position, at(4));
});


test('send: settled tells the position, too', async () => {
    const world = start();

    await world.session(0);
    const sent = world.chat.send('a', 1);

    await ack(world, sent.cid);
    await world.tell({ev: 'settled', chat_id: 'a', cid: sent.cid, ...at(3)});
    assert.deepEqual(await sent.position, at(3));
});


test('send: the echo before the ack is enough', async () => {
    const world = start();

    await world.session(0);
    const sent = world.chat.send('a', 1);

    await world.tell(message(1, {sender: 'ada', cid: sent.cid}));
    assert.equal(sent.state, 'acked');
    await ack(world, sent.cid, at(1));
    await world.clock.pass(6000);
    assert.equal(world.taken().filter((c) => c.op === 'send').length, 1);
});


test('send: the cid of somebody else proves nothing', async () => {
    const world = start();

    await world.session(0);
    const sent = world.chat.send('a', 1, {cid: 'c1'});

    await world.tell(message(1, {sender: 'eve', cid: 'c1'}));
    assert.equal(sent.state, 'sent');
});


test('send: no ack for five seconds repeats the cid with retry', async () => {
    const world = start();

    await world.session(0);
    const sent = world.chat.send('a', 'x');

    assert.equal(world.taken()[0].retry, undefined);
    await world.clock.pass(4999);
    assert.equal(world.taken().length, 0);
    await world.clock.pass(1);

    const [again] = world.taken();

    assert.deepEqual([again.cid, again.retry], [sent.cid, true]);
    await world.clock.pass(5000);
    assert.equal(world.taken()[0].cid, sent.cid);
    await ack(world, sent.cid, {...at(1), dup: true});
    assert.deepEqual(await sent.position, at(1));
    await world.clock.pass(20000);
    assert.equal(world.taken().length, 0);
});


test('send: the five seconds count from the last try', async () => {
    const world = start();

    await world.session(0);
    const sent = world.chat.send('a', 'x');

    await world.clock.pass(2000);
    await refuse(world, sent.cid, 'overloaded', {retry_ms: 1000});
    await world.clock.pass(1000);
    assert.equal(world.taken().length, 2);
    await world.clock.pass(4999);
    assert.equal(world.taken().length, 0);
    await world.clock.pass(1);
    assert.equal(world.taken()[0].cid, sent.cid);
});


test('order: one at a time in a chat, chats side by side', async () => {
    const world = start();

    world.chat.join('b');
    await world.session(0);
    world.chat.send('a', 1, {cid: '1'});
    world.chat.send('a', 2, {cid: '2'});
    world.chat.send('b', 3, {cid: '3'});
    assert.deepEqual(world.taken().map((c) => c.cid), ['1', '3']);
    await ack(world, '1', at(1));
    assert.deepEqual(world.taken().map((c) => c.cid), ['2']);
});


test('order: kept over a cut, with retry for what went', async () => {
    const world = start();

    await world.session(0);
    ['1', '2', '3'].forEach((cid) => world.chat.send('a', cid, {cid}));
    world.taken();
    await world.lose();
    world.chat.send('a', '4', {cid: '4'});
    await world.clock.pass(500);
    await world.welcome();
    assert.deepEqual(world.socket.sent.map((c) => c.op), ['join']);
    await world.joined({head: at(0)});

    const order = [];

    for (let n = 1; n <= 4; n++) {
        const [out] = world.taken();

        order.push([out.cid, !!out.retry]);
        await ack(world, out.cid, at(n));
    }

    assert.deepEqual(order, [['1', true], ['2', false], ['3', false],
                             ['4', false]]);
});


test('order: what the resume shows as stored is not sent again', async () => {
    const world = start();

    await world.session(0);
    const sent = world.chat.send('a', 'x');

    await world.again();
    await world.joined({head: at(1), messages: [
        message(1, {sender: 'ada', cid: sent.cid})]});
    assert.deepEqual(await sent.position, at(1));
    assert.equal(world.taken().length, 0);
});


for (const code of ['rate_limited', 'overloaded', 'unavailable', 'unknown']) {
    test(`${code}: the same cid again when the server says`, async () => {
        const world = start();

        await world.session(0);
        const sent = world.chat.send('a', 'x');

        world.chat.send('a', 'y', {cid: 'y'});
        world.taken();
        await refuse(world, sent.cid, code, {retry_ms: 800});
        assert.equal(sent.state, 'queued');
        await world.clock.pass(799);
        assert.equal(world.taken().length, 0);
        await world.clock.pass(1);

        const out = world.taken();

        assert.deepEqual(out.map((c) => [c.cid, c.retry]),
                         [[sent.cid, true]]);
        await ack(world, sent.cid, at(1));
        assert.equal(world.taken()[0].cid, 'y');
    });
}


for (const code of ['bad_request', 'forbidden', 'not_joined', 'internal']) {
    test(`${code}: fails, and the next one goes`, async () => {
        const world = start();

        await world.session(0);
        const sent = world.chat.send('a', 'x');

        world.chat.send('a', 'y', {cid: 'y'});
        world.taken();
        await refuse(world, sent.cid, code);
        await assert.rejects(sent.position, {code});
        await assert.rejects(sent.acked, {code});
        assert.equal(sent.state, 'failed');
        assert.equal(sent.error.code, code);
        assert.equal(world.taken()[0].cid, 'y');
    });
}


test('resend(): the failed message again under its own cid', async () => {
    const world = start();

    await world.session(0);
    const sent = world.chat.send('a', 'x');

    await refuse(world, sent.cid, 'internal');
    world.taken();
    world.chat.resend(sent);
    world.chat.resend(sent);

    const out = world.taken();

    assert.deepEqual(out.map((c) => [c.cid, c.retry]), [[sent.cid, true]]);
    await ack(world, sent.cid, at(1));
    assert.deepEqual(await sent.position, at(1));
});


test('send: with an earlier cid it is a retry, twice it is one', async () => {
    const world = start();

    await world.session(0);
    const sent = world.chat.send('a', 'x', {cid: 'old', retry: true});

    assert.equal(world.chat.send('a', 'x', {cid: 'old', retry: true}), sent);
    assert.deepEqual(world.taken().map((c) => [c.cid, c.retry]),
                     [['old', true]]);
});


test('send: too big for the server is not even tried', async () => {
    const world = start();

    await world.session(0);
    const sent = world.chat.send('a', 'é'.repeat(33000));

    await assert.rejects(sent.position, {code: 'too_big'});
    assert.equal(world.taken().length, 0);
});


test('send: not joined or closed fails at once', async () => {
    const world = start();

    await world.session(0);
    await assert.rejects(world.chat.send('z', 1).position,
                         {code: 'not_joined'});
    const waiting = world.chat.send('a', 1);

    world.chat.close();
    await assert.rejects(waiting.position, {code: 'closed'});
    await assert.rejects(world.chat.send('a', 1).position, {code: 'closed'});
});


test('send: what is no JSON value is the caller\'s mistake', async () => {
    const world = start();

    await world.session(0);
    assert.throws(() => world.chat.send('a', undefined), TypeError);
});


test('send: half a day offline is the end of it', async () => {
    const world = start();

    await world.session(0);
    await world.lose();
    const sent = world.chat.send('a', 1);

    await world.clock.pass(13 * 3600 * 1000);
    await world.welcome();
    await world.joined({head: at(0)});
    await assert.rejects(sent.position, {code: 'expired'});
});


test('rate: stays under the limit the server tells', async () => {
    const world = start();

    world.chat.join('a');
    await world.welcome({limits: {max_message: 65536, rate: 10, burst: 3}});
    await world.joined({head: at(0)});

    const times = [];
    const begin = world.clock.now();

    for (let n = 1; n <= 12; n++) {
        world.chat.send('a', n, {cid: `${n}`});
    }

    for (let n = 1; n <= 12; n++) {
        while (world.socket.sent.length === 0) {
            await world.clock.pass(1);
        }

        times.push(world.clock.now() - begin);
        const [out] = world.taken();

        assert.equal(out.message, n);
        await ack(world, out.cid, at(n));
    }

    assert.deepEqual(times.slice(0, 3), [0, 0, 0]);
    assert.ok(times[11] >= 900 && times[11] < 1200, String(times));
    assert.ok(states(world, '12') === 3);
});


test('errors nobody asked for are told', async () => {
    const world = start();

    await world.session(0);
    await world.tell({ev: 'error', code: 'bad_request', message: 'what?'});
    assert.equal(world.named('error')[0].message, 'what?');
});
