import {Backoff, closePolicy} from './backoff.js';
import {WsChatError} from './error.js';
import {Link} from './link.js';
import {SseSocket} from './sse.js';
import {Tokens} from './token.js';

const STEADY_MS = 5000;         /* a session this long was a good one */
const MUTE = 3;                 /* opens without a frame, before SSE */
const SSE_MS = 600000;          /* after so long a WebSocket is tried again */
const REFRESH_MS = 5000;        /* between tries to refresh a token */
const REFUSALS = {400: 'bad_request', 401: 'unauthorized', 403: 'forbidden'};


/*
 * Keeps a link to the server: opens it, learns why it was refused, comes back
 * after it broke, when and how the close code says. The link is a WebSocket;
 * where several of them delivered nothing, it is SSE and POST.
 */
export class Connection {
    #options;
    #clock;
    #tell;
    #backoff;
    #tokens;
    #link = null;
    #opening = null;
    #retry = null;
    #mute = 0;
    #sseSince = 0;
    #hasRenewed = false;

    /**
     * @param {object} options see WsChat; urls {ws, sse}
     * @param {{now, setTimeout, clearTimeout}} clock
     * @param tell {state(), up(welcome), event(ev), down(), stop(error),
     *   error(err), request(command), chats()}: up() returns what to do once
     *   the state is `online`
     */
    constructor(options, clock, tell) {
        this.#options = options;
        this.#clock = clock;
        this.#tell = tell;
        this.#backoff = new Backoff(options.backoff, options.random);
        this.#tokens = options.token ? new Tokens(options.token) : null;
        this.state = 'closed';
        this.retryAt = null;
        this.error = null;
        this.welcome = null;
    }

    get online() {
        return this.#link !== null && this.#link.welcomeAt !== null;
    }

    /** @type {?('websocket'|'sse')} of the present link */
    get transport() {
        return this.#link?.kind ?? null;
    }

    connect() {
        if (this.#link || this.#opening) {
            return;
        }

        this.#clock.clearTimeout(this.#retry);
        this.error = null;
        this.#open();
    }

    close() {
        this.#link?.end(1000);
        this.#drop();
        this.#stop(new WsChatError('closed', 'closed by this client'));
    }

    put(frame) {
        this.#link.put(frame);
    }

    /** Runs something later, unless the link ends before. */
    later(ms, fn) {
        this.#link?.later(ms, fn);
    }

    ping() {
        if (this.online) {
            this.#link.ping();
        }
    }

