/*
 * Prints all that a chat still has, one message a line, the oldest first.
 *
 *     node history-dump.mjs ws://127.0.0.1:8080/chat lobby
 *
 * Node 22 brings a WebSocket; Node 20 has one behind --experimental-websocket.
 */

import {WsChat} from '../ws-chat.js';

const [url = 'ws://127.0.0.1:8080/chat', chatId = 'lobby'] =
    process.argv.slice(2);
const chat = new WsChat(url, {user: 'dump'});
let after = {epoch: 0, seq: 0};
let page;

await chat.join(chatId, {history: 0});

do {
    page = await chat.history(chatId, {after, limit: 500});
    page.messages.forEach((m) => console.log(JSON.stringify(m)));
    after = page.messages.at(-1) ?? after;
} while (page.more && page.messages.length > 0);

chat.close();
