/* The examples do what they say, against the real server. */

import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import path from 'node:path';
import {createInterface} from 'node:readline';
import {after, afterEach, before, test} from 'node:test';

import {TOP, World} from './harness.mjs';

const LIMIT = {timeout: 120000};
const NODE = Number.parseInt(process.versions.node) < 22
             ? ['--experimental-websocket', '--no-warnings'] : [];
const world = new World();


before(() => world.begin(), LIMIT);
after(() => world.end());
afterEach(() => world.farewell());


/* An example for Node, with the lines it prints. */
function run(name, chat) {
    const child = spawn(process.execPath, [
        ...NODE, path.join(TOP, 'client/examples', name),
        `${world.proxy.url.replace('http', 'ws')}chat`, chat]);
    const ended = new Promise((resolve) => child.on('close', resolve));

    child.lines = createInterface({input: child.stdout})[
        Symbol.asyncIterator]();
    child.stderr.on('data', (text) => process.stderr.write(text));
    child.ended = ended;
    return child;
}


async function visit(name, count) {
    const people = await Promise.all(Array.from(
        {length: count}, () => world.person({hash: `examples/${name}`})));

    return people.map((person) => person.page);
}


function text(page, selector, wanted) {
    return page.locator(selector, {hasText: wanted}).first().waitFor();
}


test('echo-bot: answers what is said', LIMIT, async () => {
    const bot = run('echo-bot.mjs', 'echo-room');

    for await (const line of bot.lines) {
        if (line === 'online') {
            break;
        }
    }

    const ada = await world.member('Ada', 'echo-room');

    await ada.say('hello');
    await ada.sees('hello', 'Ada said: hello');
    bot.kill();
    await bot.ended;
});


test('history-dump: all of it, the oldest first', LIMIT, async () => {
    const ada = await world.member('Ada', 'dump-room');
    const said = Array.from({length: 12}, (_, n) => `line ${n}`);
    const dumped = [];

    await ada.say(...said);
    await ada.delivered(...said.map(() => 'Sent'));

    const dump = run('history-dump.mjs', 'dump-room');

    for await (const line of dump.lines) {
        dumped.push(JSON.parse(line).message);
    }

    assert.equal(await dump.ended, 0);
    assert.deepEqual(dumped, said);
});


test('scores: the referee speaks, everybody sees it', LIMIT, async () => {
    const [referee] = await visit('scores.html#referee', 1);
    const [viewer] = await visit('scores.html', 1);

    await text(viewer, '#state', 'Live');
    await text(referee, '#state', 'Live');
    assert.ok(await viewer.locator('button').first().isHidden());
    await referee.getByRole('button', {name: 'A goal for East'}).click();
    await text(viewer, '#East', '1');
    await text(referee, '#East', '1');
    await referee.getByRole('button', {name: 'A goal for East'}).click();
    await text(viewer, '#East', '2');

    const [late] = await visit('scores.html', 1);

    await text(late, '#East', '2');
    await text(late, '#West', '0');
});


test('drivers: each sees the others move', LIMIT, async () => {
    const cars = (page) => page.locator('#map g');
    const [ada] = await visit('drivers.html', 1);

    await cars(ada).first().waitFor();

    const [bob] = await visit('drivers.html', 1);
    const where = () => ada.evaluate(() => [...document.querySelectorAll(
        '#map g')].map((car) => car.style.transform).join());

    await cars(ada).nth(1).waitFor();
    await bob.focus('#map');

    const before = await where();

    await bob.keyboard.press('ArrowRight');
    await bob.keyboard.press('ArrowDown');
    await ada.waitForFunction((old) => [...document.querySelectorAll('#map g')]
        .map((car) => car.style.transform).join() !== old, before);
});


test('poll: asked, answered, counted once for each', LIMIT, async () => {
    const [teacher] = await visit('poll.html#teacher', 1);
    const [ada, bob] = await visit('poll.html', 2);
    const answer = (page, name) => page.getByRole('button', {name}).click();

    await teacher.fill('#question', 'Is the earth flat?');
    await teacher.fill('#answers', 'yes, no, on Sundays');
    await teacher.getByRole('button', {name: 'Ask the class'}).click();
    await text(ada, '#asked', 'Is the earth flat?');
    await answer(ada, /^yes/);
    await text(teacher, '#total', '1 answered');
    await answer(ada, /^no/);
    await answer(bob, /^no/);
    await text(teacher, '#total', '2 answered');
    await text(teacher, '#votes button', /^no2$/);
    await text(teacher, '#votes button', /^yes0$/);

    const [late] = await visit('poll.html', 1);

    await text(late, '#votes button', /^no2$/);
});
