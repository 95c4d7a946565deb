const MOST_COMMANDS = 64;       /* in one POST */
const MOST_BYTES = 16384;       /* of several; below what servers take */
const RETRY_MS = 2000;          /* where the server names no time */


/** Commands by POST, in order: one request at a time, what came meanwhile
 *  goes together in the next. */
export class PostQueue {
    #url;
    #options;
    #tell;
    #waiting = [];
    #asked = new Map();
    #lastId = 0;
    #isBusy = false;
    #abort = new AbortController();

    /**
     * @param {string} url
     * @param {{fetch: Function, headers: object}} options
     * @param tell {reply(ev), end(status, retryAfter)}: end: no more can be
     *   sent, status 0 is a lost connection
     */
    constructor(url, options, tell) {
        this.#url = url;
        this.#options = options;
        this.#tell = tell;
    }

    add(command) {
        this.#waiting.push(command);
        this.#next();
    }

    /** @returns {Promise<object>} the reply, also if it is an error */
    ask(command) {
        const id = `ask-${++this.#lastId}`;

        return new Promise((resolve) => {
            this.#asked.set(id, resolve);
            this.add({...command, id});
        });
    }

    close() {
        this.#abort.abort();
        this.#waiting = [];
        this.#asked.clear();
    }

    async #next() {
        if (this.#isBusy || this.#waiting.length === 0) {
            return;
        }

        this.#isBusy = true;
        /* what is asked in one go shall travel in one go */
        await null;

        try {
            await this.#post(this.#take());
        } catch (err) {
            if (!this.#abort.signal.aborted) {
                this.#tell.end(0);
            }

            return;
        }

        this.#isBusy = false;
        this.#next();
    }

    /* The next ones that fit in a POST; at least one. */
    #take() {
        const encoder = new TextEncoder();
        let bytes = 0;
        let n = 0;

        while (n < this.#waiting.length && n < MOST_COMMANDS) {
            bytes += encoder.encode(JSON.stringify(this.#waiting[n])).length;

            if (n > 0 && bytes > MOST_BYTES) {
                break;
            }

            n++;
        }

        return this.#waiting.splice(0, n);
    }

    async #post(commands) {
        const answer = await this.#options.fetch(this.#url, {
            method: 'POST', cache: 'no-store',
            headers: {'Content-Type': 'application/json',
                      ...this.#options.headers},
            body: JSON.stringify(commands.length === 1 ? commands[0]
                                                       : commands), signal: this.#abort.signal});
        const {status} = answer;

        if (status === 401 || status === 403) {
            this.#tell.end(status);
            return;
        }

        if (status < 200 || status > 299) {
            const seconds = Number(answer.headers.get('Retry-After'));

            commands.forEach((command) => this.#onReply(
                refused(command, status, seconds)));
            return;
        }

        const text = await answer.text();
        const replies = text ? JSON.parse(text) : [];

        (Array.isArray(replies) ? replies : [replies]).forEach(
            (ev) => this.#onReply(ev));
    }

    #onReply(ev) {
        const resolve = this.#asked.get(ev.id);

        this.#asked.delete(ev.id);

        if (resolve) {
            resolve(ev);
            return;
        }

        this.#tell.reply(ev);
    }
}


/* The error event that stands for a refused POST. */
function refused({id, chat_id, cid}, status, seconds) {
    const isLater = status === 429 || status === 503;
    const temporary = isLater || status >= 500;
    const code = isLater ? 'unavailable' : 'unknown';

    return {
        ev: 'error', id, chat_id, cid, temporary,
        code: temporary ? code : 'bad_request',
        message: `refused with ${status}`,
        retry_ms: temporary ? (1000 * seconds || RETRY_MS) : undefined,
    };
}
