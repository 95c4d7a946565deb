/** Listeners by the name of the event. */
export class Emitter {
    #listeners = new Map();

    /** @returns {function(): void} stops listening */
    on(event, fn) {
        const all = this.#listeners.get(event) ?? new Map();

        this.#listeners.set(event, all.set(fn, fn));
        return () => this.off(event, fn);
    }

    /** Listens to the next one only.
     *  @returns {function(): void} stops listening */
    once(event, fn) {
        const off = this.on(event, fn);

        this.#listeners.get(event).set(fn, (value) => {
            off();
            fn(value);
        });
        return off;
    }

    off(event, fn) {
        this.#listeners.get(event)?.delete(fn);
    }

    /** What a listener throws is the listener's: it stops nobody else. */
    emit(event, value) {
        for (const fn of [...this.#listeners.get(event)?.values() ?? []]) {
            try {
                fn(value);
            } catch (err) {
                queueMicrotask(() => {
                    throw err;
                });
            }
        }
    }
}
