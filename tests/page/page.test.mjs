/* The page in Chromium, against the real server. */

import assert from 'node:assert/strict';
import {after, afterEach, before, test} from 'node:test';

import {World} from './harness.mjs';

const LIMIT = {timeout: 240000};
const world = new World();
let chats = 0;


function newChat() {
    return `room.${process.pid}-${++chats}`;
}


before(() => world.begin(), LIMIT);
after(() => world.end());
afterEach(() => world.farewell());


test('two people talk, in one order, each message stored', LIMIT, async () => {
    const chat = newChat();
    const ada = await world.member('Ada', chat);
    const bob = await world.member('Bob', chat);

    await ada.say('Hello?');
    await bob.sees('Hello?');
    await bob.say('Hi Ada!', 'two\nlines & <b>no markup</b>');
    await ada.say('ok');

    for (const person of [ada, bob]) {
        await person.page.locator('.text').nth(3).waitFor();
        assert.equal((await person.texts())[2],
                     'two\nlines & <b>no markup</b>');
        assert.deepEqual(await person.texts(), await ada.texts());
    }

    await ada.delivered('Sent', 'Sent');
    await bob.delivered('Sent', 'Sent');
    assert.equal(await ada.page.locator('.message:not(.own) .who').first()
                          .textContent(), 'Bob');
});


test('a reload shows what was and what was missed', LIMIT, async () => {
    const chat = newChat();
    const ada = await world.member('Ada', chat);
    const bob = await world.member('Bob B.', chat);

    await ada.say('1');
    await bob.sees('1');
    const {page} = bob;
    const url = page.url();

    assert.ok(url.endsWith(`#chat=${encodeURIComponent(chat)}`));
    await page.goto('about:blank');
    await ada.say('2', '3');
    await ada.delivered('Sent', 'Sent', 'Sent');
    await page.goto(url);
    await bob.isOnline();
    await bob.sees('1', '2', '3');
    await bob.say('4');
    await ada.sees('1', '2', '3', '4');
    await page.reload();
    await bob.sees('1', '2', '3', '4');
    await bob.delivered('Sent');
    assert.equal(await page.textContent('#status-text'), 'Online as Bob B.');
    await bob.isCalm('reload');
});


test('offline: seen, queued, back with nothing lost or twice', LIMIT,
     async () => {
    const chat = newChat();
    const ada = await world.member('Ada', chat);
    const bob = await world.member('Bob', chat);

    await ada.say('before');
    await bob.sees('before');
    await world.proxy.down();
    await ada.status('Offline');
    await bob.status('Offline');
    await ada.page.waitForFunction(() => /^next try in \d+ s$/.test(
        document.querySelector('#countdown').textContent));
    assert.ok(await ada.page.isVisible('#now'));
    await ada.say('a1', 'a2');
    await bob.say('b1');
    await ada.delivered('Sent', 'Sending', 'Sending');
    assert.equal(await ada.page.textContent('#hint'),
                 '2 messages wait for the connection');
    await world.proxy.up();

    for (const person of [ada, bob]) {
        await person.isOnline();
    }

    await ada.delivered('Sent', 'Sent', 'Sent');
    await bob.delivered('Sent');
    await ada.page.locator('.text').nth(3).waitFor();

    const order = await ada.texts();

    await bob.sees(...order);
    assert.deepEqual(order.slice().sort(), ['a1', 'a2', 'b1', 'before']);
    assert.ok(order.indexOf('a1') < order.indexOf('a2'));
    await ada.page.reload();
    await ada.sees(...order);
});


test('offline: an answer that was lost does not send twice', LIMIT,
     async () => {
    const chat = newChat();
    const ada = await world.member('Ada', chat);

    world.proxy.deafen();
    await ada.say('said once');
    await ada.delivered('Sending');
    await world.proxy.down();
    await ada.status('Offline');
    await world.proxy.up();
    await ada.isOnline();
    await ada.delivered('Sent');
    await ada.sees('said once');
    await ada.page.reload();
    await ada.sees('said once');
});


test('offline: a message that was lost on the way goes again', LIMIT,
     async () => {
    const chat = newChat();
    const ada = await world.member('Ada', chat);

    world.proxy.mute();
    await ada.say('lost at first');
    await ada.delivered('Sending');
    await world.proxy.down();
    await ada.status('Offline');
    await world.proxy.up();
    await ada.isOnline();
    await ada.delivered('Sent');
    await ada.page.reload();
    await ada.sees('lost at first');
});


test('offline: "Try now" and the unsent over a reload', LIMIT, async () => {
    const chat = newChat();
    const ada = await world.member('Ada', chat);

    await ada.say('first');
    await ada.delivered('Sent');
    world.proxy.refuse(503);
    world.proxy.cut();
    await ada.status('Offline');
    await ada.say('second');
    await ada.page.reload();
    await ada.status('Offline');
    await ada.sees('second');
    await ada.delivered('Sending');
    await ada.page.waitForFunction(() => /in (2|3)\d s$/.test(
        document.querySelector('#countdown').textContent));
    world.proxy.refuse(null);
    await ada.page.click('#now');
    await ada.isOnline();
    await ada.sees('first', 'second');
    await ada.delivered('Sent', 'Sent');
});


