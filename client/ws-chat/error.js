const TEMPORARY = ['rate_limited', 'overloaded', 'unavailable', 'unknown',
                   'offline', 'timeout'];


/** What went wrong: a protocol error code, or one of the client's own:
 *  `offline`, `timeout`, `closed`, `too_big`, `expired`, `unauthorized`,
 *  `bad_frame`. */
export class WsChatError extends Error {
    /**
     * @param {string} code
     * @param {string} [message] for people
     * @param {object} [more]
     * @param {boolean} [more.temporary] may the same succeed later?
     * @param {number} [more.retryMs] when, if the server said
     * @param {number} [more.status] HTTP status or close code behind it
     */
    constructor(code, message = code, {temporary, retryMs, status} = {}) {
        super(message);
        this.name = 'WsChatError';
        this.code = code;
        this.temporary = temporary ?? TEMPORARY.includes(code);
        this.retryMs = retryMs;
        this.status = status;
    }
}
