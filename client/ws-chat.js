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
import {WsChatError} from './ws-chat/error.js';
import {Link} from './ws-chat/link.js';
import {Outbox, Sent} from './ws-chat/outbox.js';
import {comparePositions} from './ws-chat/position.js';
import {Room} from './ws-chat/room.js';

export {Backoff, Room, Sent, WsChatError, closePolicy, comparePositions};

const STEADY_MS = 5000;         /* a session this long was a good one */
const REPLY_MS = 10000;         /* until a command counts as unanswered */
const RETRY_MS = 1000;          /* where the server names no time */
const TRIES = 3;                /* of a history page */
const REFUSALS = {400: 'bad_request', 401: 'unauthorized', 403: 'forbidden'};


/** The connection to a chat endpoint, its rooms and its outbox. */
export class WsChat {
    #options;
    #clock;
    #backoff;
    #outbox;
    #listeners = new Map();
    #rooms = new Map();
    #pending = new Map();
    #lastId = 0;
    #link = null;
    #retry = null;

    /**
     * Connects at once.
     *
     * @param {string} url of the endpoint: ws(s), http(s), or relative to
     *   the page
     * @param {object} [options]
     * @param {string} [options.user] name, where the server takes `?user=`
     * @param {string[]|function(): string[]} [options.protocols] subprotocols
     *   to offer; a function is called for each connection, for instance to
     *   add a fresh `bearer.<jwt>`
     * @param {{base: number, max: number}} [options.backoff] ms, (500, 30000)
     * @param {number} [options.ackTimeout] ms until a send is repeated (5000)
     * @param {number} [options.connectTimeout] ms until the welcome (10000)
     * @param {number} [options.slack] ms for the answer to a ping (5000)
     * @param {number} [options.keep] messages kept per room (1000)
     * @param {Function} [options.WebSocket] class to use in place of the
     *   global one
     * @param {?Function} [options.fetch] asks why a handshake was refused;
     *   null: do not ask
     * @param {function(): number} [options.random] in place of Math.random
     * @param {{now, setTimeout, clearTimeout}} [options.clock] for tests
     */
    constructor(url, options = {}) {
        this.#options = {
            protocols: ['chat.v1.json'], ackTimeout: 5000, slack: 5000,
            connectTimeout: 10000, keep: 1000,
            WebSocket: globalThis.WebSocket,
            fetch: globalThis.fetch?.bind(globalThis),
            ...options,
        };
        this.#clock = options.clock ?? {
            now: () => Date.now(),
            setTimeout: (fn, ms) => setTimeout(fn, ms),
            clearTimeout: (timer) => clearTimeout(timer),
        };

        if (!this.#options.WebSocket) {
            throw new TypeError('no WebSocket here: pass options.WebSocket');
        }

        this.#backoff = new Backoff(options.backoff, options.random);
        this.#outbox = new Outbox({
            ackTimeout: this.#options.ackTimeout,
            now: () => this.#clock.now(),
            put: (frame) => this.#link.put(frame),
            later: (ms, fn) => this.#link.later(ms, fn),
            canSend: (chatId) => !!this.#rooms.get(chatId)?.joined,
            changed: (sent) => this.#emit('delivery', sent),
        });

        /** address in use */
        this.url = endpoint(url, options.user);
        /** @type {'connecting'|'online'|'stale'|'offline'|'closed'} */
        this.state = 'closed';
        /** @type {?number} when the next try comes, in the state `offline` */
        this.retryAt = null;
        /** @type {?WsChatError} why the state is `closed` */
        this.error = null;
        /** @type {?object} the server's last `welcome` event */
        this.welcome = null;
        this.connect();
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
     * `error` (a WsChatError). Other server events come under their name.
     *
     * @returns {function(): void} stops listening
     */
    on(event, fn) {
        const all = this.#listeners.get(event) ?? new Set();

        this.#listeners.set(event, all.add(fn));
        return () => all.delete(fn);
    }

    /** Connects now, instead of waiting for the next try or after a close. */
    connect() {
        if (this.#link) {
            return;
        }

        this.#clock.clearTimeout(this.#retry);
        this.error = null;
        this.#open();
    }

    /** Ends the connection for good; what is unsent fails with `closed`. */
    close() {
        this.#link?.end(1000);
        this.#drop();
        this.#stop(new WsChatError('closed', 'closed by this client'));
    }

    /** Asks for a sign of life, for instance when the network changed. */
    check() {
        if (this.#online) {
            this.#link.ping();
        }
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

        room = new Room(chatId, history, this.#options.keep, {
            seen: (m) => this.#seen(m),
            emit: (event, value) => this.#emit(event, value),
            ask: (command) => this.#patiently(command),
        });
        this.#rooms.set(chatId, room);

        if (this.#online) {
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

        if (this.#online) {
            await this.request({op: 'leave', chat_id: chatId})
                      .catch(() => {});
        }
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

        return this.#outbox.get(cid) ?? this.#enqueue(sent, retry);
    }

    /** Tries a failed message again, under its own cid. */
    resend(sent) {
        if (sent.state === 'failed') {
            this.#enqueue(sent, true);
        }
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

    get #online() {
        return this.#link !== null && this.#link.welcomeAt !== null;
    }

    #emit(event, value) {
        for (const fn of [...this.#listeners.get(event) ?? []]) {
            try {
                fn(value);
            } catch (err) {
                queueMicrotask(() => {
                    throw err;
                });
            }
        }
    }

    #setState(state) {
        const {error, retryAt} = this;

        this.state = state;
        this.#emit('state', {state, error, retryAt});
    }

    #open() {
        const {WebSocket, protocols} = this.#options;
        const offer = typeof protocols === 'function' ? protocols()
                                                      : protocols;

        this.#link = new Link(
            new WebSocket(this.url, offer), this.#clock, this.#options, {
                event: (ev) => this.#onEvent(ev),
                noise: (err) => this.#emit(
                    'error', new WsChatError('bad_frame', err.message)),
                down: (code, reason) => this.#onClose(code, reason),
            });
        this.retryAt = null;
        this.#setState('connecting');
    }

    /* Lets go of the connection; what was on its way waits for the next. */
    #drop() {
        const pending = [...this.#pending.values()];

        this.#link = null;
        this.#pending.clear();
        this.#rooms.forEach((room) => room.suspend());
        this.#outbox.offline();

        const err = new WsChatError('offline', 'the connection was lost');
        pending.forEach((done) => done(err));
    }

    #onClose(code, reason) {
        const link = this.#link;
        const policy = closePolicy(code);

        this.#drop();

        if (policy === 'stop') {
            this.#stop(new WsChatError(
                code === 4001 ? 'unauthorized' : 'forbidden',
                reason || `closed with ${code}`,
                {status: code}));
            return;
        }

        if (link.welcomeAt !== null
            && this.#clock.now() - link.welcomeAt >= STEADY_MS)
        {
            this.#backoff.reset();
        }

        this.#comeBack(link.comeBackIn ?? this.#backoff.after(policy));

        if (!link.opened && this.#options.fetch) {
            this.#probe(this.#retry);
        }
    }

    #comeBack(ms) {
        this.#clock.clearTimeout(this.#retry);
        this.#retry = this.#clock.setTimeout(() => this.#open(), ms);
        this.retryAt = this.#clock.now() + ms;
        this.#setState('offline');
    }

    /* To script every refused handshake looks the same; a plain GET of the
       address tells why. */
    async #probe(retry) {
        const url = this.url.replace(/^ws/, 'http');
        let answer;

        try {
            answer = await this.#options.fetch(
                url, {cache: 'no-store', credentials: 'include'});
        } catch (err) {
            return;
        }

        if (this.#retry !== retry || this.state !== 'offline') {
            return;
        }

        const code = REFUSALS[answer.status];
        const seconds = Number(answer.headers.get('Retry-After'));

        if (code) {
            this.#stop(new WsChatError(
                code, `refused with ${answer.status}`,
                {status: answer.status}));
            return;
        }

        if (seconds > 0) {
            this.#comeBack(1000 * seconds + this.#backoff.next());
        }
    }

    /* The end, until connect() is called. */
    #stop(error) {
        this.#clock.clearTimeout(this.#retry);
        this.retryAt = null;
        this.error = error;

        for (const room of [...this.#rooms.values()]) {
            if (!room.position) {
                this.#end(room.chatId, error);
            }
        }

        this.outbox.forEach((sent) => this.#outbox.fail(sent, error));
        this.#setState('closed');
    }

    #onEvent(ev) {
        const room = this.#rooms.get(ev.chat_id);
        const done = this.#pending.get(ev.id);

        if (ev.ev === 'error') {
            this.#onError(ev, done);
            return;
        }

        if (done) {
            this.#pending.delete(ev.id);
            done(null, ev);
            return;
        }

        switch (ev.ev) {

        case 'welcome':
            this.#onWelcome(ev);
            return;

        case 'ack':
        case 'settled':
            this.#outbox.onAck(ev);
            return;

        case 'message':
        case 'gap':
            if (room?.joined) {
                room.onEvent(ev);
            }

            return;

        case 'kicked':
            this.#expel(ev.chat_id, new WsChatError('forbidden', ev.reason));
            return;

        case 'reconnect':
            this.#link.comeBackIn = ev.in_ms;
            return;

        case 'status':
            this.#setState(ev.state === 'stale' ? 'stale' : 'online');
            return;
        }

        this.#emit(ev.ev, ev);
    }

    #onWelcome(ev) {
        const rooms = [...this.#rooms.values()];

        this.welcome = ev;
        this.#link.welcome(ev.ping_ms);
        this.#outbox.online(ev.limits);
        this.#setState('online');
        rooms.forEach((room) => this.#enter(room));
    }

    #onError(ev, done) {
        const err = new WsChatError(
            ev.code, ev.message,
            {temporary: ev.temporary, retryMs: ev.retry_ms});

        if (done) {
            this.#pending.delete(ev.id);
            done(err);
            return;
        }

        if (!this.#outbox.onError(ev.cid ?? ev.id, err)) {
            this.#emit('error', err);
        }
    }

    #request(command, done) {
        const id = ++this.#lastId;

        if (!this.#online) {
            done(new WsChatError('offline', 'not connected'));
            return;
        }

        this.#pending.set(id, done);
        this.#link.put(JSON.stringify({...command, id}));
        this.#link.later(REPLY_MS, () => {
            if (this.#pending.delete(id)) {
                done(new WsChatError('timeout', 'no reply in time'));
            }
        });
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
                this.#link.later(err.retryMs ?? RETRY_MS,
                                 () => this.#enter(room));
                return;
            }

            this.#expel(chatId, err);
        });
    }

    #expel(chatId, error) {
        this.#end(chatId, error);
        this.#emit('left', {chat_id: chatId, error});
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


function endpoint(url, user) {
    const full = new URL(url, globalThis.location?.href);

    full.protocol = full.protocol.replace(/^http/, 'ws');
    full.hash = '';

    if (user !== undefined) {
        const others = full.search.slice(1).split('&')
                           .filter((arg) => arg && !arg.startsWith('user='));
        full.search = [...others, `user=${encodeURIComponent(user)}`]
                          .join('&');
    }

    return full.href;
}