test('the server starts anew: said so, the unsent arrives',
     {...LIMIT, skip: !world.server.isOurs}, async () => {
    const chat = newChat();
    const ada = await world.member('Ada', chat);

    await ada.say('old times');
    await ada.delivered('Sent');
    world.server.stop();
    await ada.status('Offline');
    await ada.say('still here');
    world.proxy.target = await world.server.start();
    await ada.isOnline();
    await ada.sees('still here');
    await ada.delivered('Sent');
    assert.match(await ada.page.textContent('.note'), /began anew/);
    await ada.isCalm('restart');
});


test('errors: names and chats that cannot be', LIMIT, async () => {
    const ada = await world.person();
    const {page} = ada;
    const error = (field) => page.textContent(`#${field}-error`);

    assert.equal(await page.inputValue('#chat'), 'lobby');
    await page.fill('#chat', '');
    await page.click('#join button');
    assert.equal(await error('name'), 'Please give a name.');
    assert.equal(await error('chat'), 'Please give a chat.');
    assert.ok(await page.locator('#name').evaluate(
        (el) => el === document.activeElement && el.ariaInvalid === 'true'));
    await page.fill('#name', 'é'.repeat(65));
    await page.fill('#chat', 'no spaces');
    await page.click('#join button');
    assert.equal(await error('name'), 'This name is too long.');
    assert.match(await error('chat'), /^Letters, digits/);
    await page.fill('#chat', 'x'.repeat(129));
    await page.click('#join button');
    assert.equal(await error('chat'), 'This chat name is too long.');
    await ada.enter('é'.repeat(64), `#${newChat()}`);
    assert.equal(await page.textContent('#status-text'),
                 `Online as ${'é'.repeat(64)}`);
});


test('errors: a chat in the address that cannot be', LIMIT, async () => {
    const ada = await world.member('Ada', newChat());

    await ada.page.evaluate(() => {
        location.hash = '#chat=not%20this';
    });
    await ada.page.waitForSelector('#start:not([hidden])');
    assert.equal(await ada.page.inputValue('#chat'), 'not this');
    assert.match(await ada.page.textContent('#chat-error'), /^Letters/);
});


test('errors: a refusal by the server is told', LIMIT, async () => {
    const ada = await world.person();
    const {page} = ada;

    world.proxy.refuse(403);
    await page.fill('#name', 'Ada');
    await page.fill('#chat', newChat());
    await page.click('#join button');
    await page.waitForFunction(() => /may not enter .*403/.test(
        document.querySelector('#refusal').textContent));
    assert.ok(await page.isVisible('#start'));
    world.proxy.refuse(null);
    await page.click('#join button');
    await ada.isOnline();
});


test('errors: shut out while talking, and the way back', LIMIT, async () => {
    const ada = await world.member('Ada', newChat());

    await ada.say('hello');
    await ada.delivered('Sent');
    world.proxy.close(4003);
    await ada.status('Disconnected');
    assert.match(await ada.page.textContent('#problem'),
                 /does not let you in/);
    await ada.page.click('#reconnect');
    await ada.isOnline();
    assert.ok(await ada.page.isHidden('#problem'));
    await ada.say('again');
    await ada.sees('hello', 'again');
});


test('errors: a message that fails says why and can be repeated', LIMIT,
     async () => {
    const ada = await world.member('Ada', newChat());

    await ada.say('x'.repeat(70000));
    await ada.delivered('Not sent');
    assert.match(await ada.page.textContent('.failure'), /too long/);
    await ada.say('short');
    await ada.delivered('Not sent', 'Sent');
    await ada.page.click('.failure button');
    await ada.delivered('Sent', 'Not sent');
});


test('scrolled up: new ones are counted, older ones loaded', LIMIT,
     async () => {
    const chat = newChat();
    const bob = await world.member('Bob', chat);
    const many = Array.from({length: 70}, (_, n) => `line ${n}`);

    await bob.say(...many);
    await bob.delivered(...many.map(() => 'Sent'));

    const ada = await world.member('Ada', chat);
    const {page} = ada;
    const top = (n) => page.locator('#log').evaluate((el, y) => {
        el.scrollTop = y;
    }, n);

    await ada.sees(...many.slice(20));
    await top(0);
    await bob.say('news');
    await page.waitForSelector('#newer:not([hidden])');
    assert.equal(await page.textContent('#newer'), '1 new message');
    await bob.say('more news');
    await page.waitForFunction(() => document.querySelector('#newer')
        .textContent === '2 new messages');
    assert.equal(await page.locator('#log').evaluate((el) => el.scrollTop), 0);

    const first = page.locator('.text', {hasText: /^line 20$/});
    const y = (await first.boundingBox()).y;

    await page.click('#older');
    await ada.sees(...many, 'news', 'more news');
    assert.ok(Math.abs((await first.boundingBox()).y - y) < 2);
    assert.ok(await page.isHidden('#older'));
    await page.click('#newer');
    assert.ok(await page.isHidden('#newer'));
    assert.ok(await page.locator('#log').evaluate(
        (el) => el.scrollHeight - el.scrollTop - el.clientHeight < 2));
    await ada.isCalm('scrolling');
});


