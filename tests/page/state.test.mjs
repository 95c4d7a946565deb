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


for (const [size, scheme] of [['wide', 'light'], ['phone', 'dark']]) {
    test(`the whole state, before and after a cut, ${size}`, LIMIT,
         async () => {
        const shot = (state) => `${size}-${scheme}-${state}`;
        const chat = newChat();
        const ada = await world.member('Ada', chat, {size, scheme});
        const bob = await world.member('Bob', chat);
        const everything = async (who) => {
            await ada.here(...who);
            await bob.here(...who);
            await ada.receipts('Read by Bob', 'Read by Bob');
            await bob.receipts('Read by Ada');
        };

        await ada.say('Good morning');
        await bob.sees('Good morning');
        await bob.say('Good morning, Ada');
        await ada.sees('Good morning', 'Good morning, Ada');
        await ada.say('Shall we?');
        await everything(['Ada', 'Bob']);
        await bob.write('In a');
        await ada.typing('Bob is typing…');
        await ada.looksGood(shot('9-state'));

        await world.proxy.down();
        await ada.status('Offline');
        await bob.status('Offline');
        await ada.typing('');
        await ada.looksGood(shot('9-cut'));
        await ada.say('While away');
        await world.proxy.up();
        await ada.isOnline();
        await bob.isOnline();
        const texts = ['Good morning', 'Good morning, Ada', 'Shall we?',
                       'While away'];

        await ada.sees(...texts);
        await bob.sees(...texts);
        await ada.here('Ada', 'Bob');
        await bob.here('Ada', 'Bob');
        await ada.receipts('Read by Bob', 'Read by Bob', 'Read by Bob');
        await bob.receipts('Read by Ada');
        await bob.write(' minute');
        await ada.typing('Bob is typing…');
        await ada.looksGood(shot('9-back'));

        const eve = await world.member('Eve', chat);

        await eve.sees(...texts);
        await eve.here('Ada', 'Bob', 'Eve');
        await bob.write(' or two');
        await eve.typing('Bob is typing…');
        await ada.receipts('Read by Bob and Eve', 'Read by Bob and Eve',
                           'Read by Bob and Eve');
        await eve.page.context().close();
        await ada.here('Ada', 'Bob');
    });
}


test('many windows are one person', LIMIT, async () => {
    const chat = newChat();
    const ada = await world.member('Ada', chat);
    const again = await world.member('Ada', chat);
    const bob = await world.member('Bob', chat);

    await bob.here('Ada', 'Bob');
    await again.page.context().close();
    await ada.say('still here');
    await bob.sees('still here');
    await bob.here('Ada', 'Bob');
});


test('unread: counted over a reload, and the line before it', LIMIT,
     async () => {
    const chat = newChat();
    const ada = await world.member('Ada', chat);
    const bob = await world.member('Bob', chat);
    const url = bob.page.url();

    await ada.say('one');
    await ada.receipts('Read by Bob');
    await bob.page.goto('about:blank');
    await ada.say('two', 'three');
    await ada.delivered('Sent', 'Sent', 'Sent');
    await bob.page.goto(url);
    await bob.sees('one', 'two', 'three');
    assert.equal(await bob.page.locator('.fresh + .message .text')
                          .textContent(), 'two');
    await ada.receipts('Read by Bob', 'Read by Bob', 'Read by Bob');
});


test('changed and deleted: seen by all, also by who was away', LIMIT,
     async () => {
    const chat = newChat();
    const ada = await world.member('Ada', chat);
    const bob = await world.member('Bob', chat);

    await ada.say('frist', 'second');
    await bob.sees('frist', 'second');
    await ada.page.locator('.own .bubble').first().click();
    await ada.page.locator('.own .edit').first().click();
    await ada.page.fill('#text', 'first');
    await ada.page.press('#text', 'Enter');
    await bob.sees('first', 'second');
    await ada.sees('first', 'second');
    await ada.page.locator('.own .bubble').nth(1).click();
    await ada.page.locator('.own .retract').nth(1).click();
    await ada.page.locator('.own .retract').nth(1).click();
    await bob.sees('first', 'This message was deleted');
    await bob.page.reload();
    await bob.sees('first', 'This message was deleted');
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
