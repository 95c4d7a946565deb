/* The types: complete, and as the package says. */

import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';

import * as library from '../../client/ws-chat.js';

const TOP = process.env.WSC_TOP
            ?? path.resolve(fileURLToPath(import.meta.url), '../../..');
const MODULES = process.env.WSC_NODE_MODULES
                ?? path.join(TOP, 'build/node/node_modules');
const CLIENT = path.join(TOP, 'client');
const types = fs.readFileSync(path.join(CLIENT, 'ws-chat.d.ts'), 'utf8');


/* The body of `export class NAME`. */
function declared(name) {
    const begin = types.search(new RegExp(`export class ${name}\\b`));

    return types.slice(begin, types.indexOf('\n}', begin));
}


test('an application that installs the package compiles', () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ws-chat-types.'));

    try {
        fs.mkdirSync(path.join(dir, 'node_modules'));
        fs.cpSync(CLIENT, path.join(dir, 'node_modules/ws-chat'),
                  {recursive: true});
        fs.copyFileSync(path.join(TOP, 'tests/client/types.ts'),
                        path.join(dir, 'types.ts'));

        const done = spawnSync(process.execPath, [
            path.join(MODULES, 'typescript/bin/tsc'), '--noEmit', '--strict',
            '--module', 'nodenext', '--target', 'es2022', '--lib',
            'es2022,dom,dom.asynciterable', 'types.ts',
        ], {cwd: dir, encoding: 'utf8'});

        assert.equal(done.stdout, '');
        assert.equal(done.status, 0);
    } finally {
        fs.rmSync(dir, {recursive: true});
    }
});


test('every name of the library has a type', () => {
    const {WsChat, Room} = library;
    const named = (text, name) => new RegExp(`\\b${name}\\b`).test(text);

    for (const name of Object.keys(library)) {
        assert.match(types, new RegExp(
            `^export (class|function) ${name}\\b`, 'm'));
    }

    for (const name of Object.getOwnPropertyNames(WsChat.prototype)) {
        assert.ok(named(declared('WsChat'), name), `WsChat.${name}`);
    }

    for (const name of Object.getOwnPropertyNames(Room.prototype)) {
        assert.ok(/^(end|suspend|on[A-Z]\w*)$/.test(name)
                  || named(declared('Room'), name), `Room.${name}`);
    }
});


test('every option has a type', () => {
    const source = fs.readFileSync(path.join(CLIENT, 'ws-chat.js'), 'utf8');
    const begin = types.indexOf('export interface Options');
    const options = types.slice(begin, types.indexOf('\n}', begin));
    const told = [...source.matchAll(/\[options\.(\w+)\]/g)];

    assert.ok(told.length > 10);

    for (const [, name] of told) {
        assert.match(options, new RegExp(`^    ${name}\\?:`, 'm'));
    }
});


test('the package holds what it needs and nothing else', () => {
    const {files, exports} = JSON.parse(
        fs.readFileSync(path.join(CLIENT, 'package.json'), 'utf8'));
    const done = spawnSync('npm', ['pack', '--dry-run', '--json'],
                           {cwd: CLIENT, encoding: 'utf8'});
    const packed = JSON.parse(done.stdout)[0].files.map((f) => f.path);
    const sources = fs.readdirSync(path.join(CLIENT, 'ws-chat'));

    assert.deepEqual(Object.keys(exports), ['.']);
    assert.deepEqual(packed.sort(), [
        'package.json', 'ws-chat.d.ts', 'ws-chat.js',
        ...sources.map((name) => `ws-chat/${name}`)].sort());
    assert.ok(files.includes('ws-chat/'));
});
