import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { seconds } from '../../../src/units.ts';
import { workloadWith } from '../../load/a-workload.ts';
import { prepare, run } from '../../load/engine-room.ts';

/** capbench cannot see the bytes of connections that a module opens by itself, so it reports none, not 0. */
const folder = mkdtempSync(join(tmpdir(), 'traffic-'));
const http = createServer((_request, response) => response.end('ok'));
const sockets = new WebSocketServer({ server: http }).on('connection', (socket) =>
  socket.on('message', (data) => socket.send(data)),
);
let url: string;
beforeAll(async () => {
  await once(http.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
afterAll(() => {
  sockets.close();
  http.close().closeAllConnections();
  rmSync(folder, { recursive: true });
});

const OPEN_SOCKET = `
  const socket = context.openSocket('/');
  await new Promise((resolve) => socket.on('open', resolve));
  socket.on('message', (data) => context.settle({ number: Number(data) }, 'ok'));`;
const SAY = '(session, operation) => void session.socket.send(String(operation.number))';
const OWN = 'opened connections of its own';

const MODULES: readonly (readonly [what: string, text: string, because: string | null])[] = [
  [
    'context.openSocket alone',
    `export const connect = async (context) => { ${OPEN_SOCKET} return { socket }; };
     export const perform = ${SAY};`,
    null,
  ],
  [
    'fetch alone',
    `export const connect = (context) => ({ context });
     export const perform = async ({ context }) => ((await fetch(context.url)).ok ? 'ok' : 'failed');`,
    OWN,
  ],
  [
    'a log-in by fetch, and then context.openSocket',
    `export const connect = async (context) => { await fetch(context.url); ${OPEN_SOCKET} return { socket }; };
     export const perform = ${SAY};`,
    OWN,
  ],
  [
    'a connection that was made while the module was loaded',
    `import { connect as dial } from 'node:net';
     dial(9, '127.0.0.1').on('error', () => {});
     export const connect = async (context) => { ${OPEN_SOCKET} return { socket }; };
     export const perform = ${SAY};`,
    OWN,
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
    OWN,
  ],
  [
    'no connection that anybody could see',
    `export const connect = (context) => ({ context });
     export const perform = () => 'ok';`,
    'settled operations and opened no socket',
  ],
];

test.each(MODULES)('a module with %s', async (_what, text, because) => {
  const path = join(folder, `player-${MODULES.findIndex((one) => one[1] === text)}.mjs`);
  writeFileSync(path, text);
  const workload = workloadWith({
    ...{ players: 4, intentRate: 20, monsters: 0, postRate: 0, duration: 0.4, drain: seconds(0.5) },
    playing: { protocol: 'module', module: './my-player.mjs' },
  });
  const at = { worlds: [{ url, pid: null }], database: null };
  const fleet = await prepare(workload, at, { module: { path, name: './my-player.mjs' } });
  const { tally } = await run(fleet);
  await fleet.close();
  expect(tally.operations.intent.whole.ok).toBeGreaterThan(0);
  if (because === null) {
    expect(tally.unseenTraffic).toBeUndefined();
    expect(tally.bytesIn).toBeGreaterThan(0);
    expect(tally.bytesOut).toBeGreaterThan(0);
  } else {
    expect(tally.unseenTraffic).toMatch(`the player module ./my-player.mjs ${because}`);
  }
});
