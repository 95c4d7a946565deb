import {WsChatError} from './error.js';

const REPLY_MS = 10000;         /* until a command counts as unanswered */


/** Commands that wait for their one reply, on one connection after the
 *  other. */
export class Requests {
    #line;
    #pending = new Map();
    #unknown = new Set();
    #lastId = 0;

    /** @param line {put, later}: a frame on the wire; run something later on
     *  this connection */
    constructor(line) {
        this.#line = line;
    }

    /** @param {function(?WsChatError, object): void} done called once */
    send(command, done) {
        const id = ++this.#lastId;

        if (this.#unknown.has(command.op)) {
            done(unknownOp(command.op));
            return;
        }

        this.#pending.set(id, {op: command.op, done});
        this.#line.put(JSON.stringify({...command, id}));
        this.#line.later(REPLY_MS, () => {
            if (this.#pending.delete(id)) {
                done(new WsChatError('timeout', 'no reply in time'));
            }
        });
    }

    /** @returns {boolean} was it the answer to one of these? */
    onReply(ev) {
        return this.#settle(ev.id, null, ev);
    }

    /** @returns {boolean} was it the answer to one of these? */
    onError(id, err) {
        const op = this.#pending.get(id)?.op;

        /* each would count as one more mistake of this client */
        if (op && err.code === 'unknown_op') {
            this.#unknown.add(op);
        }

        return this.#settle(id, err);
    }

    /** The connection is gone; the next one may know more commands. */
    offline() {
        const err = new WsChatError('offline', 'the connection was lost');
        const pending = [...this.#pending.values()];

        this.#pending.clear();
        this.#unknown.clear();
        pending.forEach(({done}) => done(err));
    }

    #settle(id, err, ev) {
        const {done} = this.#pending.get(id) ?? {};

        this.#pending.delete(id);
        done?.(err, ev);
        return done !== undefined;
    }
}


function unknownOp(op) {
    return new WsChatError('unknown_op', `the server does not know "${op}"`);
}