test('keyboard alone, from the way in to the way out', LIMIT, async () => {
    const chat = newChat();
    const {page} = await world.person();
    const type = (text) => page.keyboard.type(text);
    const press = (key) => page.keyboard.press(key);
    const focused = () => page.evaluate(() => document.activeElement.id);

    assert.equal(await focused(), 'name');
    await type('Ada');
    await press('Tab');
    await type(chat);
    await press('Enter');
    await page.waitForSelector('#empty:not([hidden])');
    assert.equal(await focused(), 'text');
    await type('one');
    await press('Shift+Enter');
    await type('two');
    const tall = await page.locator('#text').boundingBox();
    await press('Enter');
    await page.waitForSelector('.state:not([data-state="sending"])');
    assert.deepEqual(await page.locator('.text').allTextContents(),
                     ['one\ntwo']);
    assert.ok((await page.locator('#text').boundingBox()).height
              < tall.height);
    assert.equal(await focused(), 'text');
    await press('Shift+Tab');
    await press('Shift+Tab');
    await press('Shift+Tab');
    assert.equal(await focused(), 'log');
    await press('Shift+Tab');
    assert.equal(await focused(), 'change');
    await press('Enter');
    assert.ok(await page.isVisible('#start'));
    assert.equal(await page.inputValue('#name'), 'Ada');
    assert.equal(new URL(page.url()).hash, '');
});


for (const scheme of ['light', 'dark']) {
    for (const size of ['wide', 'phone']) {
        test(`looks: ${size}, ${scheme}`, LIMIT, async () => {
            const shot = (state) => `${size}-${scheme}-${state}`;
            const chat = newChat();
            const ada = await world.person({size, scheme});
            const {page} = ada;

            await ada.looksGood(shot('1-start'));
            await page.fill('#chat', 'tea & cake');
            await page.click('#join button');
            await ada.looksGood(shot('2-start-error'));
            world.proxy.refuse(403);
            await page.fill('#name', 'Ada Lovelace');
            await page.fill('#chat', chat);
            await page.click('#join button');
            await page.locator('#refusal:not(:empty)').waitFor();
            await ada.looksGood(shot('2-start-refused'));
            world.proxy.refuse(null);
            await ada.enter('Ada Lovelace', chat);
            await page.waitForSelector('#empty:not([hidden])');
            await ada.looksGood(shot('3-empty'));

            const bob = await world.member('Charles', chat);
            const eve = await world.member('mary.s', chat);

            await bob.say('Good morning! Did the new build reach the north '
                          + 'site, or is it still on the bench?', 'No hurry.');
            await bob.delivered('Sent', 'Sent');
            await ada.say('It did. All four nodes took it overnight.',
                          'Nobody lost a message.');
            await ada.delivered('Sent', 'Sent');
            await eve.say('The dashboards agree.',
                          'https://status.example/very/long/path/that/does/'
                          + 'not/break/anywhere/by/itself?since=yesterday');
            await eve.delivered('Sent', 'Sent');
            await bob.say('Wonderful.');
            await page.locator('.text', {hasText: 'Wonderful'}).waitFor();
            await ada.say('Lunch at one?');
            await ada.delivered('Sent', 'Sent', 'Sent');
            await ada.looksGood(shot('4-conversation'));

            await page.focus('#log');
            await page.locator('#log').evaluate((el) => {
                el.scrollTop = 0;
            });
            await ada.write('A longer thought,\nover\nthree lines');
            await ada.looksGood(shot('5-writing'));
            await page.press('#text', 'Control+A');
            await page.press('#text', 'Delete');

            await world.proxy.down();
            await ada.status('Offline');
            await ada.say('Are you there?');
            await ada.looksGood(shot('6-offline'));
            await world.proxy.up();
            await ada.isOnline();
            await ada.delivered(...Array(4).fill('Sent'));

            await ada.say('long '.repeat(14000));
            await page.locator('.failure:not([hidden])').waitFor();
            await page.locator('#log').evaluate((el) => {
                el.scrollTop = el.scrollHeight;
            });
            world.proxy.close(4003);
            await ada.status('Disconnected');
            await ada.looksGood(shot('7-error'));
        });
    }
}
