import assert from 'node:assert/strict';
import {test} from 'node:test';

import {Backoff, WsChat, closePolicy} from '../../client/ws-chat.js';
import {settle, start} from './fake.mjs';


function wait(world) {
    return world.chat.retryAt - world.clock.now();
}


test('back-off: full jitter below a doubling, bounded limit', () => {
    const most = [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000];

    for (const part of [0, 0.25, 0.999]) {
        const backoff = new Backoff({}, () => part);

        most.forEach((ms) => assert.equal(backoff.next(), part * ms));
    }
});


test('back-off: tries spread over the whole range', () => {
    const delays = Array.from({length: 2000},
                              () => new Backoff({base: 1000}).next());
    const mean = delays.reduce((a, b) => a + b) / delays.length;

    assert.ok(Math.min(...delays) < 20 && Math.max(...delays) > 980);
    assert.ok(mean > 450 && mean < 550);
});


test('back-off: survives a thousand tries', () => {
    const backoff = new Backoff({}, () => 1);

    for (let n = 0; n < 2000; n++) {
        assert.ok(backoff.next() <= 30000);
    }
});


test('back-off: reset only after five seconds of session', async () => {
    const world = start();

    await world.lose();
    assert.equal(wait(world), 250);
    await world.clock.pass(250);
    await world.welcome();
    await world.clock.pass(4999);
    await world.lose();
    assert.equal(wait(world), 500);
    await world.clock.pass(500);
    await world.welcome();
    await world.clock.pass(5000);
    await world.lose();
    assert.equal(wait(world), 250);
});


test('close codes: which come back, and how soon', () => {
    const table = {
        1000: 'retry', 1001: 'retry', 1002: 'retry', 1003: 'retry',
        1006: 'retry', 1007: 'retry', 1008: 'hard', 1009: 'retry',
        1011: 'retry', 1012: 'retry', 1013: 'slow', 3999: 'retry',
        4000: 'stop', 4001: 'stop', 4003: 'stop', 4009: 'stop', 4099: 'stop',
        4100: 'slow', 4102: 'slow', 4108: 'slow', 4129: 'slow', 4200: 'retry',
    };

    for (const [code, policy] of Object.entries(table)) {
        assert.equal(closePolicy(Number(code)), policy, code);
    }
});


for (const code of [4001, 4003, 4009]) {
    test(`close ${code}: stays away until connect()`, async () => {
        const world = start();
        const join = world.chat.join('a');

        await world.welcome();
        await world.lose(code, 'no');
        await assert.rejects(join, {message: 'no', status: code});
        await world.clock.pass(3600000);
        assert.equal(world.sockets.length, 1);
        assert.equal(world.chat.state, 'closed');
        assert.equal(world.clock.waiting, 0);
        world.chat.connect();
        assert.equal(world.sockets.length, 2);
        assert.equal(world.chat.error, null);
    });
}


test('close 41xx and 1013: backs off further than a lost line', async () => {
    for (const code of [4102, 4108, 4129, 1013]) {
        const world = start({random: () => 0});

        await world.welcome();
        await world.clock.pass(6000);
        await world.lose(code);
        assert.equal(wait(world), 500, String(code));
    }

    const world = start({random: () => 1});

    await world.welcome();
    await world.lose(4129);
    assert.equal(wait(world), 4500);
});


test('close 1008: waits at least half of the longest time', async () => {
    const world = start({random: () => 0});

    await world.welcome();
    await world.clock.pass(6000);
    await world.lose(1008);
    assert.equal(wait(world), 15000);
});


test('close by this client: no way back, nothing left running', async () => {
    const world = start();

    await world.session();
    world.chat.close();
    assert.equal(world.socket.closedWith, 1000);
    assert.equal(world.chat.state, 'closed');
    assert.equal(world.clock.waiting, 0);
});


test('reconnect event: the server names the time', async () => {
    const world = start();

    await world.welcome();
    await world.tell({ev: 'reconnect', in_ms: 7300, reason: 'restart'});
    assert.equal(world.chat.state, 'online');
    await world.lose(1012);
    assert.equal(wait(world), 7300);
    await world.clock.pass(7299);
    assert.equal(world.sockets.length, 1);
    await world.clock.pass(1);
    assert.equal(world.sockets.length, 2);
});


test('states: connecting, online, stale, offline, closed', async () => {
    const world = start();

    assert.equal(world.chat.state, 'connecting');
    await world.welcome();
    await world.tell({ev: 'status', state: 'stale', since: 1});
    await world.tell({ev: 'status', state: 'live', since: 1});
    await world.lose();
    await world.clock.pass(250);
    world.chat.close();
    assert.deepEqual(world.named('state').map((s) => s.state),
                     ['online', 'stale', 'online', 'offline', 'connecting',
                      'closed']);
});


test('no welcome within ten seconds: the try is given up', async () => {
    const world = start();

    world.socket.onopen({});
    await world.clock.pass(9999);
    assert.equal(world.chat.state, 'connecting');
    await world.clock.pass(1);
    assert.equal(world.chat.state, 'offline');
    assert.notEqual(world.socket.closedWith, null);
});


