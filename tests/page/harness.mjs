/* The server, the browser and the questions that every page test asks. */

import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import {createRequire} from 'node:module';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

import {Proxy} from './proxy.mjs';

export const TOP = process.env.WSC_TOP
            ?? path.resolve(fileURLToPath(import.meta.url), '../../..');
const MODULES = process.env.WSC_NODE_MODULES
                ?? path.join(TOP, 'build/node/node_modules');
const MODULE = path.join(TOP, process.env.WSC_BUILD ?? 'build',
                         'ngx_ws_chat_module.so');
const SHOTS = path.join(TOP, 'build/screenshots');
const CHROMIUM = process.env.WSC_CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
               '--no-first-run', '--disable-background-networking',
               '--disable-component-update', '--disable-sync'];
const MOST_SHIFT = 0.02;

/** A package of the tests. */
export const load = createRequire(path.join(MODULES, 'x.js'));
const {chromium} = load('playwright-core');
const axe = fs.readFileSync(load.resolve('axe-core/axe.min.js'), 'utf8');

export const SIZES = {wide: {width: 1280, height: 800},
                      phone: {width: 360, height: 740}};


/** The chat server, as `make run` starts it, in a directory of its own; or
 *  the one at WSC_URL. */
export class Server {
    #dir = null;

    /** Can this test stop it? */
    get isOurs() {
        return !process.env.WSC_URL;
    }

