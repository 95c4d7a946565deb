/* Two people before the real server: what one does, the other sees. */

import assert from 'node:assert/strict';
import {after, afterEach, before, test} from 'node:test';

import {World} from './harness.mjs';

const LIMIT = {timeout: 240000};
const world = new World();
let chats = 0;


function newChat() {
    return `state.${process.pid}-${++chats}`;
}


before(() => world.begin(), LIMIT);
after(() => world.end());
afterEach(() => world.farewell());


test('what one types, the other sees', LIMIT, async () => {
    const chat = newChat();
    const ada = await world.member('Ada', chat);
    const bob = await world.member('Bob', chat);

    await ada.write('Hm');
    await bob.typing('Ada is typing…');
    await ada.typing('');
    await ada.page.press('#text', 'Control+A');
    await ada.page.press('#text', 'Delete');
    await bob.typing('');
    await ada.say('Done');
    await ada.write('and more');
    await bob.typing('Ada is typing…');
    await ada.page.context().close();
    await bob.typing('');
    await bob.isCalm('typing');
});


test('no WebSocket gets through: the chat goes on over SSE', LIMIT,
     async () => {
    const chat = newChat();
    const ada = await world.member('Ada', chat);
    const bob = await world.member('Bob', chat);

    await ada.say('by socket');
    await bob.sees('by socket');
    world.proxy.eat();
    await ada.status('Offline');
    await bob.status('Offline');
    await ada.say('waits');
    await ada.isOnline();
    await bob.isOnline();
    await bob.sees('by socket', 'waits');
    await bob.say('by stream');
    await ada.sees('by socket', 'waits', 'by stream');
    await ada.delivered('Sent', 'Sent');
    await bob.delivered('Sent');
    await ada.page.reload();
    await ada.sees('by socket', 'waits', 'by stream');
    await world.proxy.down();
    await world.proxy.up();
});
