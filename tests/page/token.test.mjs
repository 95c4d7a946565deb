/* The client and its tokens, against a server that asks for them. */

import assert from 'node:assert/strict';
import {createHmac} from 'node:crypto';
import {after, afterEach, before, test} from 'node:test';

import {WsChat} from '../../client/ws-chat.js';
import {Server, load} from './harness.mjs';

const {WebSocket} = load('ws');     /* which Node has from 22 on */
const LIMIT = {timeout: 60000};
const SECRET = 'a secret of thirty-two octets, at least';
const server = new Server();
const chats = [];
let url;


before(async () => {
    url = await server.start({
        chat: 'ws_chat_auth jwt; ws_chat_jwt_key DIR/secret;',
        secret: SECRET});
}, LIMIT);

after(() => server.stop());
afterEach(() => chats.splice(0).forEach((chat) => chat.close()));


function jwt(claims, secret = SECRET) {
    const part = (value) => Buffer.from(JSON.stringify(value))
                                  .toString('base64url');
    const text = `${part({alg: 'HS256', typ: 'JWT'})}.${part(claims)}`;

    return `${text}.${createHmac('sha256', secret).update(text)
                                                  .digest('base64url')}`;
}


function now() {
    return Math.floor(Date.now() / 1000);
}


function by(kind) {
    return kind === 'sse' ? {WebSocket: null, sse: new URL('events', url).href}
                          : {};
}


/* It comes back late enough to have heard why it was refused. */
function connect(token, options) {
    const chat = new WsChat(new URL('chat', url).href, {
        token, WebSocket, backoff: {base: 1500}, random: () => 1,
        ...options});

    chats.push(chat);
    return chat;
}


for (const kind of ['websocket', 'sse']) {
    test(`${kind}: a token says who it is`, LIMIT, async () => {
        const chat = connect(
            async () => jwt({sub: 'ada', exp: now() + 600}),
            by(kind));

        await chat.join(`who-${kind}`);
        assert.equal(chat.transport, kind);
        assert.equal(chat.user, 'ada');
        await chat.send(`who-${kind}`, 'hello').position;
    });


    test(`${kind}: a bad token is refused, and asked for once more`, LIMIT,
         async () => {
        const asked = [];
        const chat = connect(async ({refused}) => {
            asked.push(refused);
            return jwt({sub: 'ada', exp: now() + 600}, 'another secret');
        }, by(kind));

        await assert.rejects(chat.join('room'), {code: 'unauthorized'});
        assert.deepEqual(asked, [false, true]);
        assert.equal(chat.state, 'closed');
    });


    test(`${kind}: a better one the second time is enough`, LIMIT,
         async () => {
        const chat = connect(
            async ({refused}) => jwt({sub: 'ada', exp: now() + 600},
                                     refused ? SECRET : 'another'),
            by(kind));

        await chat.join('room');
        assert.equal(chat.state, 'online');
    });
}


test('a token that ends soon is replaced within the session', LIMIT,
     async () => {
    const states = [];
    let asked = 0;
    const refreshed = new Promise((resolve) => {
        connect(async () => {
            if (++asked === 3) {
                resolve();
            }

            return jwt({sub: 'ada', exp: now() + 2});
        }).on('state', ({state}) => states.push(state));
    });

    await refreshed;
    assert.deepEqual(states, ['online']);
});


for (const kind of ['websocket', 'sse']) {
    test(`${kind}: a chat that the token does not name`, LIMIT, async () => {
        const chat = connect(async () => jwt({
            sub: 'ada', exp: now() + 600, chat: {join: ['mine.*']}}),
            by(kind));

        await assert.rejects(chat.join('theirs'), {code: 'forbidden'});
        await chat.join('mine.1');
        await assert.rejects(chat.join('theirs'), {code: 'forbidden'});
        assert.equal(chat.state, 'online');
    });
}


test('a token that has ended: closed with 4001, back with another', LIMIT,
     async () => {
    const states = [];
    let asked = 0;

    await new Promise((resolve) => {
        const chat = connect(async ({refused}) => {
            if (!refused && ++asked > 1) {
                return null;
            }

            /* the server bears with it for 30 s more */
            return jwt({sub: 'ada', exp: now() + (refused ? 600 : -28)});
        });

        chat.on('state', ({state}) => {
            states.push(state);

            if (states.filter((one) => one === 'online').length === 2) {
                resolve();
            }
        });
    });
    assert.deepEqual(states, ['online', 'offline', 'connecting', 'online']);
});
