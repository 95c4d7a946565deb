/*
 * One socket, from its opening to its end, with the timers that end with it.
 * It tells events and, once, that it is down.
 */
export class Link {
    #socket;
    #clock;
    #tell;
    #slack;
    #timers = new Set();
    #heardAt = 0;
    #askedAt = null;

    /**
     * @param {WebSocket} socket a new one
     * @param {{now, setTimeout, clearTimeout}} clock
     * @param {{connectTimeout: number, slack: number}} limits in ms
     * @param {{event, noise, down}} tell event(object), noise(Error): what
     *   could not be read, down(code, reason)
     */
    constructor(socket, clock, {connectTimeout, slack}, tell) {
        this.#socket = socket;
        this.#clock = clock;
        this.#slack = slack;
        this.#tell = tell;
        /** @type {'websocket'|'sse'} */
        this.kind = socket.kind ?? 'websocket';
        /** did the handshake succeed? */
        this.opened = false;
        /** when the welcome came */
        this.welcomeAt = null;
        /** ms the server asked to stay away */
        this.comeBackIn = null;

        socket.onopen = () => {
            this.opened = true;
        };
        socket.onerror = () => {};
        socket.onmessage = (ev) => this.#onFrame(ev.data);
        socket.onclose = (ev) => this.#down(ev.code, ev.reason);
        this.later(connectTimeout, () => {
            if (this.welcomeAt === null) {
                this.#down(1006, 'no welcome in time');
            }
        });
    }

    put(frame) {
        this.#socket.send(frame);
    }

    /** Runs something later, unless the link ends before. */
    later(ms, fn) {
        const timer = this.#clock.setTimeout(() => {
            this.#timers.delete(timer);
            fn();
        }, ms);

        this.#timers.add(timer);
    }

    /** The session begins.
     *  @param {number} [pingMs] longest silence before it asks for a sign of
     *    life: script cannot see the server's own pings */
    welcome(pingMs) {
        this.welcomeAt = this.#clock.now();

        if (pingMs > 0) {
            this.#watch(pingMs);
        }
    }

    /** Asks for a sign of life; none within the slack ends the link. */
    ping() {
        const asked = this.#clock.now();

        if (this.#askedAt !== null) {
            return;
        }

        this.#askedAt = asked;
        this.put('{"op":"ping","id":"ping"}');
        this.later(this.#slack, () => {
            if (this.#askedAt === asked) {
                this.#down(1006, 'no answer to a ping');
            }
        });
    }

    /** Lets go of the socket; nothing is told any more. */
    end(code) {
        const socket = this.#socket;

        this.#timers.forEach((timer) => this.#clock.clearTimeout(timer));
        this.#timers.clear();
        socket.onopen = null;
        socket.onmessage = null;
        socket.onclose = null;
        socket.close(code);
    }

    #down(code, reason) {
        this.end();
        this.#tell.down(code, reason);
    }

    #onFrame(data) {
        let ev;

        this.#heardAt = this.#clock.now();
        this.#askedAt = null;

        try {
            ev = JSON.parse(data);
        } catch (err) {
            this.#tell.noise(err);
            return;
        }

        this.#tell.event(ev);
    }

    #watch(pingMs) {
        const quiet = this.#clock.now() - this.#heardAt;

        if (quiet < pingMs) {
            this.later(pingMs - quiet, () => this.#watch(pingMs));
            return;
        }

        this.ping();
        this.later(pingMs, () => this.#watch(pingMs));
    }
}
