/* The page in a long chat, whose server is played by the test. */

import assert from 'node:assert/strict';
import {after, afterEach, before, test} from 'node:test';

import {World} from './harness.mjs';
import {at, message, play} from './played.mjs';

const LIMIT = {timeout: 240000};
const PAGE = 50;
const MOST = 400;                   /* bubbles in the list */
const COUNT = 1020;
const world = new World();


before(() => world.begin(), LIMIT);
after(() => world.end());
afterEach(() => world.farewell());


/* A chat of so many messages, each its number; some are one's own. */
async function enter(count = COUNT, options = {}) {
    const messages = Array.from({length: count}, (_, n) => message(
        n + 1, n % 10 === 5 ? 'Ada Lovelace' : 'Charles', String(n + 1)));
    const asked = [];
    const ada = await world.person({server: play(messages, {}, asked),
                                    ...options});

    await ada.enter('Ada Lovelace', 'engine');
    return {ada, page: ada.page, messages, asked};
}


/* First and last of the messages in the list, which has no hole, and how
   many rows that takes. */
function span(page) {
    return page.evaluate(() => {
        const all = [...document.querySelectorAll('.text')].map(
            (el) => Number(el.textContent));
        const whole = all.every((n, i) => i === 0 || n === all[i - 1] + 1);

        return [whole ? all[0] : all, all.at(-1),
                document.querySelector('#messages').childElementCount];
    });
}


/* Which message is in the middle of the log, and where; perhaps when it was
   scrolled to so many times its height from its end. */
function inView(page, heights = null) {
    return page.evaluate((n) => {
        const log = document.querySelector('#log');
        const {top, height} = log.getBoundingClientRect();

        if (n !== null) {
            log.scrollTop = log.scrollHeight - n * height;
        }

        const li = [...document.querySelectorAll('.message')].find(
            (one) => one.getBoundingClientRect().bottom > top + height / 2);

        return [li.querySelector('.text').textContent,
                Math.round(li.getBoundingClientRect().top)];
    }, heights);
}


/* Pixels are whole ones to the browser. */
function isNear([text, y], [before, yBefore]) {
    assert.equal(text, before);
    assert.ok(Math.abs(y - yBefore) < 2, `${y} was ${yBefore}`);
}


async function older(page) {
    const first = await page.locator('.text').first().textContent();

    await page.click('#older');
    await page.waitForFunction((text) => document.querySelector('.text')
        .textContent !== text, first);
}


async function backToTheFirst(page) {
    while (await page.locator('#older').getAttribute('data-state') === 'more')
    {
        await older(page);
    }
}


/* By the key End, until the last one is in view. */
async function forward(page) {
    await page.focus('#log');

    while (await page.isVisible('#later')) {
        const last = await page.locator('.text').last().textContent();

        await page.keyboard.press('End');
        await page.waitForFunction((text) => [
            ...document.querySelectorAll('.text')].at(-1).textContent !== text
            || document.querySelector('#later').hidden, last);
        const [first, end, rows] = await span(page);

        assert.ok(first < end && rows <= MOST, `${first} ${end} ${rows}`);
    }

    await page.keyboard.press('End');
    await page.waitForFunction(() => {
        const log = document.querySelector('#log');

        return log.scrollHeight - log.scrollTop - log.clientHeight < 2;
    });
}


test('back to the first message and forward to the last', LIMIT, async () => {
    const {ada, page} = await enter();

    assert.deepEqual(await span(page), [COUNT - PAGE + 1, COUNT, PAGE]);

    for (let n = 2; n * PAGE < COUNT; n++) {
        await older(page);

        const first = COUNT - n * PAGE + 1;

        assert.deepEqual(await span(page), [
            first, Math.min(COUNT, first + MOST - 1),
            Math.min(MOST, n * PAGE)]);
    }

    await older(page);
    assert.deepEqual(await span(page), [1, MOST, MOST]);
    assert.ok(await page.isHidden('#older'));
    assert.ok(await page.isVisible('#later'));
    await ada.looksGood('wide-light-9-deep');
    await forward(page);
    assert.deepEqual(await span(page), [COUNT - MOST + 1, COUNT, MOST]);
    assert.ok(await page.isHidden('#newer'));
    await ada.isCalm('there and back');

    // and what is said now goes where it always does
    ada.tell(message(COUNT + 1, 'Charles', String(COUNT + 1),
                     {chat_id: 'engine'}));
    await page.locator('.text', {hasText: String(COUNT + 1)}).waitFor();
    assert.equal((await span(page))[1], COUNT + 1);
});


test('what is looked at stays where it is', LIMIT, async () => {
    const {ada, page, messages} = await enter();

    // two days, whose name is where the list begins
    messages.slice(0, COUNT - 130).forEach((m) => {
        m.timestamp -= 48 * 3600 * 1000;
    });

    for (let n = 0; n < 10; n++) {
        const before = await inView(page, 1000);

        await older(page);
        isNear(await inView(page), before);
    }

    while (await page.isVisible('#later')) {
        const last = await page.locator('.text').last().textContent();
        const before = await inView(page, 1.5);

        await page.waitForFunction((text) => [
            ...document.querySelectorAll('.text')].at(-1).textContent
            !== text, last);
        isNear(await inView(page), before);
    }

    await ada.isCalm('looking');
});


