import {Notes} from './notes.js';
import {before, behind, comparePositions, later, place} from './position.js';
import {RoomState} from './state.js';

const PAGE = 500;       /* most messages in a history reply */


/** A joined chat: its messages in order, the last position seen, and its
 *  state. */
export class Room {
    #link;
    #keep;
    #state;
    #notes;
    #keys = new Set();
    #held = null;
    #goal = null;
    #whole = false;
    #run = 0;
    #settle;

    /** @internal keep: most messages held; link: {seen(m), emit(event, value),
     *  ask(command): Promise, tell(command, done), later(ms, fn), now(),
     *  me(), receipts: tell that messages were delivered */
    constructor(chatId, history, keep, link) {
        this.chatId = chatId;
        /** how many messages a first join or a reload asks for */
        this.history = history;
        /** @type {Array<object>} ascending, without repeats */
        this.messages = [];
        /** @type {?{epoch: number, seq: number}} */
        this.position = null;
        /** is it joined on the present connection? */
        this.joined = false;
        this.#keep = keep;
        this.#link = link;
        /** @type {Promise<Room>} settled by the first join */
        this.ready = new Promise((resolve, reject) => {
            this.#settle = {resolve, reject};
        });
        this.ready.catch(() => {});
        /** @type {Promise<Error>} why it ended: left, kicked or refused */
        this.ended = new Promise((resolve) => {
            this.#settle.ended = resolve;
        });
        this.#state = new RoomState({
            me: link.me, later: link.later, messages: () => this.messages,
            stopped: (sender) => link.emit('typing', {
                ev: 'typing', chat_id: chatId, sender, on: false, room: this}),
        });
        this.#notes = new Notes({
            now: link.now, later: link.later, isJoined: () => this.joined,
            tell: (command, done) => link.tell(
                {...command, chat_id: chatId}, done),
        });
    }

    /** Who is here: `count`, and `users` by name as far as they are known. */
    get presence() {
        return this.#state.presence;
    }

    /** @type {string[]} who types, without oneself */
    get typing() {
        return this.#state.typing;
    }

    /** How far everybody has come: name -> {delivered, read} positions. */
    get marks() {
        return this.#state.marks;
    }

    /** The latest signals: name -> {sender, data}; after a join those sent
     *  with `keep`. */
    get signals() {
        return this.#state.signals;
    }

    /** How many messages of others are behind one's own read mark. */
    get unread() {
        return this.#state.unread;
    }

    /** Whom a message has reached, and who has read it, without its sender.
     *  @returns {{delivered: string[], read: string[]}} */
    receipts(message) {
        const reached = (kind) => [...this.marks].filter(
            ([user, mark]) => user !== message.sender && mark[kind]
                && comparePositions(mark[kind], message) >= 0)
                                           .map(([user]) => user);

        return {delivered: reached('delivered'), read: reached('read')};
    }

    /** Everything up to the last message has been read. */
    markRead() {
        const last = this.messages.at(-1);

        if (last) {
            this.mark({read: place(last)});
        }
    }

    /** @param {{delivered?: object, read?: object}} marks positions */
    mark({delivered, read}) {
        this.#notes.mark({delivered, read});

        if (read) {
            this.#state.onRead(read);
        }
    }

    /** Call it with each key; the others see it for six seconds. */
    type(on = true) {
        this.#notes.typing(on);
    }

    /** May there be messages before the first one of `messages`? */
    get hasOlder() {
        return !this.#whole && this.messages.length > 0
               && this.messages[0].prev !== null;
    }

    /** Loads messages before the first one.
     *  @returns {Promise<Array<object>>} those that were added, ascending */
    async older(limit = 50) {
        if (!this.hasOlder) {
            return [];
        }

        const run = this.#run;
        const first = this.messages[0];
        const page = await this.#link.ask({
            op: 'history', chat_id: this.chatId, before: place(first), limit,
        });

        if (run !== this.#run || first !== this.messages[0]) {
            return [];
        }

        const added = page.messages.filter(
            (m) => comparePositions(m, first) < 0 && this.#isNew(m));

        this.#whole = !page.more;
        this.messages.unshift(...added);
        return added;
    }

    /** @internal the connection is gone; `position` says where to resume */
    suspend() {
        this.joined = false;
        this.#held = null;
        this.#goal = null;
        this.#run++;
        this.#state.suspend();
    }

    /** @internal the room ends: rejected, kicked or left */
    end(error) {
        this.suspend();
        this.#settle.reject(error);
        this.#settle.ended(error);
    }

    /** @internal */
    onJoined(ev, resuming) {
        const head = ev.head ?? {epoch: ev.epoch ?? 0, seq: 0};
        const messages = ev.messages ?? [];

        this.suspend();
        this.joined = true;
        this.#state.onJoined({...ev, head}, resuming ? this.position : head);
        this.#notes.online(ev.marks?.[this.#link.me()]);

        if (!resuming) {
            this.#replace(messages, head);
            this.#settle.resolve(this);
            this.#link.emit('joined', {chat_id: this.chatId, room: this,
                                       recovered: true});
            return;
        }

        this.#held = [];
        this.#link.emit('joined', {chat_id: this.chatId, room: this,
                                   recovered: !!ev.recovered});

        if (!ev.recovered) {
            this.#reload(head, ev.reason ?? 'unavailable');
            return;
        }

        ev.updates?.forEach((update) => this.onEvent(update));
        messages.forEach((m) => this.#accept(m));

        if (ev.more) {
            this.#fill(head, 'trimmed');
            return;
        }

        this.position = later(this.position, head);
        this.#release();
    }

    /** @internal anything of this chat */
    onEvent(ev) {
        switch (ev.ev) {

        case 'message':
            this.#onMessage(ev);
            return;

        case 'gap':
            this.#onGap(ev);
            return;

        case 'update':
            this.#onUpdate(ev);
            break;
        }

        this.#state.onEvent(ev);
        this.#link.emit(ev.ev, {...ev, room: this});
    }

    #onUpdate(ev) {
        const all = [...this.messages, ...this.#held ?? []];
        const m = all.find((one) => comparePositions(one, ev) === 0);

        if (m && ev.retracted) {
            m.retracted = true;
            delete m.message;
        } else if (m) {
            m.edited = true;
            m.message = ev.message;
        }
    }

    #onMessage(m) {
        if (this.#held) {
            this.#held.push(m);
            return;
        }

        if (this.#hole(m)) {
            this.#held = [m];
            this.#fill(before(m), 'backplane');
            return;
        }

        this.#accept(m);
    }

    /* The server could not deliver what is between two positions. */
    #onGap(ev) {
        const goal = before(ev.before);

        if (comparePositions(this.position, goal) >= 0) {
            return;
        }

        if (this.#held) {
            this.#goal = later(this.#goal, goal);
            return;
        }

        this.#held = [];
        this.#fill(goal, ev.reason);
    }

    /* Live messages wait in #held while the history gives (position, goal]. */
    async #fill(goal, reason) {
        const run = this.#run;
        let page = {};

        this.#goal = later(this.#goal, goal);

        try {
            do {
                page = await this.#link.ask(
                    {op: 'history', chat_id: this.chatId,
                     after: this.position, limit: PAGE});

                if (run !== this.#run) {
                    return;
                }

                page.messages.forEach((m) => this.#accept(m));
            } while (page.more && page.messages.length > 0 && this.#behind());

        } catch (err) {
            if (run !== this.#run) {
                return;
            }

            page = {complete_to: this.position};
        }

        if (this.#behind()) {
            if (page.complete_to
                && comparePositions(page.complete_to, this.#goal) < 0)
            {
                this.#gap(behind(this.#goal), reason);
            }

            this.position = this.#goal;
        }

        this.#release();
    }

    /* The server cannot prove what was missed: begin again from the end. */
    async #reload(head, reason) {
        const run = this.#run;
        let messages = [];

        if (this.history > 0) {
            try {
                ({messages} = await this.#link.ask(
                    {op: 'history', chat_id: this.chatId,
                     limit: Math.min(this.history, PAGE)}));
            } catch (err) {
                if (run === this.#run) {
                    this.#link.emit('error', err);
                }
            }
        }

        if (run !== this.#run) {
            return;
        }

        this.#replace(messages, head);
        this.#link.emit('reset', {chat_id: this.chatId, room: this, reason});
        this.#release();
    }

    #release() {
        const held = this.#held ?? [];

        this.#held = null;
        this.#goal = null;
        this.#settle.resolve(this);
        held.forEach((m) => this.#onMessage(m));
    }

    #behind() {
        return comparePositions(this.position, this.#goal) < 0;
    }

    #hole(m) {
        return comparePositions(m, this.position) > 0 && m.prev
               && comparePositions(m.prev, this.position) > 0;
    }

    #gap(beforePosition, reason) {
        this.#link.emit('gap', {chat_id: this.chatId, room: this, reason,
                                after: this.position, before: beforePosition});
    }

    #isNew(m) {
        const key = `${m.sender}\n${m.cid}`;

        if (m.cid && this.#keys.has(key)) {
            return false;
        }

        this.#keys.add(key);
        m.chat_id = this.chatId;
        return true;
    }

    #replace(messages, head) {
        this.#keys.clear();
        this.#whole = false;
        this.messages = messages.filter((m) => this.#isNew(m));
        this.position = head;

        for (const m of this.messages) {
            this.position = later(this.position, place(m));
            this.#link.seen(m);
            this.#receipt(m);
        }
    }

    /* It has reached this client; who sent it need not be told. */
    #receipt(m) {
        if (this.#link.receipts && m.sender !== this.#link.me()) {
            this.#notes.mark({delivered: place(m)});
        }
    }

    #accept(m) {
        if (comparePositions(m, this.position) <= 0) {
            return;
        }

        if (this.#hole(m)) {
            this.#gap(place(m), 'trimmed');
        }

        this.position = place(m);

        if (!this.#isNew(m)) {
            return;
        }

        this.messages.push(m);

        if (this.messages.length > this.#keep) {
            const old = this.messages.shift();
            this.#keys.delete(`${old.sender}\n${old.cid}`);
            this.#whole = false;
        }

        this.#link.seen(m);
        this.#receipt(m);
        this.#state.onMessage(m);
        this.#link.emit('message', m);
    }
}
