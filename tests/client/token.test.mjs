import assert from 'node:assert/strict';
import {test} from 'node:test';

import {settle, start} from './fake.mjs';

const NOW = 1700000000;         /* the server's clock, s */


function jwt(claims) {
    const part = (value) => Buffer.from(JSON.stringify(value))
                                  .toString('base64url');

    return `${part({alg: 'none'})}.${part(claims)}.`;
}


/* Tokens that end after so many seconds; `asked` holds what was asked. */
function tokens(seconds, more = {}) {
    const asked = [];
    const token = async (why) => {
        asked.push(why.refused);
        return jwt({sub: `ada-é`, n: asked.length, exp: NOW + seconds,
                    ...more});
    };

    return {asked, token};
}


function welcome(world) {
    return world.welcome({server_time: NOW * 1000, ping_ms: 0});
}


test('token: one for each connection, beside the subprotocol', async () => {
    const {asked, token} = tokens(3600);
    const world = start({token});

    assert.equal(world.chat.state, 'connecting');
    await settle();
    assert.deepEqual(world.socket.protocols,
                     ['chat.v1.json', `bearer.${await jwt({
                         sub: 'ada-é', n: 1, exp: NOW + 3600})}`]);
    await world.lose();
    await world.clock.pass(250);
    assert.deepEqual(asked, [false, false]);
    assert.equal(world.sockets.length, 2);
});


test('token: none is none', async () => {
    const world = start({token: async () => null});

    await settle();
    assert.deepEqual(world.socket.protocols, ['chat.v1.json']);
});


test('token: cannot be had: told, and tried again', async () => {
    let isDown = true;
    const world = start({token: async () => {
        if (isDown) {
            throw new Error('login is down');
        }

        return 'a.b.c';
    }});

    await settle();
    assert.equal(world.chat.state, 'offline');
    assert.equal(world.named('error')[0].message, 'login is down');
    isDown = false;
    await world.clock.pass(250);
    assert.equal(world.socket.protocols[1], 'bearer.a.b.c');
});


test('token: one that no WebSocket takes ends it', async () => {
    const world = start({token: async () => 'no token', WebSocket: class {
        constructor(url, protocols) {
            throw new SyntaxError(`bad ${protocols[1]}`);
        }
    }});

    await settle();
    assert.equal(world.chat.state, 'closed');
    assert.equal(world.chat.error.message, 'bad bearer.no token');
});


test('token: a close while it is asked for', async () => {
    let give;
    const world = start({token: () => new Promise((resolve) => {
        give = resolve;
    })});

    await settle();
    world.chat.close();
    give('x.y.z');
    await settle();
    assert.equal(world.sockets.length, 0);
    world.chat.connect();
    world.chat.connect();
    await settle();
    give('x.y.z');
    await settle();
    assert.equal(world.sockets.length, 1);
});


test('refresh: in time before the end, again and again', async () => {
    let life = 600;
    const world = start({token: async () => jwt({exp: NOW + life})});

    await settle();
    await welcome(world);
    await world.clock.pass(539999);
    assert.deepEqual(world.taken(), []);
    life = 1200;
    await world.clock.pass(1);

    const asked = await world.answer('refresh', {ev: 'ok'});

    assert.equal(asked.token, jwt({exp: NOW + 1200}));
    await world.clock.pass(599999);
    assert.deepEqual(world.taken(), []);
    await world.clock.pass(1);
    assert.equal(world.taken()[0].op, 'refresh');
});


test('refresh: short tokens half-way; no exp, no refresh', async () => {
    let world = start({token: async () => jwt({exp: NOW + 30})});

    await settle();
    await welcome(world);
    await world.clock.pass(15000);
    assert.equal(world.taken()[0].op, 'refresh');

    for (const other of ['opaque', jwt({exp: 'soon'}), jwt({sub: 'x'})]) {
        world = start({token: async () => other});
        await settle();
        await welcome(world);
        await world.clock.pass(3600000);
        assert.deepEqual(world.taken(), []);
    }
});


test('refresh: a token that cannot be had is asked for again', async () => {
    let isDown = false;
    const world = start({token: async () => {
        if (isDown) {
            throw new Error('down');
        }

        return jwt({exp: NOW + 600});
    }});

    await settle();
    await welcome(world);
    isDown = true;
    await world.clock.pass(540000);
    assert.equal(world.named('error')[0].message, 'down');
    isDown = false;
    await world.clock.pass(5000);
    assert.equal(world.taken()[0].op, 'refresh');
});


test('refresh: ends with the connection', async () => {
    const {asked, token} = tokens(600);
    const world = start({token});

    await settle();
    await welcome(world);
    await world.lose(4003);
    await world.clock.pass(3600000);
    assert.deepEqual(asked, [false]);
});


test('close 4001: one new token, then it is over', async () => {
    const {asked, token} = tokens(3600);
    const world = start({token});

    await settle();
    await welcome(world);
    await world.lose(4001);
    assert.equal(world.chat.state, 'offline');
    await world.clock.pass(500);
    assert.deepEqual(asked, [false, true]);
    await welcome(world);
    await world.lose(4001);
    assert.equal(world.chat.state, 'closed');
    assert.equal(world.chat.error.code, 'unauthorized');
});


test('close 4001: after a good session it is one new token again', async () => {
    const {asked, token} = tokens(3600);
    const world = start({token});

    for (let n = 0; n < 3; n++) {
        await settle();
        await welcome(world);
        await world.clock.pass(5000);
        await world.lose(4001);
        await world.clock.pass(500);
    }

    assert.deepEqual(asked, [false, true, true, true]);
});


test('refused with 401: one new token; the question has it, too', async () => {
    const seen = [];
    const {asked, token} = tokens(3600);
    const world = start({token, fetch: async (url, {headers}) => {
        seen.push(headers.Authorization);
        return {status: 401, headers: new Headers()};
    }});

    await settle();
    await world.lose();
    assert.equal(world.chat.state, 'offline');
    await world.clock.pass(250);
    await world.lose();
    assert.equal(world.chat.state, 'closed');
    assert.deepEqual(asked, [false, true]);
    assert.equal(seen[0], `Bearer ${jwt({sub: 'ada-é', n: 1,
                                         exp: NOW + 3600})}`);
});