    /** @param {object} [files] more files, by name; `chat`: directives for
     *    the locations of the chat
     *  @returns {Promise<URL>} */
    async start({chat = '', ...files} = {}) {
        if (!this.isOurs) {
            return new URL(process.env.WSC_URL);
        }

        const port = await freePort();

        this.#dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ws-chat-page.'));
        fs.mkdirSync(path.join(this.#dir, 'build'));
        fs.copyFileSync(MODULE, path.join(this.#dir, 'build',
                                          path.basename(MODULE)));

        for (const name of ['client', 'conf']) {
            fs.cpSync(path.join(TOP, name), path.join(this.#dir, name),
                      {recursive: true});
        }

        const conf = path.join(this.#dir, 'conf/nginx/nginx.conf');
        const text = fs.readFileSync(conf, 'utf8');

        // browsers have to cope with what only large chats have

        fs.writeFileSync(conf, text.replaceAll(
            / ws_chat(_sse)? zone=chat;/g,
            `$& ws_chat_deflate_context 1; ${chat.replaceAll('DIR', this.#dir)}`));

        for (const [name, content] of Object.entries(files)) {
            fs.writeFileSync(path.join(this.#dir, name), content);
        }

        this.#tool('start', String(port));
        return new URL(`http://127.0.0.1:${port}/`);
    }

    stop() {
        if (this.#dir) {
            this.#tool('stop');
            fs.rmSync(this.#dir, {recursive: true});
            this.#dir = null;
        }
    }

    #tool(...args) {
        execFileSync(path.join(TOP, 'tests/tools/run-chat'), args,
                     {cwd: this.#dir, stdio: 'pipe'});
    }
}


function freePort() {
    return new Promise((resolve) => {
        const server = net.createServer().listen(0, '127.0.0.1', () => {
            const {port} = server.address();

            server.close(() => resolve(port));
        });
    });
}


export function launch() {
    return chromium.launch({executablePath: CHROMIUM, args: FLAGS});
}


/** A browser and a server with a wire between them. */
export class World {
    server = new Server();
    people = [];

    async begin() {
        this.proxy = new Proxy(await this.server.start());
        await this.proxy.up();
        this.browser = await launch();
        fs.mkdirSync(SHOTS, {recursive: true});
    }

    async end() {
        await this.browser?.close();
        await this.proxy?.down();
        this.server.stop();
    }

    /** A browser context of its own.
     *  @param {function(object): object[]} [server] in place of the real one:
     *    what it answers to a command, if anything
     *  @returns {Promise<Person>} on the page's first view */
    async person({size = 'wide', scheme = 'light', hash = '', server} = {}) {
        const context = await this.browser.newContext({
            viewport: SIZES[size], colorScheme: scheme, locale: 'en-GB',
            reducedMotion: 'reduce'});
        const person = new Person(await context.newPage(), this.proxy.url);

        this.people.push(person);
        await person.page.addInitScript(watchShifts);

        if (server) {
            await person.meets(server);
        }

        await person.page.goto(this.proxy.url + hash);
        return person;
    }

    /** @returns {Promise<Person>} in the conversation, online */
    async member(name, chat, options) {
        const person = await this.person(options);

        await person.enter(name, chat);
        return person;
    }

    async farewell() {
        for (const {page, problems} of this.people.splice(0)) {
            await page.context().close();
            assert.deepEqual(problems, []);
        }
    }
}


function watchShifts() {
    window.shifts = [];
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
            if (!entry.hadRecentInput) {
                window.shifts.push([entry.value, entry.sources.map(
                    (s) => s.node?.outerHTML?.slice(0, 120) ?? '?')]);
            }
        }
    }).observe({type: 'layout-shift', buffered: true});
}


/** Somebody in front of the page. */
export class Person {
    /** errors of the page's own script, and what its policy blocked */
    problems = [];

    constructor(page) {
        this.page = page;
        page.on('pageerror', (err) => this.problems.push(err.message));
        page.on('console', (line) => {
            if (/Content Security Policy|404/.test(line.text())) {
                this.problems.push(line.text());
            }
        });
    }

    /** The server is this function; `tell` says something unasked. */
    async meets(server) {
        await this.page.routeWebSocket(/\/chat/, (ws) => {
            this.tell = (ev) => ws.send(JSON.stringify(ev));
            ws.onMessage((text) => server(JSON.parse(text))
                .forEach(this.tell));
            server({op: 'open'}).forEach(this.tell);
        });
    }

    async enter(name, chat) {
        await this.page.fill('#name', name);
        await this.page.fill('#chat', chat);
        await this.page.click('#join button');
        await this.isOnline();
    }

    /** Into the field; the key makes it a person's doing, as typing is. */
    async write(text) {
        await this.page.press('#text', 'End');
        await this.page.keyboard.insertText(text);
    }

    async say(...texts) {
        for (const text of texts) {
            await this.write(text);
            await this.page.press('#text', 'Enter');
        }
    }

    /** Waits until the status line begins like this. */
    async status(text) {
        await this.page.waitForFunction(
            (t) => document.querySelector('#status-text')
                           .textContent.startsWith(t), text);
    }

    async isOnline() {
        await this.status('Online as');
        await this.page.waitForSelector('#log[aria-busy="false"]');
    }

    /** Waits until the log shows exactly these texts. */
    async sees(...texts) {
        try {
            await this.page.waitForFunction((wanted) => {
                const shown = [...document.querySelectorAll('.text')].map(
                    (el) => el.textContent);
                return shown.join('\n') === wanted;
            }, texts.join('\n'));
        } catch (err) {
            assert.deepEqual(await this.texts(), texts);
        }
    }

    texts() {
        return this.page.locator('.text').allTextContents();
    }

    /** Waits until one's own messages have these delivery states; what is
     *  delivered or read was sent. */
    async delivered(...states) {
        await this.page.waitForFunction((wanted) => {
            const shown = [...document.querySelectorAll('.own .state')].map(
                (el) => el.ariaLabel);
            return shown.length === wanted.length && shown.every(
                (label, n) => label.startsWith(wanted[n])
                    || wanted[n] === 'Sent' && /^(Deliv|Read)/.test(label));
        }, states);
    }

    /** Waits until the page says this of who types. */
    async typing(text) {
        await this.page.waitForFunction(
            (t) => document.querySelector('#typing').textContent === t, text);
    }

    /** Waits until these are here, oneself included. */
    async here(...names) {
        await this.page.waitForFunction((n) => document.querySelector(
            '#people-count').textContent === String(n), names.length);
        await this.page.click('#people');
        await this.page.waitForFunction((wanted) => [
            ...document.querySelectorAll('#panel .name')].map(
                (el) => el.textContent).sort().join('\n') === wanted,
            names.sort().join('\n'));
        await this.page.keyboard.press('Escape');
        await this.page.focus('#text');
    }

    /** Waits until one's own messages have exactly these labels. */
    async receipts(...labels) {
        await this.page.waitForFunction((wanted) => [
            ...document.querySelectorAll('.own .state')].map(
                (el) => el.ariaLabel).join('\n') === wanted,
            labels.join('\n'));
    }

    /** Nothing for axe to find, nothing to scroll sideways, no shift; leaves
     *  a screenshot. */
    async looksGood(name) {
        const found = await this.page.evaluate(`${axe}; axe.run()`);
        const wide = await this.page.evaluate(() => ({
            page: document.documentElement.scrollWidth - innerWidth,
            log: document.querySelector('#log').scrollWidth
                 - document.querySelector('#log').clientWidth,
        }));

        await this.page.screenshot({path: path.join(SHOTS, `${name}.png`)});
        assert.deepEqual(
            found.violations.map((v) => [v.id, v.nodes.map((n) => n.html)]),
            [], name);
        assert.ok(wide.page <= 0 && wide.log <= 0, `${name} scrolls sideways`);
        await this.isCalm(name);
    }

    async isCalm(name) {
        const shifts = await this.page.evaluate(() => window.shifts);
        const sum = shifts.reduce((all, [value]) => all + value, 0);

        assert.ok(sum < MOST_SHIFT, `${name}: ${JSON.stringify(shifts)}`);
    }
}
