/*
 * Reads a text/event-stream, as an EventSource does, over fetch(): so it can
 * carry headers, and works in Node.
 */
export class EventStream {
    #fetch;
    #tell;
    #abort = new AbortController();
    #rest = '';
    #data = [];
    #event = '';

    /**
     * @param {Function} fetch
     * @param tell {open(), event(name, data), heard(), end(status,
     *   retryAfter)}: end comes once, status 0 is a lost connection
     */
    constructor(fetch, tell) {
        this.#fetch = fetch;
        this.#tell = tell;
        /** the last `id:` seen */
        this.lastEventId = '';
        /** @type {?number} the last `retry:` seen, ms */
        this.retryMs = null;
    }

    async open(url, headers) {
        let answer = {status: 0};

        try {
            answer = await this.#fetch(url, {
                headers: {Accept: 'text/event-stream', ...headers},
                cache: 'no-store', signal: this.#abort.signal});

            if (answer.status === 200) {
                this.#tell.open();
                await this.#read(answer.body.getReader());
                answer = {status: 0};
            }
        } catch (err) {
            answer = {status: 0};
        }

        if (!this.#abort.signal.aborted) {
            this.#tell.end(answer.status, answer.headers?.get('Retry-After'));
        }
    }

    /** Ends it; nothing is told any more. */
    close() {
        this.#abort.abort();
    }

    async #read(reader) {
        const decoder = new TextDecoder();

        for (;;) {
            const {done, value} = await reader.read();

            if (done || this.#abort.signal.aborted) {
                return;
            }

            this.#tell.heard();
            this.#push(decoder.decode(value, {stream: true}));
        }
    }

    /* Lines end with CR LF, LF or CR; a CR at the end may be half of one. */
    #push(text) {
        const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);

        this.#rest = lines.pop();
        lines.forEach((line) => this.#onLine(line));
    }

    #onLine(line) {
        if (line === '') {
            this.#dispatch();
            return;
        }

        const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line);

        switch (field) {

        case 'event':
            this.#event = value;
            return;

        case 'data':
            this.#data.push(value);
            return;

        case 'id':
            this.lastEventId = value;
            return;

        case 'retry':
            this.retryMs = /^\d+$/.test(value) ? Number(value) : this.retryMs;
        }
    }

    #dispatch() {
        const data = this.#data.join('\n');
        const event = this.#event;
        const isEvent = this.#data.length > 0 || event !== '';

        this.#data = [];
        this.#event = '';

        if (isEvent && !this.#abort.signal.aborted) {
            this.#tell.event(event, data);
        }
    }
}
