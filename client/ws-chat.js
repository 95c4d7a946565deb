/*
 * Client of the chat.v1.json protocol for browsers and Node (>= 20).
 *
 *     const chat = new WsChat('/chat', {user: 'ada'});
 *     chat.on('message', (m) => console.log(m.sender, m.message));
 *     const room = await chat.join('lobby', {history: 50});
 *     const sent = chat.send('lobby', 'hello');
 *     await sent.position;
 *
 * It reconnects by itself, resumes every chat behind the last position seen,
 * drops what comes twice, fills holes from the history, and keeps unsent
 * messages in order until the server has stored them.
 */

import {Backoff, closePolicy} from './ws-chat/backoff.js';
import {Connection} from './ws-chat/connection.js';
import {Emitter} from './ws-chat/emitter.js';
import {WsChatError} from './ws-chat/error.js';
import {messages} from './ws-chat/messages.js';
import {Outbox, Sent} from './ws-chat/outbox.js';
import {comparePositions, place} from './ws-chat/position.js';
import {Requests} from './ws-chat/requests.js';
import {Room} from './ws-chat/room.js';

export {Backoff, Room, Sent, WsChatError, closePolicy, comparePositions};

const RETRY_MS = 1000;          /* where the server names no time */
const TRIES = 3;                /* of a command that is refused for now */

const REAL_CLOCK = {
    now: () => Date.now(),
    setTimeout: (fn, ms) => setTimeout(fn, ms),
    clearTimeout: (timer) => clearTimeout(timer),
};


/** The connection to a chat endpoint, its rooms and its outbox. */
export class WsChat {
    #options;
    #clock;
    #connection;
    #requests;
    #outbox;
    #events = new Emitter();
    #rooms = new Map();

    /**
     * Connects at once.
     *
     * @param {string} url of the endpoint: ws(s), http(s), or relative to
     *   the page
     * @param {object} [options]
     * @param {string} [options.user] name, where the server takes `?user=`
     * @param {function({refused: boolean}): Promise<?string>} [options.token]
     *   asked for a JWT before each connection, and before the one in use
     *   ends; refused: the server did not take the last one
     * @param {string} [options.sse] address of the server's SSE location, for
     *   networks where WebSockets deliver nothing
     * @param {boolean} [options.receipts] tell that messages were delivered
     * @param {string[]|function(): string[]} [options.protocols] subprotocols
     *   to offer; a function is called for each connection
     * @param {{base: number, max: number}} [options.backoff] ms, (500, 30000)
     * @param {number} [options.ackTimeout] ms until a send is repeated (5000)
     * @param {number} [options.connectTimeout] ms until the welcome (10000)
     * @param {number} [options.slack] ms for the answer to a ping (5000)
     * @param {number} [options.keep] messages kept per room (1000)
     * @param {Function} [options.WebSocket] class to use in place of the
     *   global one, which Node has from 22 on
     * @param {?Function} [options.fetch] asks why a handshake was refused;
     *   null: do not ask
     * @param {string} [options.credentials] of these requests and of SSE:
     *   'include' for cookies to another origin, which the server has to name
     *   in ws_chat_origins ('same-origin')
     * @param {function(): number} [options.random] in place of Math.random
     * @param {{now, setTimeout, clearTimeout}} [options.clock] for tests
     */
    constructor(url, options = {}) {
        this.#options = {
            protocols: ['chat.v1.json'], ackTimeout: 5000, slack: 5000,
            connectTimeout: 10000, keep: 1000, receipts: false,
            WebSocket: globalThis.WebSocket,
            fetch: globalThis.fetch?.bind(globalThis),
            credentials: 'same-origin',
            ...options,
        };

        const {WebSocket, sse, fetch, credentials, user} = this.#options;

