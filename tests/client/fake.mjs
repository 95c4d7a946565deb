/* A clock and a server end that do only what the test says. */

import {webcrypto} from 'node:crypto';

import {WsChat} from '../../client/ws-chat.js';


globalThis.crypto ??= webcrypto;      /* Node 18 has it in the module only */


export class FakeClock {
    #now = 1000000;
    #timers = new Map();
    #last = 0;

    now() {
        return this.#now;
    }

    setTimeout(fn, ms) {
        this.#timers.set(++this.#last, {at: this.#now + ms, fn});
        return this.#last;
    }

    clearTimeout(id) {
        this.#timers.delete(id);
    }

    get waiting() {
        return this.#timers.size;
    }

    /** The time is later, but nothing has run meanwhile. */
    skip(ms) {
        this.#now += ms;
    }

    /** Lets time pass and runs what falls due, in order. */
    async pass(ms) {
        const end = this.#now + ms;

        for (;;) {
            const due = [...this.#timers].filter(([, t]) => t.at <= end)
                                         .sort((a, b) => a[1].at - b[1].at)[0];

            if (!due) {
                break;
            }

            this.#timers.delete(due[0]);
            this.#now = Math.max(this.#now, due[1].at);
            due[1].fn();
            await settle();
        }

        this.#now = end;
        await settle();
    }
}


/** Lets every promise that can settle do so. */
export function settle() {
    return new Promise((resume) => setImmediate(resume));
}


export function message(seq, more = {}) {
    const epoch = more.epoch ?? 1;

    return {ev: 'message', chat_id: 'a', epoch, seq,
            prev: seq > 1 ? {epoch, seq: seq - 1} : null, cid: `c${seq}`,
            sender: 'bob', message: `text ${seq}`, timestamp: seq, ...more};
}


export function at(seq, epoch = 1) {
    return {epoch, seq};
}


/* A client whose server is the test. */
class World {
    constructor(options) {
        const {sockets} = this;

        this.chat = new WsChat('ws://host/chat', {
            WebSocket: class extends FakeSocket {
                constructor(url, protocols) {
                    super(url, protocols);
                    sockets.push(this);
                }
            },
            clock: this.clock, fetch: null, random: () => 0.5, ...options,
        });

        for (const name of ['state', 'joined', 'message', 'delivery', 'gap',
                            'reset', 'left', 'error', 'presence', 'typing',
                            'mark', 'signal', 'update'])
        {
            this.chat.on(name, (value) => this.events.push({name, value}));
        }
    }

    clock = new FakeClock();
    sockets = [];
    events = [];

    get socket() {
        return this.sockets.at(-1);
    }

    /** What the client sent since the last look, without pings. */
    taken() {
        return this.socket.sent.splice(0).filter((c) => c.op !== 'ping');
    }

    async tell(ev) {
        this.socket.onmessage?.({data: JSON.stringify(ev)});
        await settle();
    }

    async welcome(more = {}) {
        this.socket.onopen?.({});
        await this.tell({ev: 'welcome', proto: 1, user: 'ada', ping_ms: 30000,
                         limits: {max_message: 65536}, ...more});
    }

    async lose(code = 1006, reason = '') {
        this.socket.onclose?.({code, reason});
        await settle();
    }

    /** Answers the command of this op that is waiting. */
    async answer(op, reply) {
        const asked = this.taken().find((c) => c.op === op);

        await this.tell({id: asked.id, chat_id: asked.chat_id, ...reply});
        return asked;
    }

    /** Answers the joins that are waiting; returns the first of them. */
    async joined(more = {}) {
        const joins = this.taken().filter((c) => c.op === 'join');

        for (const {id, chat_id} of joins) {
            await this.tell({ev: 'joined', id, chat_id, epoch: 1, head: at(0),
                             recovered: true, messages: [], more: false,
                             ...more});
        }

        return joins[0];
    }

    /** A first session with the chat `a` joined at a position. */
    async session(seq = 0, more = {}) {
        this.chat.join('a', {history: 10});
        await this.welcome();
        await this.joined({head: at(seq), ...more});
        return this.chat.room('a');
    }

    /** Loses the connection and is back, up to the join sent. */
    async again(code) {
        await this.lose(code);
        await this.clock.pass(this.chat.retryAt - this.clock.now());
        await this.welcome();
    }

    named(name) {
        return this.events.filter((e) => e.name === name).map((e) => e.value);
    }

    get seqs() {
        return this.named('message').map((m) => m.seq);
    }
}


class FakeSocket {
    constructor(url, protocols) {
        Object.assign(this, {url, protocols, sent: [], closedWith: null});
    }

    send(text) {
        this.sent.push(JSON.parse(text));
    }

    close(code) {
        this.closedWith = code ?? 1005;
    }
}


/** A client, just connecting; what the test does is its server. */
export function start(options) {
    return new World(options);
}
