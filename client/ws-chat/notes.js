import {comparePositions, later} from './position.js';

const MARK_MS = 250;            /* marks so close go as one */
const TYPING_MS = 2500;         /* typing is said again after this: it lasts 6 s,
                                   and the server passes over what comes
                                   within 3 s */
const RETRY_MS = 2000;          /* where the server names no time */


/** What a member tells about itself in a chat: typing and marks. Neither is
 *  ever late: what was not said before a cut is said again only if it still
 *  holds. */
export class Notes {
    #line;
    #typedAt = -Infinity;
    #due = {};
    #said = {};
    #isTimed = false;

    /** @param line {now(), later(ms, fn), isJoined(), tell(command, done)} */
    constructor(line) {
        this.#line = line;
    }

    /** Call it with each key; it says so now and then. */
    typing(on) {
        const now = this.#line.now();
        const isFresh = now - this.#typedAt < TYPING_MS;

        if (!this.#line.isJoined() || (on && isFresh)
            || (!on && this.#typedAt === -Infinity))
        {
            return;
        }

        this.#typedAt = on ? now : -Infinity;
        this.#line.tell({op: 'typing', on}, () => {});
    }

    /** @param {{delivered: ?object, read: ?object}} marks positions */
    mark({delivered, read}) {
        this.#raise('delivered', delivered);
        this.#raise('read', read);
        this.#plan(MARK_MS);
    }

    /** The chat is joined (again).
     *  @param {{delivered: ?object, read: ?object}} [known] one's own marks,
     *    as the server has them */
    online(known = {}) {
        this.#typedAt = -Infinity;
        this.#isTimed = false;
        this.#said = {...this.#said, ...known};
        this.#plan(MARK_MS);
    }

    #raise(kind, position) {
        if (position && (!this.#said[kind]
                         || comparePositions(position, this.#said[kind]) > 0))
        {
            const {epoch, seq} = position;

            this.#due[kind] = later({epoch, seq}, this.#due[kind] ?? null);
        }
    }

    #plan(ms) {
        if (this.#isTimed || !this.#line.isJoined()
            || Object.keys(this.#due).length === 0)
        {
            return;
        }

        this.#isTimed = true;
        this.#line.later(ms, () => {
            this.#isTimed = false;
            this.#flush();
        });
    }

    #flush() {
        const due = this.#due;

        this.#due = {};
        Object.assign(this.#said, due);
        this.#line.tell({op: 'mark', ...due}, (err) => {
            if (err?.temporary) {
                this.#said = {};
                this.#raise('delivered', due.delivered);
                this.#raise('read', due.read);
                this.#plan(err.retryMs ?? RETRY_MS);
            }
        });
    }
}
