/*
 * A WebSocket made of a stream of events and of POSTs, for those who cannot
 * hold one: the chats of the stream are in its address, so a join opens
 * another stream beside the old one, which ends when the new one has them
 * all. What comes twice meanwhile is dropped by chat and position.
 */

import {EventStream} from './event-stream.js';
import {comparePositions} from './position.js';
import {PostQueue} from './post.js';

const SILENCE_MS = 40000;       /* the server says something each 15 s */
const SETTLE_MS = 3000;         /* for the server to say who is joined */
const FORM_MS = 10;             /* joins so close share a stream */
const MOST_CHATS = 32;
const ZERO = {epoch: 0, seq: 0};
const CLOSES = {401: 4001, 403: 4003, 503: 1013, 429: 1013};


export class SseSocket {
    kind = 'sse';
    onopen = null;
    onmessage = null;
    onclose = null;
    #url;
    #clock;
    #options;
    #posts;
    #streams = new Set();
    #chats = [];
    #joins = new Map();         /* chat -> the join that waits, its events */
    #timers = new Map();        /* by what they are for */
    #isWelcome = false;
    #isOver = false;

    /**
     * @param {string} url of the SSE location
     * @param {{now, setTimeout, clearTimeout}} clock
     * @param {object} options
     * @param {Function} options.fetch
     * @param {Array<{chatId: string, position: ?object}>} options.chats that
     *   will be joined first
     * @param {object} options.headers of each request
     * @param {string} [options.user] the name this client goes by
     */
    constructor(url, clock, options) {
        this.#url = url;
        this.#clock = clock;
        this.#options = options;
        this.#posts = new PostQueue(url, options, {
            reply: (ev) => this.#onReply(ev),
            end: (status, seconds) => this.#onEnd(status, seconds),
        });

        if (options.chats.length > 0) {
            this.#chats = options.chats.map(({chatId}) => chatId);
            this.#after('form', 0, () => this.#openStream());
            return;
        }

        this.#posts.add({op: 'ping', id: 'hello'});
    }

    send(text) {
        const command = JSON.parse(text);

        for (const one of Array.isArray(command) ? command : [command]) {
            this.#onCommand(one);
        }
    }

    close() {
        this.#isOver = true;
        this.#timers.forEach((timer) => this.#clock.clearTimeout(timer));
        this.#timers.clear();
        this.#streams.forEach((stream) => stream.close());
        this.#streams.clear();
        this.#posts.close();
    }

    #after(what, ms, fn) {
        this.#clock.clearTimeout(this.#timers.get(what));
        this.#timers.set(what, this.#clock.setTimeout(() => {
            this.#timers.delete(what);
            fn();
        }, ms));
    }

    #onCommand(command) {
        switch (command.op) {

        case 'join':
            this.#onJoin(command);
            return;

        case 'leave':
            this.#onLeave(command);
            return;

        case 'refresh':
            this.#onRefresh(command);
            return;
        }

        this.#posts.add(command);
    }

    #onJoin(command) {
        const {chat_id: chatId, id} = command;

        if (!this.#chats.includes(chatId)
            && this.#chats.length >= MOST_CHATS)
        {
            this.#tell({ev: 'error', id, chat_id: chatId,
                        code: 'too_many_chats', temporary: false,
                        message: 'a stream has no place for more chats'});
            return;
        }

        this.#joins.set(chatId, {command, events: []});

        for (const stream of this.#streams) {
            if (stream.joined.has(chatId)) {
                this.#answer(chatId, stream);
                return;
            }
        }

        if (!this.#chats.includes(chatId)) {
            this.#chats.push(chatId);
            this.#after('form', FORM_MS, () => this.#openStream());
        }
    }

    /* A stream is as old as its token. */
    #onRefresh({token, id}) {
        this.#options.headers.Authorization = `Bearer ${token}`;
        this.#tell({ev: 'ok', id});
        this.#after('form', FORM_MS, () => this.#openStream());
    }

    #onLeave({chat_id: chatId, id}) {
        this.#joins.delete(chatId);
        this.#tell({ev: 'left', chat_id: chatId, id});

        if (this.#chats.includes(chatId)) {
            this.#chats = this.#chats.filter((other) => other !== chatId);
            this.#after('form', FORM_MS, () => this.#openStream());
        }
    }

    #openStream() {
        const chats = [...this.#chats];
        const args = chats.map((id) => `chat_id=${encodeURIComponent(id)}`);
        const url = `${this.#url}${this.#url.includes('?') ? '&' : '?'}`
                    + args.join('&');

        if (chats.length === 0) {
            this.#clock.clearTimeout(this.#timers.get('silence'));
            this.#retire(null);
            return;
        }

        const stream = new EventStream(this.#options.fetch, {
            open: () => this.#onOpen(stream),
            event: (name, data) => this.#onEvent(stream, name, data),
            heard: () => this.#after('silence', SILENCE_MS,
                                     () => this.#onEnd(0)),
            end: (status, seconds) => this.#onStreamEnd(stream, status,
                                                        seconds),
        });

        /* a lone chat's place in the stream is its position */
        stream.after = chats.length === 1
                       ? this.#positionOf(chats[0]) : null;
        stream.chats = chats;
        stream.joined = new Map();
        this.#streams.add(stream);
        stream.open(url, {
            ...this.#options.headers,
            ...stream.after && {'Last-Event-ID': `${stream.after.epoch}:`
                                                 + stream.after.seq},
        });
    }

    #positionOf(chatId) {
        const join = this.#joins.get(chatId)?.command;
        const known = this.#options.chats.find((c) => c.chatId === chatId);

        if (this.#streams.size > 0) {
            return join?.after ?? null;
        }

        return join ? join.after ?? null : known?.position ?? null;
    }

    /* The streams before this one end, or all of them. */
    #retire(next) {
        for (const stream of [...this.#streams]) {
            if (stream === next) {
                return;
            }

            this.#streams.delete(stream);
            stream.close();
        }
    }

    #onOpen(stream) {
        this.#after('settle', SETTLE_MS, () => this.#settle(stream));
    }

    /* A server that does not tell its joins has the chats by now. */
    #settle(stream) {
        this.#welcome();

        for (const chatId of stream.chats) {
            if (!stream.joined.has(chatId)) {
                stream.joined.set(chatId, null);
                this.#answer(chatId, stream);
            }
        }

        this.#retire(stream);
    }

    #onEvent(stream, name, data) {
        let ev;

        if (name === 'reset') {
            stream.after = null;
            return;
        }

        try {
            ev = JSON.parse(data);
        } catch (err) {
            this.onmessage?.({data});
            return;
        }

        if (ev.ev === 'welcome') {
            this.#welcome(ev);
            return;
        }

        if (ev.ev === 'close') {
            this.#streams.delete(stream);
            this.#down(ev.code, ev.reason);
            return;
        }

        this.#welcome();

        if (ev.ev === 'joined') {
            this.#onStreamJoined(stream, ev);
            return;
        }

        if (ev.ev === 'error' && this.#joins.has(ev.chat_id)) {
            this.#onStreamRefused(stream, ev);
            return;
        }

        if (ev.chat_id === undefined) {
            this.#tell(ev);
            return;
        }

        this.#deliver(ev);
    }

    #onStreamJoined(stream, ev) {
        stream.joined.set(ev.chat_id, ev);
        this.#answer(ev.chat_id, stream);
        this.#conclude(stream);
    }

    /* A chat that may not be joined; a stream without any is none. */
    #onStreamRefused(stream, ev) {
        const isOther = (chatId) => chatId !== ev.chat_id;
        const {id} = this.#joins.get(ev.chat_id).command;

        this.#joins.delete(ev.chat_id);
        this.#chats = this.#chats.filter(isOther);
        stream.chats = stream.chats.filter(isOther);

        if (stream.chats.length === 0) {
            this.#clock.clearTimeout(this.#timers.get('silence'));
            this.#streams.delete(stream);
            stream.close();
        }

        this.#tell({...ev, id});
        this.#conclude(stream);
    }

    #conclude(stream) {
        if (this.#streams.has(stream)
            && stream.chats.every((chatId) => stream.joined.has(chatId)))
        {
            this.#retire(stream);
        }
    }

    #deliver(ev) {
        const join = this.#joins.get(ev.chat_id);

        if (join) {
            join.events.push(ev);
            return;
        }

        if (this.#chats.includes(ev.chat_id)) {
            this.#tell(ev);
        }
    }

    #welcome(ev) {
        if (this.#isWelcome || this.#isOver) {
            return;
        }

        this.#isWelcome = true;
        this.onopen?.({});
        this.#tell(ev ?? {ev: 'welcome', proto: 1, user: this.#options.user});
    }

    /* The stream has the chat: what the join asked for goes with it. */
    async #answer(chatId, stream) {
        const join = this.#joins.get(chatId);
        const joined = stream.joined.get(chatId);

        if (!join || join.isAsking) {
            return;
        }

        join.isAsking = true;

        const {id, after, history} = join.command;
        const reply = after ? resumed(after, joined, stream)
                            : await this.#first(chatId, history, joined);

        if (this.#joins.get(chatId) !== join || this.#isOver) {
            return;
        }

        this.#joins.delete(chatId);
        this.#tell({...reply, ev: reply.ev ?? 'joined', id,
                    chat_id: chatId});
        join.events.forEach((ev) => this.#deliver(ev));
    }

    /* A first join: its messages come from the history, if not along. */
    async #first(chatId, history, joined) {
        if (joined && (joined.messages?.length > 0 || !(history > 0))) {
            return joined;
        }

        const page = await this.#posts.ask({
            op: 'history', chat_id: chatId, limit: Math.max(history ?? 0, 1)});

        if (page.ev === 'error') {
            return page;
        }

        const {messages} = page;
        const last = messages.at(-1) ?? ZERO;

        return {recovered: true, more: false,
                head: {epoch: last.epoch, seq: last.seq}, ...joined,
                messages: history > 0 ? messages : []};
    }

    #onReply(ev) {
        if (ev.id === 'hello' && ev.ev === 'error') {
            this.#onEnd(503, ev.retry_ms / 1000);
            return;
        }

        this.#welcome();

        if (ev.id !== 'hello') {
            this.#tell(ev);
        }
    }

    #tell(ev) {
        if (!this.#isOver) {
            this.onmessage?.({data: JSON.stringify(ev)});
        }
    }

    #onStreamEnd(stream, status, seconds) {
        const wasLive = this.#streams.delete(stream);

        if (wasLive && stream.retryMs !== null && status === 0) {
            this.#tell({ev: 'reconnect', in_ms: stream.retryMs});
        }

        if (wasLive) {
            this.#onEnd(status, seconds);
        }
    }

    #onEnd(status, seconds) {
        if (this.#isOver) {
            return;
        }

        if (seconds > 0) {
            this.#tell({ev: 'reconnect', in_ms: 1000 * seconds});
        }

        this.#down(CLOSES[status] ?? 1006,
                   status ? `refused with ${status}` : '');
    }

    #down(code, reason) {
        const closed = this.onclose;

        this.close();
        closed?.({code, reason});
    }
}


/* The reply to a join that resumes: what was missed is replayed by the
   stream, or fetched from the history by the one who asked. */
function resumed(after, joined, stream) {
    if (stream.after && comparePositions(stream.after, after) === 0) {
        return {...joined, head: after, recovered: true, messages: [],
                more: false};
    }

    if (!joined) {
        return {head: after, recovered: false, reason: 'unavailable'};
    }

    if (joined.recovered === false || joined.messages?.length > 0) {
        return joined;
    }

    const {head} = joined;

    if (head.epoch !== after.epoch || head.seq < after.seq) {
        return {...joined, recovered: false,
                reason: head.epoch > after.epoch ? 'epoch' : 'ahead'};
    }

    return {...joined, recovered: true, messages: [],
            more: head.seq > after.seq};
}
