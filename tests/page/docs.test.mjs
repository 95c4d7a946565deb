/* What README and docs/CLIENT.md say of the client, run as it is written. */

import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';

import {Server, TOP} from './harness.mjs';

const LIMIT = {timeout: 60000};
const NODE = Number.parseInt(process.versions.node) < 22
             ? ['--experimental-websocket', '--no-warnings'] : [];
const server = new Server();
let url;
let dir;


before(async () => {
    url = await server.start();
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ws-chat-docs.'));
    fs.cpSync(path.join(TOP, 'client'), dir, {recursive: true});
}, LIMIT);

after(() => {
    server.stop();
    fs.rmSync(dir, {recursive: true});
});


/* The JavaScript of a page, one piece after the other. */
function snippets(name) {
    const text = fs.readFileSync(path.join(TOP, name), 'utf8');

    return [...text.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code);
}


function run(name, code) {
    const file = path.join(dir, `${path.basename(name)}.mjs`);

    fs.writeFileSync(file, code.replaceAll('127.0.0.1:8080', url.host));

    const child = spawn(process.execPath, [...NODE, file]);
    let out = '';

    for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (text) => {
            out += text;
        });
    }

    return new Promise((resolve) => child.on('close', (status) => {
        resolve({status, out});
    }));
}


function isToken(code) {
    return code.includes('token:');
}


/* Says "stop" when asked to; each is a block, as names come twice. */
const HELPER = "setInterval(() => chat.send('lobby', {text: 'stop'}), 200)"
               + '.unref();\n';


test('README', LIMIT, async () => {
    const [code, ...rest] = snippets('README.md');
    const {status, out} = await run('README', `${code}
        while (chat.room('lobby').messages.length === 0) {
            await new Promise((resume) => setTimeout(resume, 20));
        }
        chat.close();`);

    assert.deepEqual(rest, []);
    assert.equal(status, 0, out);
    assert.match(out, /ann \{ text: 'hello' \}/);
});


test('docs/CLIENT.md', LIMIT, async () => {
    const all = snippets('docs/CLIENT.md');
    const [first, ...more] = all.filter((code) => !isToken(code));
    const {status, out} = await run('CLIENT', first + HELPER
        + more.map((code) => `{\n${code}}\n`).join(''));

    assert.ok(all.length >= 6, String(all.length));
    assert.equal(status, 0, out);
    assert.match(out, /ann \{ text: 'are you there\?' \}/);
    assert.match(out, /closed/);
});


test('docs/CLIENT.md: the token, from a login that is played', LIMIT,
     async () => {
    const code = snippets('docs/CLIENT.md').find(isToken);
    const {status, out} = await run('TOKEN', `
        import { WsChat } from './ws-chat.js';
        globalThis.fetch = async () => new Response('a.b.c');
        ${code.replace("'/chat'", `'ws://${url.host}/chat'`)}
        mine.on('state', ({state}) => {
            if (state === 'online') {
                console.log(state);
                mine.close();
            }
        });`);

    assert.equal(status, 0, out);
    assert.match(out, /online/);
});