test('silence: asks after ping_ms, is lost after the slack', async () => {
    const world = start();

    await world.welcome();
    await world.clock.pass(29999);
    assert.equal(world.socket.sent.length, 0);
    await world.clock.pass(1);
    assert.equal(world.socket.sent[0].op, 'ping');
    await world.clock.pass(4999);
    assert.equal(world.chat.state, 'online');
    await world.clock.pass(1);
    assert.equal(world.chat.state, 'offline');
});


test('silence: any frame is a sign of life', async () => {
    const world = start();

    await world.welcome();
    await world.clock.pass(20000);
    await world.tell({ev: 'presence', chat_id: 'a'});
    await world.clock.pass(29999);
    assert.equal(world.socket.sent.length, 0);
    await world.clock.pass(1);
    assert.equal(world.socket.sent.length, 1);
    await world.tell({ev: 'pong', id: 'ping'});
    await world.clock.pass(29000);
    assert.equal(world.chat.state, 'online');
});


test('check(): asks at once', async () => {
    const world = start();

    await world.welcome();
    world.chat.check();
    assert.equal(world.socket.sent[0].op, 'ping');
    await world.clock.pass(5000);
    assert.equal(world.chat.state, 'offline');
});


test('connect(): tries now instead of later', async () => {
    const world = start();

    await world.lose();
    world.chat.connect();
    world.chat.connect();
    assert.equal(world.sockets.length, 2);
    await world.clock.pass(9000);
    assert.equal(world.sockets.length, 2);
});


test('an old socket is not listened to any more', async () => {
    const world = start();
    const old = world.socket;

    await world.welcome();
    await world.clock.pass(35000);
    assert.equal(world.chat.state, 'offline');
    assert.equal(old.onmessage, null);
    assert.equal(old.onclose, null);
});


for (const [status, code] of [[400, 'bad_request'], [401, 'unauthorized'],
                              [403, 'forbidden']])
{
    test(`refused handshake, ${status}: stops with ${code}`, async () => {
        const asked = [];
        const world = start({fetch: async (url) => {
            asked.push(url);
            return {status, headers: new Headers()};
        }});
        const join = world.chat.join('a');

        await world.lose();
        await assert.rejects(join, {code, status});
        assert.deepEqual(asked, ['http://host/chat']);
        assert.equal(world.chat.state, 'closed');
        assert.equal(world.clock.waiting, 0);
    });
}


test('refused handshake, 503: comes back after Retry-After', async () => {
    const world = start({fetch: async () => ({
        status: 503, headers: new Headers({'Retry-After': '20'}),
    })});

    await world.lose();
    assert.equal(wait(world), 20500);
});


test('refused handshake, 426 or no answer: the usual back-off', async () => {
    for (const fetch of [
        async () => ({status: 426, headers: new Headers()}),
        async () => {
            throw new TypeError('no network');
        },
    ]) {
        const world = start({fetch});

        await world.lose();
        assert.equal(wait(world), 250);
    }
});


test('a late answer about an old try changes nothing', async () => {
    let answer;
    const world = start({fetch: () => new Promise((resolve) => {
        answer = resolve;
    })});

    await world.lose();
    world.chat.connect();
    await world.welcome();
    answer({status: 403, headers: new Headers()});
    await settle();
    assert.equal(world.chat.state, 'online');
});


test('address: user and other arguments, relative and http', () => {
    const WebSocket = class {
        close() {}
    };
    const url = (...args) => {
        const chat = new WsChat(args[0], {WebSocket, user: args[1]});

        chat.close();
        return chat.url;
    };

    assert.equal(url('ws://h/chat'), 'ws://h/chat');
    assert.equal(url('http://h/chat', 'Ada L&b'),
                 'ws://h/chat?user=Ada%20L%26b');
    assert.equal(url('wss://h/chat?x=1&user=eve', 'ada'),
                 'wss://h/chat?x=1&user=ada');
    globalThis.location = {href: 'https://h/page/?q'};
    assert.equal(url('/chat', 'ada'), 'wss://h/chat?user=ada');
    delete globalThis.location;
});


test('subprotocols: a function is asked for each connection', async () => {
    let n = 0;
    const world = start({protocols: () => ['chat.v1.json', `bearer.${++n}`]});

    await world.lose();
    await world.clock.pass(250);
    assert.deepEqual(world.sockets.map((s) => s.protocols[1]),
                     ['bearer.1', 'bearer.2']);
});


test('a frame that is no JSON is told and does no harm', async () => {
    const world = start();

    await world.welcome();
    world.socket.onmessage({data: '{'});
    assert.equal(world.named('error')[0].code, 'bad_frame');
    assert.equal(world.chat.state, 'online');
});


test('no WebSocket at all is said clearly', () => {
    assert.throws(() => new WsChat('ws://h/', {WebSocket: undefined}),
                  /options\.WebSocket/);
});