    #setState(state) {
        this.state = state;
        this.#tell.state();
    }

    #open() {
        this.retryAt = null;

        if (!this.#tokens) {
            this.#begin();
            return;
        }

        const run = {};

        this.#opening = run;
        this.#setState('connecting');
        this.#tokens.next().then(
            () => this.#opening === run && this.#tryBegin(),
            (err) => this.#opening === run && this.#onNoToken(err));
    }

    /* A WebSocket takes no token that is not one of HTTP. */
    #tryBegin() {
        try {
            this.#begin();
        } catch (err) {
            this.#opening = null;
            this.#stop(new WsChatError('bad_request', err.message));
        }
    }

    #begin() {
        const kind = this.#choose();
        const socket = kind === 'sse' ? this.#newSse() : this.#newWebSocket();

        this.#opening = null;
        this.#link = new Link(socket, this.#clock, this.#options, {
            event: (ev) => this.#onEvent(ev),
            noise: (err) => this.#tell.error(
                new WsChatError('bad_frame', err.message)),
            down: (code, reason) => this.#onDown(code, reason),
        });

        if (this.state !== 'connecting') {
            this.#setState('connecting');
        }
    }

    #onNoToken(err) {
        this.#opening = null;
        this.#tell.error(new WsChatError('unauthorized', err.message,
                                         {temporary: true}));
        this.#comeBack(this.#backoff.next());
    }

    #choose() {
        const {WebSocket, sse} = this.#options;

        if (!WebSocket) {
            return 'sse';
        }

        if (this.#mute >= MUTE
            && this.#clock.now() - this.#sseSince >= SSE_MS)
        {
            this.#mute = MUTE - 1;
        }

        return sse && this.#mute >= MUTE ? 'sse' : 'websocket';
    }

    #newWebSocket() {
        const {WebSocket, protocols, urls} = this.#options;
        const offer = typeof protocols === 'function' ? protocols()
                                                      : protocols;
        const token = this.#tokens?.current;

        return new WebSocket(urls.ws, token ? [...offer, `bearer.${token}`]
                                            : offer);
    }

    #newSse() {
        const {fetch, urls, user} = this.#options;

        return new SseSocket(urls.sse, this.#clock, {
            fetch, chats: this.#tell.chats(), headers: this.#headers(),
            user: user ?? this.#tokens?.user,
        });
    }

    #headers() {
        const token = this.#tokens?.current;

        return token ? {Authorization: `Bearer ${token}`} : {};
    }

    /* Lets go of the link; what was on its way waits for the next. */
    #drop() {
        this.#link = null;
        this.#opening = null;
        this.#tell.down();
    }

    #onDown(code, reason) {
        const link = this.#link;
        const policy = closePolicy(code);

        this.#drop();
        this.#judge(link);

        if (code === 4001 && this.#renew()) {
            this.#comeBack(this.#backoff.next());
            return;
        }

        if (policy === 'stop') {
            this.#stop(new WsChatError(
                code === 4001 ? 'unauthorized' : 'forbidden',
                reason || `closed with ${code}`,
                {status: code}));
            return;
        }

        this.#comeBack(link.comeBackIn ?? this.#backoff.after(policy));

        if (!link.opened && link.kind === 'websocket' && this.#options.fetch) {
            this.#probe(this.#retry);
        }
    }

    /* What the end of a link says about the ways to the server. */
    #judge(link) {
        if (link.welcomeAt !== null) {
            if (this.#clock.now() - link.welcomeAt >= STEADY_MS) {
                this.#backoff.reset();
                this.#hasRenewed = false;
            }

            return;
        }

        if (link.kind === 'sse') {
            this.#mute = 0;
            return;
        }

        if (link.opened) {
            this.#muted();
        }
    }

    #muted() {
        this.#mute++;
        this.#sseSince = this.#clock.now();
    }

    /* Once, a token that was refused is worth another one. */
    #renew() {
        if (!this.#tokens || this.#hasRenewed) {
            return false;
        }

        this.#hasRenewed = true;
        this.#tokens.refuse();
        return true;
    }

    #comeBack(ms) {
        this.#clock.clearTimeout(this.#retry);
        this.#retry = this.#clock.setTimeout(() => this.#open(), ms);
        this.retryAt = this.#clock.now() + ms;
        this.#setState('offline');
    }

    /* To script every refused handshake looks the same; a plain GET of the
       address tells why. */
    async #probe(retry) {
        const {fetch, urls} = this.#options;
        let answer;

        try {
            answer = await fetch(urls.ws.replace(/^ws/, 'http'), {
                cache: 'no-store', headers: this.#headers()});
        } catch (err) {
            return;
        }

        if (this.#retry !== retry || this.state !== 'offline') {
            return;
        }

        this.#onRefusal(answer.status,
                        Number(answer.headers.get('Retry-After')));
    }

    #onRefusal(status, seconds) {
        const code = REFUSALS[status];

        if (status === 401 && this.#renew()) {
            return;
        }

        if (code) {
            this.#stop(new WsChatError(code, `refused with ${status}`,
                                       {status}));
            return;
        }

        /* here it would have been welcome: something between ate it */
        if (status === 426) {
            this.#muted();
        }

        if (seconds > 0) {
            this.#comeBack(1000 * seconds + this.#backoff.next());
        }
    }

    /* The end, until connect() is called. */
    #stop(error) {
        this.#clock.clearTimeout(this.#retry);
        this.retryAt = null;
        this.error = error;
        this.#tell.stop(error);
        this.#setState('closed');
    }

    #onEvent(ev) {
        switch (ev.ev) {

        case 'welcome':
            this.#onWelcome(ev);
            return;

        case 'reconnect':
            this.#link.comeBackIn = ev.in_ms;
            return;

        case 'status':
            this.#setState(ev.state === 'stale' ? 'stale' : 'online');
            return;
        }

        this.#tell.event(ev);
    }

    #onWelcome(ev) {
        this.welcome = ev;
        this.#link.welcome(ev.ping_ms);
        this.#refreshLater(ev.server_time ?? this.#clock.now(),
                           this.#clock.now());

        const enter = this.#tell.up(ev);

        this.#setState('online');
        enter();
    }

    /* A token is replaced in good time, while the session goes on. */
    #refreshLater(serverTime, then) {
        const now = serverTime + this.#clock.now() - then;
        const ms = this.#tokens?.dueIn(now) ?? null;

        if (ms !== null) {
            this.later(ms, () => this.#refresh(serverTime, then));
        }
    }

    async #refresh(serverTime, then) {
        const link = this.#link;

        try {
            const token = await this.#tokens.next();

            if (this.#link !== link) {
                return;
            }

            if (token) {
                await this.#tell.request({op: 'refresh', token});
                this.#refreshLater(serverTime, then);
            }
        } catch (err) {
            if (this.#link === link && err.code !== 'unknown_op') {
                this.#tell.error(err);
            }

            if (this.#link === link && err.temporary !== false) {
                this.later(REFRESH_MS, () => this.#refresh(serverTime, then));
            }
        }
    }
}
