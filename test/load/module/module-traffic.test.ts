import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createNetServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { seconds } from '../../../src/units.ts';
import { workloadWith } from '../a-workload.ts';
import { prepare, run } from '../engine-room.ts';

/**
 * The traffic of a module is that of all its connections to the targets, whoever opens them. Where something else may carry
 * more, capbench reports none, not 0.
 */
const folder = mkdtempSync(join(tmpdir(), 'traffic-'));
/** What the server's own sockets count. */
const connections = new Set<Socket>();
const http = createServer((_request, response) => response.end('ok')).on('connection', (socket) =>
  connections.add(socket),
);
const elsewhere = createNetServer((socket) => socket.resume());
const sockets = new WebSocketServer({ server: http }).on('connection', (socket) =>
  socket.on('message', (data) => socket.send(data)),
);
let url: string;
beforeAll(async () => {
  await once(http.listen(0, '127.0.0.1'), 'listening');
  await once(elsewhere.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
afterAll(() => {
  sockets.close();
  http.close().closeAllConnections();
  elsewhere.close();
  rmSync(folder, { recursive: true });
});

const OPEN_SOCKET = `
  const socket = context.openSocket('/');
  await new Promise((resolve) => socket.on('open', resolve));
  socket.on('message', (data) => context.settle({ number: Number(data) }, 'ok'));`;
const SAY = '(session, operation) => void session.socket.send(String(operation.number))';

/** Of each module: how it talks, and why its bytes are not all seen; null: they are. */
const MODULES: readonly (readonly [what: string, text: string, because: string | null])[] = [
  [
    'a log-in by fetch, and then context.openSocket',
    `export const connect = async (context) => { await fetch(context.url); ${OPEN_SOCKET} return { socket }; };
     export const perform = ${SAY};`,
    null,
  ],
  [
    'fetch alone, and a Redis of its own',
    `import { Socket } from 'node:net';
     export const connect = (context) => {
       new Socket().connect({ host: '127.0.0.1', port: ELSEWHERE }).on('error', () => {}).end('x'.repeat(1e6));
       return { context };
     };
     export const perform = async ({ context }) => ((await fetch(context.url)).ok ? 'ok' : 'failed');`,
    null,
  ],
  [
    'datagrams',
    `import { createSocket } from 'node:dgram';
     const udp = createSocket('udp4').unref();
     export const connect = async (context) => { ${OPEN_SOCKET} return { socket }; };
     export const perform = (session, operation) => {
       udp.send('x', 9, '127.0.0.1');
       session.socket.send(String(operation.number));
     };`,
    'sent datagrams',
  ],
  [
    'a child process',
    `import { spawn } from 'node:child_process';
     spawn('true');
     export const connect = async (context) => { ${OPEN_SOCKET} return { socket }; };
     export const perform = ${SAY};`,
    'started a child process',
  ],
  [
    'connections to elsewhere only',
    `import { connect as dial } from 'node:net';
     dial(ELSEWHERE, '127.0.0.1');
     export const connect = (context) => ({ context });
     export const perform = () => 'ok';`,
    'settled operations and opened no connection to a target that capbench saw, only to 127.0.0.1:',
  ],
  [
    'an idle socket to the target, and operations that it settles without it',
    `import { connect as dial } from 'node:net';
     export const connect = (context) => new Promise((resolve) => {
       const { port, hostname } = new URL(context.url);
       const socket = dial(port, hostname, () => resolve({ socket }));
     });
     export const perform = () => 'ok';
     export const close = ({ socket }) => socket.destroy();`,
    'settled operations while its connections to the targets carried nothing',
  ],
];

test.each(MODULES)('a module with %s', async (_what, text, because) => {
  const path = join(folder, `player-${MODULES.findIndex((one) => one[1] === text)}.mjs`);
  writeFileSync(path, text.replaceAll('ELSEWHERE', String((elsewhere.address() as AddressInfo).port)));
  const workload = workloadWith({
    ...{ players: 4, intentRate: 20, monsters: 0, postRate: 0, duration: 0.4, drain: seconds(0.5) },
    playing: { protocol: 'module', module: './my-player.mjs' },
  });
  const at = { worlds: [{ url, pid: null }], database: null };
  const sum = (key: 'bytesRead' | 'bytesWritten'): number =>
    [...connections].reduce((total, socket) => total + socket[key], 0);
  connections.clear();
  const fleet = await prepare(workload, at, { module: { path, name: './my-player.mjs' } });
  const before = { read: sum('bytesRead'), written: sum('bytesWritten'), connections: connections.size };
  const { tally, seconds: all } = await run(fleet);
  const after = { read: sum('bytesRead'), written: sum('bytesWritten') };
  await fleet.close();
  expect(tally.operations.intent.whole.ok).toBeGreaterThan(0);
  if (because === null) {
    expect(tally.unseenTraffic).toBeUndefined();
    expect(tally.bytesOut).toBe(after.read - before.read);
    expect(tally.bytesIn).toBe(after.written - before.written);
    const handshakes = all.reduce((total, second) => total + (second.sockets?.handshakes ?? 0), 0);
    expect(handshakes).toBe(connections.size - before.connections);
  } else {
    expect(tally.unseenTraffic).toMatch(`the player module ./my-player.mjs ${because}`);
  }
});
