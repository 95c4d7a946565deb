/* A chat server that is played by the test. */

export const HELLO = {ev: 'welcome', proto: 1, user: 'Ada Lovelace',
                      ping_ms: 30000, limits: {max_message: 65536}};


export function at(seq) {
    return {epoch: 1, seq};
}


export function message(seq, sender, text, more = {}) {
    return {ev: 'message', chat_id: 'x', ...at(seq), cid: `c${seq}`, sender,
            prev: seq > 1 ? at(seq - 1) : null, message: text,
            timestamp: Date.now() - 60000, ...more};
}


/** A server with these messages, `seq` 1 and up; `asked` gets the commands.
 *  A join brings as many as it asks for, with what is in `more`. */
export function play(messages, more = {}, asked = []) {
    return (command) => {
        const {op, id, chat_id} = command;

        asked.push(command);

        if (op === 'open') {
            return [HELLO];
        }

        if (op === 'join') {
            const found = page(messages, {limit: command.history});

            return [{ev: 'joined', id, chat_id, epoch: 1, recovered: true,
                     head: at(messages.at(-1).seq), more: false, ...more,
                     messages: found.messages.map((m) => ({...m, chat_id}))}];
        }

        if (op === 'history') {
            return [{ev: 'history', id, chat_id, ...page(messages, command)}];
        }

        return [{ev: op === 'ping' ? 'pong' : 'ok', id}];
    };
}


function page(messages, {before, after, limit}) {
    const found = after ? messages.filter(({seq}) => seq > after.seq)
                        : messages.filter(({seq}) => !before
                                                     || seq < before.seq);

    return {messages: after ? found.slice(0, limit) : found.slice(-limit),
            more: found.length > limit};
}
