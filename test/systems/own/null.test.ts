import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Ready } from '../../../src/supervision/server-process.ts';
import { bundled } from '../../bundled.ts';

const folder = mkdtempSync(join(tmpdir(), 'own-null-'));
let programs: Awaited<ReturnType<typeof bundled>>;
beforeAll(async () => {
  programs = await bundled({ 'own-null': 'src/systems/own/null/main.ts' });
});
afterAll(() => {
  programs.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** The process, and its first output: that it is ready, or why it is not. */
async function started(env: Readonly<Record<string, string>>) {
  const child = fork(programs.file('own-null'), { env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  const exited = once(child, 'close');
  const ready = await Promise.race([
    once(child, 'message').then(([one]) => one as Ready),
    exited.then(() => null),
  ]);
  const url = ready === null ? '' : (ready.url ?? `http://127.0.0.1:${ready.port}`);
  return { child, exited, ready, url, output: () => output };
}

const TOKEN = 'of-this-test-alone';
const headers = { authorization: `Bearer ${TOKEN}` };

async function socketTo(url: string, given: Readonly<Record<string, string>>) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/any/path?at=all`, { headers: given });
  onTestFinished(() => socket.terminate());
  const event = await once(socket, 'open').then(() => 'open', String);
  return { socket, event };
}

test('every frame is answered with only its id, at the path that the scenario names', async () => {
  const { url } = await started({ TOKEN, ID_AT: 'reply.id' });
  const { socket } = await socketTo(url, headers);
  const answers: string[] = [];
  socket.on('message', (data) => answers.push(String(data)));
  socket.send('{"type":"command","command":"go \\u00fcber \\"id\\":7}","id":12}');
  socket.send('{"id":"x-1","type":"other"}');
  for (const nothing of ['no json', '[]', '{"type":"command"}']) socket.send(nothing);
  socket.send('{"type":"command","command":"last","id":13}');
  await expect
    .poll(() => answers)
    .toEqual(['{"reply":{"id":12}}', '{"reply":{"id":"x-1"}}', '{"reply":{"id":13}}']);
});

test('every request is answered 200 over one connection, and requests without the token are refused', async () => {
  const { url } = await started({ TOKEN });
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
    const body = method === 'GET' || method === 'HEAD' ? {} : { body: 'x'.repeat(100_000) };
    const answer = await fetch(`${url}/any/path?at=all`, { method, headers, ...body });
    expect(answer.status).toBe(200);
    // With fetch only a HEAD asks for the end of its connection.
    expect(answer.headers.get('connection')).toBe(method === 'HEAD' ? 'close' : 'keep-alive');
    expect(await answer.text()).toBe(method === 'HEAD' ? '' : '{}');
  }
  expect((await fetch(url)).status).toBe(401);
  expect((await socketTo(url, {})).event).toMatch(/401/);
});

test('it ends with its parent', async () => {
  const { child } = await started({});
  child.disconnect();
  expect(await once(child, 'exit')).toEqual([0, null]);
});

/** A module as a scenario names it. */
function moduleOf(text: string) {
  const path = join(folder, `${Math.random().toString(36).slice(2)}.mjs`);
  writeFileSync(path, `export const connect = () => ({}); export const perform = () => 'ok';\n${text}`);
  return { TOKEN, MODULE_PATH: path, MODULE_NAME: './mine.mjs' };
}

test('a module that brings a null server is calibrated against that', async () => {
  const { ready, url } = await started(
    moduleOf(`import { createServer } from 'node:http';
      export async function nullServer({ host, token }) {
        const server = createServer((_, response) => response.end('mine, ' + token));
        await new Promise((resolve) => server.listen(0, host, resolve));
        return { url: 'http://' + host + ':' + server.address().port + '/base/' };
      }`),
  );
  expect(ready?.calibrates).toBe('the player module ./mine.mjs against its own nullServer');
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/base$/);
  expect(await (await fetch(url)).text()).toBe(`mine, ${TOKEN}`);
});

test('a module without a null server is calibrated against the built-in one, and the note says so', async () => {
  const { ready, url } = await started(moduleOf(''));
  expect(ready?.calibrates).toMatch(/^only capbench's own part: the player module \.\/mine\.mjs exports no/);
  const { socket } = await socketTo(url, headers);
  socket.send('{"type":"command","command":"nothing","id":1}');
  expect(String((await once(socket, 'message'))[0])).toBe('{"id":1}');
});

test.each([
  ["export const nullServer = 'no function';", 'exports a nullServer that is not a function'],
  ["export const nullServer = () => { throw new Error('no port left'); };", 'failed: no port left'],
  ['export const nullServer = async () => {};', 'returned no url such as http://127.0.0.1:4001'],
  ["export const nullServer = () => ({ url: 'http://192.0.2.1:80/' });", 'returned no url such as'],
])('the last line of output names what a module does wrong: %s', async (text, expected) => {
  const { ready, exited, output } = await started(moduleOf(text));
  expect(ready).toBeNull();
  expect(await exited).toEqual([93, null]);
  expect(output()).toContain(expected);
  expect(output()).toContain('the player module ./mine.mjs');
});
