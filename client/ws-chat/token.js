const LEAD_MS = 60000;          /* before its end, a token is replaced */
const LEAST_MS = 1000;
const MOST_MS = 2 ** 31 - 1;    /* what a timer can wait */


/* The claims of a JWT, not verified: that is the server's part. */
function claims(token) {
    try {
        const part = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
        const bytes = Uint8Array.from(atob(part), (c) => c.charCodeAt(0));

        return JSON.parse(new TextDecoder().decode(bytes)) ?? {};
    } catch (err) {
        return {};
    }
}


/** The application's tokens: the one in use, and when the next is due. */
export class Tokens {
    #ask;
    #refused = false;

    /** @param {function({refused: boolean}): Promise<?string>} ask */
    constructor(ask) {
        this.#ask = ask;
        /** @type {?string} */
        this.current = null;
    }

    /** The name in the token, if it is one with claims. */
    get user() {
        return this.current ? claims(this.current).sub : undefined;
    }

    /** Asks for a token to connect or refresh with. */
    async next() {
        const refused = this.#refused;

        this.#refused = false;
        this.current = await this.#ask({refused}) ?? null;
        return this.current;
    }

    /** The server did not take the last one, or takes it no longer. */
    refuse() {
        this.#refused = true;
    }

    /** @param {number} now the server's clock, ms
     *  @returns {?number} ms until the token should be replaced */
    dueIn(now) {
        const {exp} = this.current ? claims(this.current) : {};

        if (typeof exp !== 'number') {
            return null;
        }

        const left = exp * 1000 - now;
        const wait = Math.max(LEAST_MS, left - LEAD_MS, left / 2);

        return Math.min(MOST_MS, wait);
    }
}
