import {WsChatError} from './error.js';

const RETRY_MS = 1000;                  /* where the server names no time */
const GIVE_UP_MS = 12 * 3600 * 1000;    /* well inside the dedupe window */
const FAIR_SHARE = 0.9;                 /* of the server's rate limit */


/** One message on its way; `chat.send()` returns it. */
export class Sent {
    constructor(chatId, message, cid, createdAt) {
        this.chatId = chatId;
        this.message = message;
        this.cid = cid;
        this.renew(createdAt, 0);
    }

    /** @internal begins (again) with a fresh promise */
    renew(createdAt, attempts) {
        /** @type {'queued'|'sent'|'acked'|'failed'} */
        this.state = 'queued';
        /** @type {?WsChatError} why it failed */
        this.error = null;
        /** when it was given to send() */
        this.createdAt = createdAt;
        /** how often it went out; more than none makes it a `retry` */
        this.attempts = attempts;
        /** is it waiting for the time the server named? */
        this.waiting = false;
        this.settle = {};
        /** @type {Promise<Sent>} it is stored, as the chat's delivery
         *  promises */
        this.acked = this.#promise('acked');
        /** @type {Promise<{epoch: number, seq: number}>} where it is stored */
        this.position = this.#promise('position');
    }

    #promise(what) {
        const promise = new Promise((resolve, reject) => {
            this.settle[what] = {resolve, reject};
        });

        promise.catch(() => {});
        return promise;
    }
}


/*
 * What is not stored yet, in order. Messages of one chat go one after the
 * other, so that their order holds even when one has to be repeated.
 */
export class Outbox {
    #line;
    #sends = new Map();
    #limits = {};
    #tokens = 0;
    #filledAt = 0;

    /** @param line {ackTimeout, now, put, later, canSend, changed}: put a
     *  frame on the wire, run something later on this connection, is the chat
     *  joined on it, tell that a Sent changed */
    constructor(line) {
        this.#line = line;
    }

    get all() {
        return [...this.#sends.values()];
    }

    get(cid) {
        return this.#sends.get(cid);
    }

    add(sent) {
        this.#sends.set(sent.cid, sent);
        this.#line.changed(sent);
        this.pump(sent.chatId);
    }

    /** A session begins. */
    online(limits = {}) {
        this.#limits = limits;
        this.#tokens = limits.burst ?? 1;
        this.#filledAt = this.#line.now();
    }

    /** The connection is gone: what was on its way has to go again. */
    offline() {
        for (const sent of this.#sends.values()) {
            sent.waiting = false;

            if (sent.state === 'sent') {
                this.#become(sent, 'queued');
            }
        }
    }

    /** Sends the next of this chat, unless one is on its way. */
    pump(chatId) {
        const sent = this.all.find(
            (s) => s.chatId === chatId && s.state !== 'acked');

        if (sent?.state === 'queued' && !sent.waiting
            && this.#line.canSend(chatId))
        {
            this.#transmit(sent);
        }
    }

    /** The server has it; without a position the echo will tell it. */
    onAck(ev) {
        const sent = this.#sends.get(ev.cid);

        if (!sent) {
            return;
        }

        if (ev.seq !== undefined) {
            this.onStored(sent, ev);
            return;
        }

        sent.settle.acked.resolve(sent);
        this.#become(sent, 'acked');
        this.pump(sent.chatId);
    }

    /** Its position is known. */
    onStored(sent, {epoch, seq}) {
        this.#sends.delete(sent.cid);
        sent.settle.acked.resolve(sent);
        sent.settle.position.resolve({epoch, seq});
        this.#become(sent, 'acked');
        this.pump(sent.chatId);
    }

    /** @returns {boolean} was it about a message in here? */
    onError(cid, error) {
        const sent = this.#sends.get(cid);

        if (!sent) {
            return false;
        }

        if (!error.temporary) {
            this.fail(sent, error);
            return true;
        }

        this.#become(sent, 'queued');
        this.#wait(sent, error.retryMs ?? RETRY_MS);
        return true;
    }

    fail(sent, error) {
        this.#sends.delete(sent.cid);
        sent.error = error;
        sent.settle.acked.reject(error);
        sent.settle.position.reject(error);
        this.#become(sent, 'failed');
        this.pump(sent.chatId);
    }

    #become(sent, state) {
        if (sent.state === state) {
            return;
        }

        sent.state = state;
        this.#line.changed(sent);
    }

    #wait(sent, ms) {
        sent.waiting = true;
        this.#line.later(ms, () => {
            sent.waiting = false;
            this.pump(sent.chatId);
        });
    }

    #transmit(sent) {
        const {ackTimeout, later, now, put} = this.#line;
        const {max_message: most = Infinity} = this.#limits;
        const attempt = sent.attempts + 1;
        const frame = JSON.stringify({
            op: 'send', id: sent.cid, chat_id: sent.chatId, cid: sent.cid,
            message: sent.message, retry: attempt > 1 || undefined,
        });

        if (new TextEncoder().encode(frame).length > most) {
            this.fail(sent, new WsChatError('too_big',
                                            'the message is too long'));
            return;
        }

        if (now() - sent.createdAt > GIVE_UP_MS) {
            this.fail(sent, new WsChatError('expired',
                                            'could not be sent in time'));
            return;
        }

        const pause = this.#pause();

        if (pause > 0) {
            this.#wait(sent, pause);
            return;
        }

        sent.attempts = attempt;
        put(frame);
        this.#become(sent, 'sent');
        later(ackTimeout, () => {
            if (sent.state === 'sent' && sent.attempts === attempt) {
                this.#become(sent, 'queued');
                this.pump(sent.chatId);
            }
        });
    }

    /* A token bucket a little under the server's: ms to wait, or 0. */
    #pause() {
        const now = this.#line.now();
        const {rate, burst} = this.#limits;

        if (!rate || !burst) {
            return 0;
        }

        const perMs = rate * FAIR_SHARE / 1000;

        this.#tokens = Math.min(
            burst, this.#tokens + (now - this.#filledAt) * perMs);
        this.#filledAt = now;

        if (this.#tokens < 1) {
            return Math.ceil((1 - this.#tokens) / perMs);
        }

        this.#tokens--;
        return 0;
    }
}
