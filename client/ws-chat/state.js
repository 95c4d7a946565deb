import {comparePositions, later} from './position.js';

const TYPING_MS = 60000;        /* the server ends it; should that be lost */
const MOST_SIGNALS = 1000;      /* names remembered */


/** What a chat is besides its messages: who is here, who types, how far
 *  everybody has come, the latest signals, what is unread. */
export class RoomState {
    #line;
    #typing = new Map();
    #countFrom = null;

    /** @param line {me(), later(ms, fn), messages(), stopped(user)}:
     *  stopped(): somebody's typing has expired */
    constructor(line) {
        this.#line = line;
        /** @type {{count: number, users: Map<string, object>}} */
        this.presence = {count: 0, users: new Map()};
        /** @type {Map<string, {delivered: ?object, read: ?object}>} */
        this.marks = new Map();
        /** @type {Map<string, object>} the latest by name */
        this.signals = new Map();
        /** messages of others behind one's own read mark */
        this.unread = 0;
    }

    /** Who types, without oneself. */
    get typing() {
        return [...this.#typing.keys()];
    }

    /** The connection is gone. */
    suspend() {
        this.#typing.clear();
    }

    /** A join reply brings all of it; what it lacks stays.
     *  @param {?object} seen the position from which messages are counted,
     *    where the server does not count */
    onJoined(ev, seen) {
        const {presence, typing = [], marks = {}, signals} = ev;

        if (presence) {
            this.presence = {count: presence.count, users: new Map(
                (presence.users ?? []).map((one) => [one.user, one]))};
        }

        this.#typing.clear();
        typing.forEach((user) => this.#onTyping(user, true));

        for (const [user, mark] of Object.entries(marks)) {
            this.#raise(user, mark);
        }

        if (signals) {
            this.signals = new Map(Object.entries(signals));
        }

        this.#countFrom = seen;

        if (typeof ev.unread === 'number') {
            this.unread = ev.unread;
            this.#countFrom = ev.head;
        }
    }

    /** @returns {boolean} was it about this state? */
    onEvent(ev) {
        switch (ev.ev) {

        case 'presence':
            this.#onPresence(ev);
            return true;

        case 'typing':
            this.#onTyping(ev.sender, ev.on);
            return true;

        case 'mark':
            this.#onMark(ev);
            return true;

        case 'signal':
            this.#onSignal(ev);
            return true;
        }

        return false;
    }

    /** A message was accepted: who sent it does not type any more. */
    onMessage(m) {
        if (this.#typing.delete(m.sender)) {
            this.#line.stopped(m.sender);
        }

        if (m.sender !== this.#line.me()
            && (!this.#countFrom || comparePositions(m, this.#countFrom) > 0))
        {
            this.unread++;
        }
    }

    /** One's own read mark has moved. */
    onRead(read) {
        const me = this.#line.me();

        this.#raise(me, {read});
        this.unread = this.#line.messages().filter(
            (m) => m.sender !== me && comparePositions(m, read) > 0).length;
    }

    #onPresence({join = [], leave = [], count}) {
        const {users} = this.presence;

        join.map(asUser).forEach((one) => users.set(
            one.user, {...users.get(one.user), ...one}));
        leave.map(asUser).forEach((one) => users.delete(one.user));
        this.presence.count = count ?? users.size;
    }

    #onTyping(user, on) {
        const run = {};

        if (!on || user === this.#line.me()) {
            this.#typing.delete(user);
            return;
        }

        this.#typing.set(user, run);
        this.#line.later(TYPING_MS, () => {
            if (this.#typing.get(user) === run) {
                this.#typing.delete(user);
                this.#line.stopped(user);
            }
        });
    }

    #onMark({sender, delivered, read}) {
        if (sender === this.#line.me() && read) {
            this.onRead(read);
        }

        this.#raise(sender, {delivered, read});
    }

    /* Marks never go back. */
    #raise(user, {delivered, read}) {
        const mark = this.marks.get(user) ?? {delivered: null, read: null};

        this.marks.set(user, {
            delivered: later(delivered ?? null, mark.delivered),
            read: later(read ?? null, mark.read),
        });
    }

    #onSignal({name, sender, data}) {
        this.signals.delete(name);

        if (data === null) {
            return;
        }

        this.signals.set(name, {sender, data});

        if (this.signals.size > MOST_SIGNALS) {
            this.signals.delete(this.signals.keys().next().value);
        }
    }
}


function asUser(one) {
    return typeof one === 'string' ? {user: one} : one;
}
