/* Two people, each in a browser of one's own, hear each other.

     node two-browsers.mjs URL1 SAYS1 URL2 SAYS2

   The page at each URL says something as soon as it is there, and logs what is
   said to the console: SAYS is the line. */

import {launch} from '../page/harness.mjs';

const LIMIT = 60000;
const [url1, says1, url2, says2] = process.argv.slice(2);


function hears(page, text) {
    return page.waitForEvent('console', {
        predicate: (line) => line.text() === text, timeout: LIMIT});
}


const browsers = [await launch(), await launch()];
const [one, two] = await Promise.all(browsers.map((b) => b.newPage()));

await Promise.all([hears(one, says1), one.goto(url1)]);
await Promise.all([hears(one, says2), hears(two, says2), two.goto(url2)]);
await Promise.all([hears(two, says1), one.reload()]);
await Promise.all(browsers.map((b) => b.close()));
