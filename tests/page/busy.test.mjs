/* The page in a busy chat, whose server is played by the test. */

import assert from 'node:assert/strict';
import {after, afterEach, before, test} from 'node:test';

import {World} from './harness.mjs';
import {at, message, play} from './played.mjs';

const LIMIT = {timeout: 240000};
const LONG = 'Wolfeschlegelsteinhausenbergerdorff the elder of that name';
const people = [LONG, 'Charles', 'mary.s',
                ...Array.from({length: 96}, (_, n) => `guest ${n}`),
                'Ada Lovelace'];
const world = new World();


before(() => world.begin(), LIMIT);
after(() => world.end());
afterEach(() => world.farewell());


const TALK = [
    message(1, 'Ada Lovelace', 'Who tests the analytical engine today?'),
    message(2, 'Charles', 'I do.'),
    message(3, 'Ada Lovelace', 'Thank you, both.', {edited: true}),
    message(4, 'mary.s', undefined, {retracted: true}),
    message(5, 'Ada Lovelace', 'Is anybody else here?'),
    message(6, LONG, 'Certainly. I have read all of it and would like to add '
                     + 'a word or two about brass.'),
    message(7, 'Charles', 'Please do.'),
];
const STATE = {
    unread: 2, typing: [LONG, 'Charles', 'mary.s', 'guest 1'],
    presence: {count: 120, users: people.map((user) => ({
        user, conns: user.startsWith('Ada') ? 2 : 1}))},
    marks: {Charles: {delivered: at(5), read: at(3)},
            'mary.s': {delivered: at(3), read: at(1)},
            'Ada Lovelace': {delivered: at(5), read: at(5)}},
    signals: {},
};


for (const scheme of ['light', 'dark']) {
    for (const size of ['wide', 'phone']) {
        test(`looks: a busy chat, ${size}, ${scheme}`, LIMIT, async () => {
            const shot = (state) => `${size}-${scheme}-${state}`;
            const ada = await world.person({size, scheme,
                                            server: play(TALK, STATE)});
            const {page} = ada;

            await ada.enter('Ada Lovelace', 'engine');
            await ada.looksGood(shot('8-busy'));
            await page.click('#people');
            await ada.looksGood(shot('8-people'));
            assert.match(await page.textContent('#panel'), /and 20 more/);
            await page.keyboard.press('Escape');
            await page.click('#text');
            await page.keyboard.press('ArrowUp');
            await page.locator('.own .bubble').last().click();
            await ada.looksGood(shot('8-changing'));
        });
    }
}


test('receipts, the line before what is new, who types', LIMIT, async () => {
    const asked = [];
    const ada = await world.person({server: play(TALK, STATE, asked)});
    const {page} = ada;

    await ada.enter('Ada Lovelace', 'engine');
    assert.deepEqual(
        await page.locator('.own .state').evaluateAll(
            (all) => all.map((el) => el.ariaLabel)),
        ['Read by Charles and mary.s', 'Read by Charles',
         'Delivered to Charles']);
    assert.equal(await page.locator('.fresh + .message .who').textContent(),
                 LONG);
    assert.equal(await page.textContent('#typing'),
                 `${LONG}, Charles and 2 others are typing…`);
    assert.equal(await page.textContent('#people-count'), '120');
    ada.tell({ev: 'typing', chat_id: 'engine', sender: 'guest 1', on: false});
    ada.tell({ev: 'typing', chat_id: 'engine', sender: LONG, on: false});
    await page.waitForFunction(() => document.querySelector('#typing')
        .textContent === 'Charles and mary.s are typing…');
    ada.tell({ev: 'mark', chat_id: 'engine', sender: 'guest 2', read: at(7)});
    await page.locator('.own .state').last().and(
        page.locator('[aria-label="Read by guest 2"]')).waitFor();
    await page.waitForFunction(() => document.title === '#engine');

    while (!asked.some(({op, read}) => op === 'mark' && read?.seq === 7)) {
        await new Promise((resume) => setTimeout(resume, 20));
    }

    await ada.isCalm('state');
});