        this.#options.fetch = fetch && (
            (address, init) => fetch(address, {credentials, ...init}));

        if (!WebSocket && !(sse && fetch)) {
            throw new TypeError('no WebSocket here: pass options.WebSocket');
        }

        this.#clock = options.clock ?? REAL_CLOCK;
        /** address in use */
        this.url = endpoint(url, user).replace(/^http/, 'ws');
        this.#options.urls = {
            ws: this.url,
            sse: sse && endpoint(sse, user).replace(/^ws/, 'http'),
        };
        this.#connection = this.#newConnection();
        this.#requests = new Requests(this.#connection);
        this.#outbox = new Outbox({
            ackTimeout: this.#options.ackTimeout,
            now: () => this.#clock.now(),
            put: (frame) => this.#connection.put(frame),
            later: (ms, fn) => this.#connection.later(ms, fn),
            canSend: (chatId) => !!this.#rooms.get(chatId)?.joined,
            changed: (sent) => this.#events.emit('delivery', sent),
        });
        this.connect();
    }

    /** @type {'connecting'|'online'|'stale'|'offline'|'closed'} */
    get state() {
        return this.#connection.state;
    }

    /** @type {?number} when the next try comes, in the state `offline` */
    get retryAt() {
        return this.#connection.retryAt;
    }

    /** @type {?WsChatError} why the state is `closed` */
    get error() {
        return this.#connection.error;
    }

    /** @type {?object} the server's last `welcome` event */
    get welcome() {
        return this.#connection.welcome;
    }

    /** @type {?('websocket'|'sse')} how it is connected now */
    get transport() {
        return this.#connection.transport;
    }

    /** The name the server knows this client by. */
    get user() {
        return this.welcome?.user ?? this.#options.user;
    }

    /** @returns {Sent[]} what is not stored yet, oldest first */
    get outbox() {
        return this.#outbox.all;
    }

    /** @returns {?Room} */
    room(chatId) {
        return this.#rooms.get(chatId) ?? null;
    }

    /**
     * Listens to an event. Those of the client: `state` {state, error,
     * retryAt}, `joined` {room, recovered}, `message` (new ones, in order),
     * `delivery` (a Sent whose state changed), `gap` {room, after, before,
     * reason}: could not be filled, `reset` {room, reason}: room.messages was
     * replaced, `left` {chat_id, error}: the server ended a membership,
     * `notice` {sender, message, timestamp}: from a server to this user, or
     * to everybody, outside of chats, `error` (a WsChatError). Those of a chat, when the room has taken them
     * in: `presence`, `typing`, `mark`, `signal`, `update`, with `room`. Other
     * server events come under their name.
     *
     * @returns {function(): void} stops listening
     */
    on(event, fn) {
        return this.#events.on(event, fn);
    }

    /** Listens to the next one only.
     *  @returns {function(): void} stops listening */
    once(event, fn) {
        return this.#events.once(event, fn);
    }

    off(event, fn) {
        this.#events.off(event, fn);
    }

    /** Connects now, instead of waiting for the next try or after a close. */
    connect() {
        this.#connection.connect();
    }

    /** Ends the connection for good; what is unsent fails with `closed`. */
    close() {
        this.#connection.close();
    }

    /** Asks for a sign of life, for instance when the network changed. */
    check() {
        this.#connection.ping();
    }

    /**
     * Joins a chat and stays joined over reconnects.
     *
     * @param {string} chatId
     * @param {{history?: number}} [options] how many last messages to load
     * @returns {Promise<Room>}
     */
    join(chatId, {history = 50} = {}) {
        let room = this.#rooms.get(chatId);

        if (room) {
            return room.ready;
        }

        if (this.state === 'closed') {
            return Promise.reject(new WsChatError('closed', 'not connected'));
        }

        room = this.#newRoom(chatId, history);
        this.#rooms.set(chatId, room);

        if (this.#connection.online) {
            this.#enter(room);
        }

        return room.ready;
    }

    /** Leaves a chat; what is unsent there fails with `not_joined`.
     *  @returns {Promise<void>} */
    async leave(chatId) {
        if (!this.#rooms.has(chatId)) {
            return;
        }

        this.#end(chatId, new WsChatError('not_joined', 'left the chat'));

        if (this.#connection.online) {
            await this.request({op: 'leave', chat_id: chatId})
                      .catch(() => {});
        }
    }

    /**
     * The messages of a chat, for `for await`: those that come with the join,
     * if it is not joined yet, then each new one. It ends with leave() or
     * close(), and throws when the server ends it.
     *
     * @param {string} chatId
     * @param {{history?: number}} [options] as for join(); 0
     * @returns {AsyncGenerator<object>}
     */
    messages(chatId, {history = 0} = {}) {
        return messages(this, chatId, {history});
    }

    /**
     * Sends a message, now or when the connection allows it.
     *
     * @param {string} chatId a joined chat
     * @param {*} message any JSON value
     * @param {{cid?: string, retry?: boolean}} [options] an earlier cid, to
     *   finish what a former page began
     * @returns {Sent}
     */
    send(chatId, message, {cid = newCid(), retry = false} = {}) {
        const sent = new Sent(chatId, message, cid, this.#clock.now());

        if (JSON.stringify(message) === undefined) {
            throw new TypeError('not a JSON value');
        }

        this.#rooms.get(chatId)?.type(false);
        return this.#outbox.get(cid) ?? this.#enqueue(sent, retry);
    }

    /** Tries a failed message again, under its own cid. */
    resend(sent) {
        if (sent.state === 'failed') {
            this.#enqueue(sent, true);
        }
    }

    /** Says that the user types, or does no more; call it with each key. */
    typing(chatId, on = true) {
        this.#rooms.get(chatId)?.type(on);
    }

    /** Tells how far messages were delivered or read; it goes out with what
     *  comes soon after, and never back.
     *  @param {{delivered?: object, read?: object}} marks positions */
    mark(chatId, marks) {
        this.#rooms.get(chatId)?.mark(marks);
    }

    /** Sends data past the history to those who are here now; null takes the
     *  last one of this name back.
     *  @param {{keep?: boolean}} [options] who joins later gets the last one
     *  @returns {Promise<object>} */
    signal(chatId, name, data, {keep = false} = {}) {
        return this.request({op: 'signal', chat_id: chatId, name, data, keep});
    }

    /** A page of who is here.
     *  @returns {Promise<{count: number, users: object[], more: boolean}>} */
    presence(chatId, {offset = 0, limit = 100} = {}) {
        return this.#patiently({op: 'presence', chat_id: chatId, offset,
                                limit});
    }

    /** A page of the history, without changing the room.
     *  @returns {Promise<{messages: object[], more: boolean}>} */
    history(chatId, {before, after, limit = 50} = {}) {
        return this.#patiently({op: 'history', chat_id: chatId, before, after,
                                limit});
    }

    /** Changes a message.
     *  @param {{epoch: number, seq: number}} position or the message itself
     *  @returns {Promise<object>} */
    edit(chatId, position, message) {
        return this.#patiently({op: 'edit', chat_id: chatId,
                                ...place(position), message});
    }

    /** Takes a message back.
     *  @param {{epoch: number, seq: number}} position or the message itself
     *  @returns {Promise<object>} */
    retract(chatId, position) {
        return this.#patiently({op: 'retract', chat_id: chatId,
                                ...place(position)});
    }

    /** Sends any command and waits for its one reply.
     *  @returns {Promise<object>} rejected with a WsChatError */
    request(command) {
        return new Promise((resolve, reject) => {
            this.#request(command, (err, ev) => {
                if (err) {
                    reject(err);
                    return;
                }

                resolve(ev);
            });
        });
    }

    #newConnection() {
        return new Connection(this.#options, this.#clock, {
            state: () => {
                const {state, error, retryAt} = this;

                this.#events.emit('state', {state, error, retryAt});
            },
            up: (welcome) => this.#onUp(welcome),
            event: (ev) => this.#onEvent(ev),
            down: () => this.#onDown(),
            stop: (error) => this.#onStop(error),
            error: (err) => this.#events.emit('error', err),
            request: (command) => this.request(command),
            chats: () => [...this.#rooms.values()],
        });
    }

    #newRoom(chatId, history) {
        return new Room(chatId, history, this.#options.keep, {
            receipts: this.#options.receipts,
            me: () => this.user,
            now: () => this.#clock.now(),
            later: (ms, fn) => this.#connection.later(ms, fn),
            seen: (m) => this.#seen(m),
            emit: (event, value) => this.#events.emit(event, value),
            ask: (command) => this.#patiently(command),
            tell: (command, done) => this.#request(command, done),
        });
    }

    #onUp(welcome) {
        const rooms = [...this.#rooms.values()];

        this.#outbox.online(welcome.limits);
        return () => rooms.forEach((room) => this.#enter(room));
    }

    #onDown() {
        this.#rooms.forEach((room) => room.suspend());
        this.#outbox.offline();
        this.#requests.offline();
    }

    #onStop(error) {
        for (const room of [...this.#rooms.values()]) {
            if (!room.position) {
                this.#end(room.chatId, error);
            }
        }

        this.outbox.forEach((sent) => this.#outbox.fail(sent, error));
    }

    #onEvent(ev) {
        const room = this.#rooms.get(ev.chat_id);

        if (ev.ev === 'error') {
            this.#onError(ev);
            return;
        }

        if (this.#requests.onReply(ev)) {
            return;
        }

        switch (ev.ev) {

        case 'ack':
        case 'settled':
            this.#outbox.onAck(ev);
            return;

        case 'kicked':
            this.#expel(ev.chat_id, new WsChatError('forbidden', ev.reason));
            return;
        }

        if (ev.chat_id === undefined) {
            this.#events.emit(ev.ev === 'message' ? 'notice' : ev.ev, ev);
            return;
        }

        if (room?.joined) {
            room.onEvent(ev);
        }
    }

    #onError(ev) {
        const err = new WsChatError(
            ev.code, ev.message,
            {temporary: ev.temporary, retryMs: ev.retry_ms});

        if (!this.#requests.onError(ev.id, err)
            && !this.#outbox.onError(ev.cid ?? ev.id, err))
        {
            this.#events.emit('error', err);
        }
    }

    #request(command, done) {
        if (!this.#connection.online) {
            done(new WsChatError('offline', 'not connected'));
            return;
        }

        this.#requests.send(command, done);
    }

    /* A request that outlives a short refusal, but not the connection. */
    async #patiently(command) {
        for (let n = 1; ; n++) {
            try {
                return await this.request(command);
            } catch (err) {
                if (!err.temporary || err.code === 'offline' || n === TRIES) {
                    throw err;
                }

                await new Promise((resume) => {
                    this.#clock.setTimeout(resume, err.retryMs ?? RETRY_MS);
                });
            }
        }
    }

    #enter(room) {
        const {chatId, history, position} = room;
        const from = position ? {after: position} : {history};

        if (this.#rooms.get(chatId) !== room) {
            return;
        }

        this.#request({op: 'join', chat_id: chatId, ...from}, (err, ev) => {
            if (this.#rooms.get(chatId) !== room || err?.code === 'offline') {
                return;
            }

            if (!err) {
                room.onJoined(ev, position !== null);
                this.#outbox.pump(chatId);
                return;
            }

            if (err.temporary) {
                this.#connection.later(err.retryMs ?? RETRY_MS,
                                       () => this.#enter(room));
                return;
            }

            this.#expel(chatId, err);
        });
    }

    #expel(chatId, error) {
        this.#end(chatId, error);
        this.#events.emit('left', {chat_id: chatId, error});
    }

    #end(chatId, error) {
        const room = this.#rooms.get(chatId);

        this.#rooms.delete(chatId);
        room?.end(error);

        for (const sent of this.outbox) {
            if (sent.chatId === chatId) {
                this.#outbox.fail(sent, error);
            }
        }
    }

    #enqueue(sent, retry) {
        sent.renew(this.#clock.now(), retry ? 1 : 0);

        if (this.state === 'closed' || !this.#rooms.has(sent.chatId)) {
            this.#outbox.fail(sent, new WsChatError(
                this.state === 'closed' ? 'closed' : 'not_joined'));
            return sent;
        }

        this.#outbox.add(sent);
        return sent;
    }

    /* One's own message came back: that is where it is stored. */
    #seen(m) {
        const sent = m.sender === this.user && this.#outbox.get(m.cid);

        if (sent) {
            this.#outbox.onStored(sent, m);
        }
    }
}


function newCid() {
    const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16));

    return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}


/* The full address, relative to the page, with the name in it. */
function endpoint(url, user) {
    const full = new URL(url, globalThis.location?.href);

    full.hash = '';

    if (user !== undefined) {
        const others = full.search.slice(1).split('&')
                           .filter((arg) => arg && !arg.startsWith('user='));
        full.search = [...others, `user=${encodeURIComponent(user)}`]
                          .join('&');
    }

    return full.href;
}
