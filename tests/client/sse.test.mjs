import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';

import {WsChat} from '../../client/ws-chat.js';
import {settle, start} from './fake.mjs';
import {SseServer} from './sse-server.mjs';

const LIMIT = {timeout: 20000};
let server;
let url;
let chats = [];


beforeEach(async () => {
    server = new SseServer();
    url = await server.start();
});

afterEach(async () => {
    chats.splice(0).forEach((chat) => chat.close());
    await server.stop();
});


/* A client without WebSocket, so by SSE from the start. */
function connect(options) {
    const chat = new WsChat('ws://127.0.0.1:9/', {
        WebSocket: null, sse: url, user: 'ada', backoff: {base: 20},
        ...options});

    chat.seen = [];
    chat.on('message', (m) => chat.seen.push(m.message));
    chats.push(chat);
    return chat;
}


async function until(condition) {
    const end = Date.now() + 10000;

    while (!condition()) {
        assert.ok(Date.now() < end, `never: ${condition}`);
        await new Promise((resume) => setTimeout(resume, 5));
    }
}


test('join, messages, send', LIMIT, async () => {
    server.say('a', 'old');
    const chat = connect();
    const room = await chat.join('a', {history: 10});

    assert.equal(chat.transport, 'sse');
    assert.equal(chat.state, 'online');
    assert.deepEqual(room.messages.map((m) => m.message), ['old']);
    assert.equal(room.presence.count, 1);
    server.say('a', 'new');
    await until(() => chat.seen.length === 1);
    const sent = chat.send('a', 'mine');

    assert.deepEqual(await sent.position, {epoch: 1, seq: 3});
    await until(() => chat.seen.length === 2);
    assert.deepEqual(chat.seen, ['new', 'mine']);
    assert.equal(chat.user, 'ada');
});


test('two chats, then a third: one stream, then the next', LIMIT,
     async () => {
    const chat = connect();

    server.say('b', 'b1');
    await Promise.all([chat.join('a'), chat.join('b')]);
    assert.deepEqual(server.streams.map((s) => s.chats), [['a', 'b']]);
    await chat.join('c');
    assert.deepEqual(server.streams.at(-1).chats, ['a', 'b', 'c']);
    await until(() => server.open === 1);
    ['a', 'b', 'c'].forEach((id) => server.say(id, `to ${id}`));
    await until(() => chat.seen.length === 3);
    await chat.leave('b');
    await until(() => server.streams.length === 3 && server.open === 1);
    assert.deepEqual(server.streams.at(-1).chats, ['a', 'c']);
    server.say('b', 'not here');
    server.say('c', 'again');
    await until(() => chat.seen.length === 4);
    assert.deepEqual(chat.seen, ['to a', 'to b', 'to c', 'again']);
});


test('a cut: one chat is replayed by Last-Event-ID', LIMIT, async () => {
    const chat = connect();
    let wasOffline = false;

    chat.on('state', ({state}) => {
        wasOffline ||= state === 'offline';
    });
    await chat.join('a');
    server.say('a', 1);
    await until(() => chat.seen.length === 1);
    server.cut();
    await until(() => wasOffline);
    server.say('a', 2);
    server.say('a', 3);
    await until(() => chat.seen.length === 3);
    server.say('a', 4);
    await until(() => chat.seen.length === 4);
    assert.deepEqual(chat.seen, [1, 2, 3, 4]);
    assert.equal(server.streams.at(-1).lastEventId, '1:1');
    assert.ok(!server.posted.some((c) => c.op === 'history' && c.after));
});


test('a cut: several chats are filled from the history', LIMIT, async () => {
    const chat = connect();

    await Promise.all([chat.join('a'), chat.join('b')]);
    server.say('a', 1);
    await until(() => chat.seen.length === 1);
    server.cut();
    await until(() => chat.state === 'offline');
    server.say('a', 2);
    server.say('a', 3);
    server.say('b', 4);
    await until(() => chat.seen.length === 4);
    assert.deepEqual(chat.seen.toSorted?.() ?? chat.seen.sort(),
                     [1, 2, 3, 4]);
    assert.equal(server.streams.at(-1).lastEventId, undefined);
});


test('a cut: a position the server does not know', LIMIT, async () => {
    const chat = connect();

    await chat.join('a');
    server.say('a', 1);
    await until(() => chat.seen.length === 1);
    server.knowsPositions = false;
    server.cut();
    await until(() => chat.state === 'offline');
    server.say('a', 2);
    await until(() => chat.seen.length === 2);
    assert.deepEqual(chat.seen, [1, 2]);
});


test('a server that does not tell its joins', {timeout: 30000}, async () => {
    server.tellsJoins = false;
    server.say('a', 'old');
    const chat = connect();
    const room = await chat.join('a', {history: 5});

    server.say('a', 'new');
    await until(() => chat.seen.length === 1);
    assert.deepEqual(room.messages.map((m) => m.message), ['old', 'new']);
    assert.equal(chat.user, 'ada');
});


test('commands go in order, together while one is on its way', LIMIT,
     async () => {
    const chat = connect();

    await chat.join('a');
    const before = server.sizes.length;
    const sent = Array.from({length: 20}, (_, n) =>
        chat.request({op: 'signal', chat_id: 'a', name: `${n}`}));

    await Promise.all(sent);
    assert.deepEqual(server.posted.filter((c) => c.op === 'signal')
                           .map((c) => c.name),
                     Array.from({length: 20}, (_, n) => `${n}`));
    assert.ok(server.sizes.length - before <= 2, String(server.sizes));
});


