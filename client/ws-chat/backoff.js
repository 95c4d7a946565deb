const STEEP = 3;       /* steps skipped after a close that says: later */
const STEEPEST = 32;


/** What a close code asks for: `stop` (do not come back), `hard` and `slow`
 *  (come back later than usual) or `retry`.
 *  @returns {'stop'|'hard'|'slow'|'retry'} */
export function closePolicy(code) {
    if (code >= 4000 && code < 4100) {
        return 'stop';
    }

    if (code === 1008) {
        return 'hard';
    }

    return code === 1013 || (code >= 4100 && code < 4200) ? 'slow' : 'retry';
}


/** Exponential back-off with full jitter. */
export class Backoff {
    constructor({base = 500, max = 30000} = {}, random = Math.random) {
        this.base = base;
        this.max = max;
        this.tries = 0;
        this.random = random;
    }

    /** @returns {number} ms until the next try */
    next() {
        const most = Math.min(this.max, this.base * 2 ** this.tries++);

        return this.random() * most;
    }

    /** @returns {number} ms until the try after a close of this policy */
    after(policy) {
        if (policy === 'hard') {
            this.tries = Math.max(this.tries, STEEPEST);
            return (this.max + this.next()) / 2;
        }

        if (policy === 'slow') {
            this.tries = Math.max(this.tries, STEEP);
            return this.base + this.next();
        }

        return this.next();
    }

    reset() {
        this.tries = 0;
    }
}