test('what comes meanwhile is counted, and is there at the end', LIMIT,
     async () => {
    const {ada, page, messages} = await enter();
    const say = (sender) => {
        const seq = messages.length + 1;

        messages.push(message(seq, sender, String(seq)));
        ada.tell({...messages.at(-1), chat_id: 'engine'});
    };

    await backToTheFirst(page);
    assert.equal(await page.textContent('#newer'), 'Latest messages');
    say('Charles');
    say('Ada Lovelace');
    await page.waitForFunction(() => document.querySelector('#newer')
        .textContent === '2 new messages');
    assert.deepEqual(await span(page), [1, MOST, MOST]);
    ada.tell({ev: 'update', chat_id: 'engine', ...at(2), message: '2'});
    await page.locator('.message:nth-child(2) .edited').waitFor();
    await page.click('#newer');
    assert.equal((await span(page))[1], COUNT + 2);
    assert.ok(await page.isHidden('#newer'));
    assert.ok(await page.isHidden('#later'));

    // the same by going there
    await backToTheFirst(page);
    say('Charles');
    await page.waitForFunction(() => document.querySelector('#newer')
        .textContent === '1 new message');
    await forward(page);
    assert.equal((await span(page))[1], COUNT + 3);
    assert.ok(await page.isHidden('#newer'));
    await ada.isCalm('meanwhile');
});


test('lines between the messages do not push them out', LIMIT, async () => {
    const {ada, page} = await enter(100);

    for (let i = 1; i <= 450; i++) {
        ada.tell({ev: 'message', sender: 'it', message: `notice ${i}`,
                  timestamp: Date.now()});
    }

    await page.locator('.note', {hasText: 'notice 450'}).waitFor();
    assert.equal(await page.locator('.note').count(), 50);
    assert.equal(await page.locator('.message').count(), PAGE);

    // the oldest go as the newest come, which moves the others
    await page.evaluate(() => { window.shifts = []; });
    await page.click('#older');
    await page.locator('.text', {hasText: /^1$/}).waitFor();
    await ada.isCalm('told');
});


test('what one sends meanwhile is in view', LIMIT, async () => {
    const {ada, page, asked} = await enter();

    await backToTheFirst(page);
    await ada.say('and now');
    await page.locator('.own .text', {hasText: 'and now'}).waitFor();
    assert.ok(await page.isHidden('#later'));
    assert.ok(asked.some(({op}) => op === 'send'));
    assert.ok(await page.locator('#log').evaluate(
        (el) => el.scrollHeight - el.scrollTop - el.clientHeight < 2));
    // unsent, it outlives another way back
    await backToTheFirst(page);
    assert.equal(await page.locator('.text', {hasText: 'and now'}).count(), 0);
    await page.click('#newer');
    await page.locator('.own .text', {hasText: 'and now'}).waitFor();
});


test('a busy chat does not fill the list', LIMIT, async () => {
    const {ada, page, asked} = await enter(60);
    const say = (from, to) => {
        for (let seq = from; seq < to; seq++) {
            ada.tell(message(seq, 'Charles', String(seq),
                             {chat_id: 'engine'}));
        }
    };

    // at its end
    say(61, 561);
    await page.waitForFunction(() => [...document.querySelectorAll('.text')]
        .at(-1).textContent === '560');
    const [first, last, rows] = await span(page);

    assert.ok(rows <= MOST && last - first + 1 === rows);
    assert.ok(await page.isVisible('#older'));

    // and scrolled up
    await page.locator('#log').evaluate((el) => {
        el.scrollTop = 0;
    });
    await page.waitForTimeout(50);
    say(561, 1061);
    await page.waitForFunction(() => document.querySelector('#newer')
        .textContent === '500 new messages');
    assert.ok((await span(page))[2] <= MOST);
    await forward(page);
    assert.equal((await span(page))[1], 1060);
    // which is known without asking
    assert.ok(!asked.some(({op}) => op === 'history'));
});


test('by keyboard: the buttons, and where one is when they go', LIMIT,
     async () => {
    const {page} = await enter(430);
    const focused = () => page.evaluate(() => document.activeElement.id);

    await page.focus('#older');

    for (let n = 1; n < 9; n++) {
        assert.equal(await focused(), 'older');
        const first = await page.locator('.text').first().textContent();

        await page.keyboard.press('Enter');
        await page.waitForFunction((text) => document.querySelector('.text')
            .textContent !== text, first);
    }

    assert.deepEqual(await span(page), [1, MOST, MOST]);
    assert.equal(await focused(), 'log');
    await page.focus('#later');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#later', {state: 'hidden'});
    assert.deepEqual(await span(page), [31, 430, MOST]);
    assert.equal(await focused(), 'log');
});