test('unread: counted while nobody looks, read on return', LIMIT,
     async () => {
    const ada = await world.person({server: play(TALK)});
    const {page} = ada;
    const look = (isThere) => page.evaluate((yes) => {
        document.hasFocus = () => yes;
        window.dispatchEvent(new Event(yes ? 'focus' : 'blur'));
    }, isThere);
    const title = (text) => page.waitForFunction(
        (wanted) => document.title === wanted, text);

    await ada.enter('Ada Lovelace', 'engine');
    await look(false);
    ada.tell(message(8, 'Charles', 'one', {chat_id: 'engine'}));
    ada.tell(message(9, 'Charles', 'two', {chat_id: 'engine'}));
    await title('(2) #engine');
    await look(true);
    await title('#engine');
});


test('changing and deleting, by mouse and by keyboard', LIMIT, async () => {
    const asked = [];
    const ada = await world.person({server: play(TALK, {}, asked)});
    const {page} = ada;
    const did = (op) => asked.filter((command) => command.op === op)
                             .map(({seq, message: m}) => [seq, m]);
    const press = (key) => page.keyboard.press(key);

    await ada.enter('Ada Lovelace', 'engine');
    await press('ArrowUp');
    assert.equal(await page.inputValue('#text'), 'Is anybody else here?');
    await press('Escape');
    assert.equal(await page.inputValue('#text'), '');
    await press('ArrowUp');
    await page.fill('#text', 'Is somebody here?');
    await press('Enter');
    await page.waitForFunction(() => document.querySelector('#editing').hidden);
    ada.tell({ev: 'update', chat_id: 'engine', ...at(5),
              message: 'Is somebody here?'});
    await page.locator('.text', {hasText: 'somebody'}).waitFor();
    assert.ok(await page.locator('.own .edited').last().isVisible());

    await press('Shift+Tab');
    await press('Shift+Tab');
    await press('ArrowUp');
    assert.equal(await page.evaluate(() => document.activeElement
        .closest('.message').querySelector('.text').textContent),
                 'Thank you, both.');
    await press('Tab');
    await press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement
        .textContent), 'Really delete?');
    await press('Enter');
    ada.tell({ev: 'update', chat_id: 'engine', ...at(3), retracted: true});
    await page.locator('.own.gone').waitFor();
    assert.ok(await page.locator('.own.gone .tools').isHidden());
    assert.deepEqual(did('edit'), [[5, 'Is somebody here?']]);
    assert.deepEqual(did('retract'), [[3, undefined]]);
});


test('a server that knows messages only: nothing is offered twice', LIMIT,
     async () => {
    const asked = [];
    const plain = play(TALK, {}, asked);
    const server = (command) => ['edit', 'mark', 'typing'].includes(command.op)
        ? [{ev: 'error', id: command.id, code: 'unknown_op', message: 'op'}]
        : plain(command);
    const ada = await world.person({server});
    const {page} = ada;

    await ada.enter('Ada Lovelace', 'engine');
    assert.ok(await page.isHidden('#people'));
    await ada.write('x');
    await page.press('#text', 'Backspace');
    await page.press('#text', 'ArrowUp');
    await ada.write(' y');
    await page.press('#text', 'Enter');
    await page.waitForFunction(() => /does not change/.test(
        document.querySelector('#hint').textContent));
    await page.press('#text', 'ArrowUp');
    assert.equal(await page.inputValue('#text'), '');
});


test('leaving while a message is being changed', LIMIT, async () => {
    const ada = await world.person({server: play(TALK)});
    const {page} = ada;

    await ada.enter('Ada Lovelace', 'engine');
    await page.press('#text', 'ArrowUp');
    await page.click('#change');
    await ada.enter('Ada Lovelace', 'engine');
    assert.ok(await page.isHidden('#editing'));
    assert.equal(await page.inputValue('#text'), '');
});
