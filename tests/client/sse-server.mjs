/* A server of the SSE and POST contract, as small as the tests need. */

import http from 'node:http';


export class SseServer {
    #server;
    #open = new Set();
    chats = new Map();          /* chat_id -> messages */
    streams = [];               /* {chats, lastEventId, headers} */
    posted = [];                /* commands */
    sizes = [];                 /* of the POSTs */
    forbidden = [];             /* chats nobody may join */
    refusal = null;             /* a status, for everything */
    tellsJoins = true;
    knowsPositions = true;      /* of Last-Event-ID */
    retry = 40;

    async start() {
        this.#server = http.createServer((req, res) => this.#on(req, res));
        await new Promise((resolve) => this.#server.listen(
            0, '127.0.0.1', resolve));
        return `http://127.0.0.1:${this.#server.address().port}/sse`;
    }

    async stop() {
        this.#server.closeAllConnections();
        await new Promise((resolve) => this.#server.close(resolve));
    }

    /** A message of somebody, to all streams that have the chat. */
    say(chatId, message, more = {}) {
        const all = this.chats.get(chatId) ?? [];
        const seq = all.length + 1;
        const m = {ev: 'message', chat_id: chatId, epoch: 1, seq,
                   prev: seq > 1 ? {epoch: 1, seq: seq - 1} : null,
                   cid: `s${seq}`, sender: 'bob', message, timestamp: seq,
                   ...more};

        this.chats.set(chatId, [...all, m]);
        this.tell(m);
        return m;
    }

    tell(ev) {
        for (const {res, chats} of this.#open) {
            if (chats.includes(ev.chat_id)) {
                write(res, ev, chats.length === 1);
            }
        }
    }

    get open() {
        return this.#open.size;
    }

    /** Ends all streams, as a restart does. */
    cut() {
        this.#open.forEach(({res}) => res.destroy());
    }

    #on(req, res) {
        if (this.refusal) {
            res.writeHead(this.refusal, {'Retry-After': '1'}).end();
            return;
        }

        if (req.method === 'POST') {
            this.#onPost(req, res);
            return;
        }

        this.#onStream(req, res);
    }

    #onStream(req, res) {
        const url = new URL(req.url, 'http://h');
        const chats = url.searchParams.getAll('chat_id');
        const lastEventId = req.headers['last-event-id'];
        const stream = {res, chats, lastEventId, headers: req.headers};

        this.streams.push(stream);
        this.#open.add(stream);
        req.on('close', () => this.#open.delete(stream));
        res.writeHead(200, {'Content-Type': 'text/event-stream'});
        res.write(`retry: ${this.retry}\r\n\r\n: hello\n`);

        if (lastEventId && !this.knowsPositions) {
            res.write('event: reset\ndata: {}\n\n');
        }

        if (this.tellsJoins) {
            write(res, {ev: 'welcome', proto: 1, ping_ms: 30000,
                        user: url.searchParams.get('user')});
        }

        for (const chat of chats) {
            this.#onJoin(stream, chat);
        }

        if (chats.every((chat) => this.forbidden.includes(chat))) {
            write(res, {ev: 'close', code: 4003, reason: 'nothing to tell'});
            res.end();
        }
    }

    #onJoin({res, lastEventId}, chat) {
        const all = this.chats.get(chat) ?? [];
        const {epoch = 1, seq = 0} = all.at(-1) ?? {};

        if (this.forbidden.includes(chat)) {
            write(res, {ev: 'error', chat_id: chat, code: 'forbidden'});
            return;
        }

        if (this.tellsJoins) {
            write(res, {ev: 'joined', chat_id: chat, epoch,
                        head: {epoch, seq}, recovered: true, messages: [],
                        more: false, presence: {count: 1, users: []}});
        }

        if (lastEventId && this.knowsPositions) {
            const last = Number(lastEventId.split(':')[1]);

            all.filter((m) => m.seq > last).forEach((m) => write(res, m, true));
        }
    }

    async #onPost(req, res) {
        let text = '';

        for await (const chunk of req) {
            text += chunk;
        }

        const asked = JSON.parse(text);
        const commands = [asked].flat();
        const replies = commands.map((c) => this.#reply(c));

        this.sizes.push(text.length);
        this.posted.push(...commands);
        res.writeHead(200, {'Content-Type': 'application/json'});
        res.end(JSON.stringify(Array.isArray(asked) ? replies : replies[0]));
    }

    #reply({op, id, chat_id, cid, message, after, limit = 50}) {
        const all = this.chats.get(chat_id) ?? [];

        if (op === 'send') {
            const m = this.say(chat_id, message, {sender: 'ada', cid});

            return {ev: 'ack', id, chat_id, cid, timestamp: 1, epoch: 1,
                    seq: m.seq};
        }

        if (op === 'history') {
            const behind = all.filter((m) => !after || m.seq > after.seq);
            const messages = after ? behind.slice(0, limit)
                                   : behind.slice(-limit);

            return {ev: 'history', id, chat_id, messages,
                    more: messages.length < behind.length};
        }

        return {ev: op === 'ping' ? 'pong' : 'ok', id};
    }
}


/* Lines of several kinds, data over two lines: readers must bear it. */
function write(res, ev, hasId = false) {
    const data = JSON.stringify(ev).replace(',"', ',\r\ndata: "');
    const id = hasId && ev.seq ? `id: ${ev.epoch}:${ev.seq}\n` : '';

    res.write(`event: ${ev.ev}\n${id}data: ${data}\n\n`);
}
