import {comparePositions} from './position.js';


/**
 * The messages of a chat, one after the other, over all reconnects: first
 * those that come with the join, if the chat is not joined yet, then each new
 * one. It ends with leave() or close(), and throws when the server ends it.
 */
export async function* messages(chat, chatId, options) {
    const inbox = new Inbox();
    const offs = [
        chat.on('message', (m) => m.chat_id === chatId && inbox.put(m)),
        chat.on('reset', ({room}) => room.chatId === chatId
                                     && room.messages.forEach(inbox.put)),
        chat.on('state', ({state, error}) => state === 'closed'
                                             && inbox.end(error)),
    ];

    try {
        const isKnown = !!chat.room(chatId)?.position;
        const room = await chat.join(chatId, options);

        inbox.begin(isKnown ? [] : room.messages);
        room.ended.then((error) => inbox.end(error));

        for (;;) {
            const m = await inbox.take();

            if (!m) {
                return;
            }

            yield m;
        }
    } finally {
        offs.forEach((off) => off());
    }
}


/* What came and is not taken yet. */
class Inbox {
    #line = [];
    #last = null;
    #error = null;
    #wake = null;

    begin(first) {
        const early = this.#line.splice(0);

        this.#last = null;
        [...first, ...early].forEach(this.put);
    }

    put = (m) => {
        if (!this.#last || comparePositions(m, this.#last) > 0) {
            this.#last = m;
            this.#line.push(m);
            this.#wake?.();
        }
    };

    end(error) {
        this.#error ??= error;
        this.#wake?.();
    }

    /** @returns {Promise<?object>} null: it is over */
    async take() {
        while (this.#line.length === 0) {
            if (this.#error) {
                return isOurs(this.#error) ? null : Promise.reject(this.#error);
            }

            await new Promise((resume) => {
                this.#wake = resume;
            });
        }

        return this.#line.shift();
    }
}


function isOurs({code}) {
    return code === 'closed' || code === 'not_joined';
}
