/*
 * Answers everything that is said in a chat.
 *
 *     node echo-bot.mjs ws://127.0.0.1:8080/chat lobby
 *
 * Node 22 brings a WebSocket; Node 20 has one behind --experimental-websocket.
 */

import {WsChat} from '../ws-chat.js';

const [url = 'ws://127.0.0.1:8080/chat', chatId = 'lobby'] =
    process.argv.slice(2);
const chat = new WsChat(url, {user: 'echo'});

chat.on('state', ({state, error}) => console.log(error?.message ?? state));

for await (const m of chat.messages(chatId)) {
    if (m.sender !== chat.user) {
        chat.send(chatId, {text: `${m.sender} said: ${text(m.message)}`});
    }
}


function text(message) {
    return typeof message === 'string' ? message
                                       : message?.text
                                         ?? JSON.stringify(message);
}
