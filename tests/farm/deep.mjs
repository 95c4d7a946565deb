/* The page in Chromium goes back through a chat: by WSC_BACK messages of the
   chat WSC_CHAT of the farm at WSC_URL, whose newest message is the number
   WSC_NEWEST. Run by test_whole.py. */

import assert from 'node:assert/strict';
import {after, afterEach, before, test} from 'node:test';

import {World} from '../page/harness.mjs';

const PAGE = 50;
const {WSC_CHAT: CHAT} = process.env;
const NEWEST = Number(process.env.WSC_NEWEST);
const BACK = Number(process.env.WSC_BACK);
const world = new World();

before(() => world.begin());
after(() => world.end());
afterEach(() => world.farewell());


test('back through a long chat', async () => {
    const {page} = await world.member('Ada', CHAT);

    await page.waitForFunction((n) => document.querySelectorAll('.text')
        .length === n, PAGE);

    const shown = await page.evaluate(async (back) => {
        const button = document.querySelector('#older');
        const texts = document.getElementsByClassName('text');

        while (texts.length < back && button.dataset.state === 'more') {
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
        }

        return [...texts].map((el) => el.textContent);
    }, BACK);

    const wrong = shown.reverse().findIndex(
        (text, n) => text !== String(NEWEST - n));

    assert.equal(wrong, -1);
    assert.ok(shown.length >= BACK);
});
