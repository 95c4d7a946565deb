/* The page in Chromium goes back to the first message of a chat: WSC_CHAT of
   the farm at WSC_URL, whose messages are the numbers from 0 to WSC_NEWEST.
   Run by test_whole.py. */

import assert from 'node:assert/strict';
import {after, afterEach, before, test} from 'node:test';

import {World} from '../page/harness.mjs';

const PAGE = 50;
const MOST = 400;                   /* rows of the list, however long */
const SLOWER = 3;                   /* times, the last pages to former ones */
const LARGER = 2;                   /* times, the heap to that of a full list */
const {WSC_CHAT: CHAT} = process.env;
const NEWEST = Number(process.env.WSC_NEWEST);
const world = new World();

before(() => world.begin());
after(() => world.end());
afterEach(() => world.farewell());


/* Page by page, at most so many; ms that each took, and what went wrong. */
function back(page, most) {
    return page.evaluate(async ([limit, rows]) => {
        const button = document.querySelector('#older');
        const list = document.querySelector('#messages');
        const number = (li) => Number(li.querySelector('.text').textContent);
        const times = [];

        while (times.length < limit && button.dataset.state === 'more') {
            const first = number(list.firstElementChild);
            const begin = performance.now();
            const seen = new Promise((resolve) => {
                new MutationObserver((_, observer) => {
                    if (button.ariaBusy === 'false') {
                        observer.disconnect();
                        resolve();
                    }
                }).observe(button, {attributeFilter: ['aria-busy']});
            });

            button.click();
            await seen;
            times.push(performance.now() - begin);

            const now = number(list.firstElementChild);
            const wrong = [...list.children].findIndex(
                (li, n) => number(li) !== now + n);

            if (now >= first || wrong !== -1
                || list.childElementCount > rows)
            {
                return {times, wrong: [first, now, wrong,
                                       list.childElementCount]};
            }
        }

        return {times, wrong: null};
    }, [most, MOST]);
}


/* Octets in use by what the page keeps. */
async function heap(page) {
    const session = await page.context().newCDPSession(page);

    await session.send('HeapProfiler.collectGarbage');
    const {usedSize} = await session.send('Runtime.getHeapUsage');

    await session.detach();
    return usedSize;
}


function median(values) {
    return values.toSorted((a, b) => a - b)[values.length >> 1];
}


test('back to the first message of a long chat', async (t) => {
    const {page} = await world.member('Ada', CHAT);

    await page.waitForFunction((n) => document.querySelectorAll('.text')
        .length === n, PAGE);

    const few = await back(page, 2 * MOST / PAGE);
    const full = await heap(page);
    const most = await back(page, Infinity);
    const end = await heap(page);

    assert.equal(few.wrong, null);
    assert.equal(most.wrong, null);
    assert.equal(await page.locator('.text').first().textContent(), '0');
    assert.ok(await page.isHidden('#older'));

    // the first pages come from faster places

    const times = [...few.times, ...most.times];
    const quarter = times.length >> 2;
    const [former, last] = [times.slice(quarter, 2 * quarter),
                            times.slice(-quarter)].map(median);

    t.diagnostic(`page: ${times.length} pages, ${former.toFixed(1)} ms each,`
                 + ` the last quarter ${last.toFixed(1)} ms; heap`
                 + ` ${(full / 1e6).toFixed(1)} MB, then`
                 + ` ${(end / 1e6).toFixed(1)} MB`);
    assert.ok(times.length >= (NEWEST + 1) / PAGE - 1);
    assert.ok(last < SLOWER * former, `${former} ms, then ${last} ms`);
    assert.ok(end < LARGER * full, `${full} octets, then ${end}`);

    // and forward again

    await page.focus('#log');

    for (let n = 1; n < 5; n++) {
        await page.keyboard.press('End');
        await page.waitForFunction((text) => [
            ...document.querySelectorAll('.text')].at(-1).textContent === text,
            String(MOST + n * PAGE - 1));
    }

    await page.click('#newer');
    await page.waitForFunction((text) => [
        ...document.querySelectorAll('.text')].at(-1).textContent === text,
        String(NEWEST));
});