test('what is large goes in several POSTs', LIMIT, async () => {
    const chat = connect();

    await Promise.all(['a', 'b', 'c'].map((id) => chat.join(id)));
    const sent = ['a', 'b', 'c'].map((id) => chat.send(id, 'x'.repeat(9000)));

    await Promise.all(sent.map((one) => one.position));
    assert.ok(Math.max(...server.sizes) < 16384, String(server.sizes));
});


test('a chat that may not be joined is one, the others go on', LIMIT,
     async () => {
    const chat = connect();

    server.forbidden = ['x'];
    await assert.rejects(chat.join('x'), {code: 'forbidden'});
    await chat.join('a');
    await assert.rejects(chat.join('x'), {code: 'forbidden'});
    server.say('a', 'still here');
    await until(() => chat.seen.length === 1);
    assert.equal(chat.state, 'online');
    assert.equal(server.open, 1);
});


test('refused: 401 and 403 end it, 503 waits', LIMIT, async () => {
    for (const [status, code] of [[401, 'unauthorized'], [403, 'forbidden']]) {
        server.refusal = status;
        const chat = connect();

        await assert.rejects(chat.join('a'), {code});
        assert.equal(chat.state, 'closed');
    }

    server.refusal = 503;
    const chat = connect();

    await until(() => chat.state === 'offline');
    assert.ok(chat.retryAt - Date.now() > 800);
    server.refusal = null;
    await chat.join('a');
    assert.equal(chat.state, 'online');
});


test('refused POST: the message waits and goes again', LIMIT, async () => {
    const chat = connect();

    await chat.join('a');
    server.refusal = 503;
    const sent = chat.send('a', 'x');

    await until(() => sent.waiting);
    server.refusal = null;
    assert.deepEqual(await sent.position, {epoch: 1, seq: 1});
    assert.deepEqual(server.posted.filter((c) => c.op === 'send')
                           .map((c) => c.retry), [true]);
});


test('the token goes with each request, the new one after a refresh', LIMIT,
     async () => {
    const chat = connect({token: async () => 'first'});

    await chat.join('a');
    assert.equal(server.streams[0].headers.authorization, 'Bearer first');
    await chat.request({op: 'refresh', token: 'second'});
    await until(() => server.streams.length === 2 && server.open === 1);
    assert.equal(server.streams.at(-1).headers.authorization,
                 'Bearer second');
    server.say('a', 'still here');
    await until(() => chat.seen.length === 1);
    await chat.request({op: 'ping'});
    assert.deepEqual(chat.seen, ['still here']);
});


test('a close that the stream tells is one', LIMIT, async () => {
    const chat = connect();

    await chat.join('a');
    server.tell({ev: 'close', chat_id: 'a', code: 4003, reason: 'blocked'});
    await until(() => chat.state === 'closed');
    assert.deepEqual([chat.error.status, chat.error.message],
                     [4003, 'blocked']);
});


test('close(): nothing stays open', LIMIT, async () => {
    const chat = connect();

    await chat.join('a');
    chat.close();
    await until(() => server.open === 0);
    assert.equal(chat.state, 'closed');
});


test('WebSockets that deliver nothing: by SSE from the fourth on', LIMIT,
     async () => {
    const world = start({sse: url, user: 'ada', fetch: globalThis.fetch});

    for (let n = 0; n < 3; n++) {
        world.socket.onopen({});
        await world.lose();
        await world.clock.pass(world.chat.retryAt - world.clock.now());
    }

    assert.equal(world.sockets.length, 3);
    assert.equal(world.chat.transport, 'sse');
    await until(() => world.chat.state === 'online');
    world.chat.close();
});


test('handshakes that are eaten, while a GET is answered 426', LIMIT,
     async () => {
    const world = start({sse: url, user: 'ada', fetch: async (address, how) => {
        return address.startsWith('http://host/')
               ? {status: 426, headers: new Headers()}
               : globalThis.fetch(address, how);
    }});

    for (let n = 0; n < 3; n++) {
        await world.lose();
        await world.clock.pass(world.chat.retryAt - world.clock.now());
    }

    assert.equal(world.chat.transport, 'sse');
    world.chat.close();
});


test('no network at all is no reason for SSE', LIMIT, async () => {
    const world = start({sse: url, fetch: async () => {
        throw new TypeError('no network');
    }});

    for (let n = 0; n < 9; n++) {
        await world.lose();
        await world.clock.pass(world.chat.retryAt - world.clock.now());
    }

    assert.equal(world.sockets.length, 10);
    assert.equal(world.chat.transport, 'websocket');
});


test('SSE: a WebSocket is tried again later, and when SSE fails', LIMIT,
     async () => {
    const world = start({sse: url, user: 'ada', fetch: globalThis.fetch});
    const again = async () => {
        await until(() => world.chat.state === 'offline');
        await world.clock.pass(world.chat.retryAt - world.clock.now());
        return world.chat.transport;
    };

    world.chat.join('a');

    for (let n = 0; n < 3; n++) {
        world.socket.onopen({});
        await world.lose();
        await again();
    }

    await world.clock.pass(0);
    await until(() => world.chat.state === 'online');
    server.cut();
    assert.equal(await again(), 'sse');
    await world.clock.pass(0);
    await until(() => world.chat.state === 'online');
    world.clock.skip(600000);
    server.cut();
    assert.equal(await again(), 'websocket');
    world.socket.onopen({});
    await world.lose();
    server.refusal = 500;
    assert.equal(await again(), 'sse');
    await world.clock.pass(0);
    assert.equal(await again(), 'websocket');
    world.chat.close();
});
