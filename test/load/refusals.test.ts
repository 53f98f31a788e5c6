import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTls } from 'node:https';
import { createServer as createTcp, type Server } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import type { Players } from '../../src/systems/own/players-schema.ts';
import { seconds } from '../../src/units.ts';
import { portOf } from '../loopback.ts';
import { workloadWith } from './a-workload.ts';
import { failureOf, prepare, run } from './engine-room.ts';

/** The errors for refused and closed connections: the cause, and what to do. */
const JSON_PLAYERS: Players = {
  ...{ protocol: 'json', path: '/ws', idAt: 'id', errorAt: 'error' },
  commands: [{ type: 'command', command: 'look', weight: 1 }],
};
const HTTP_PLAYERS: Players = {
  protocol: 'http',
  requests: [{ method: 'GET', path: '/', weight: 1 }],
};

const ofTls = (name: string) => readFileSync(join(import.meta.dirname, '..', 'fixtures', 'tls', name));
const workload = (playing: Players, players = 4) =>
  workloadWith({
    ...{ players, intentRate: 5, monsters: 0, postRate: 0, duration: 0.4, drain: seconds(5), playing },
    connectsPerSecond: 1000,
  });
const fleetAt = (url: string, playing: Players, players = 4, headers?: Readonly<Record<string, string>>) =>
  prepare(
    workload(playing, players),
    {
      worlds: [{ url, pid: null, ...(headers === undefined ? {} : { headers }) }],
      unknown: true,
      database: null,
    },
    { workers: 1 },
  );

/** The result of a run against a server. */
async function tallyAt(server: Server, playing = JSON_PLAYERS, headers?: Readonly<Record<string, string>>) {
  const fleet = await fleetAt(`http://127.0.0.1:${await portOf(server)}`, playing, 4, headers);
  const { tally } = await run(fleet);
  await fleet.close();
  return tally;
}

/** A server that answers an upgrade with this head. */
const answering = (head: string): Server =>
  createServer().on('upgrade', (_request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => undefined);
    socket.end(`HTTP/1.1 ${head}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  });

describe('a WebSocket server that answers', () => {
  it.each([
    ['400 Bad Request', 'status 400', 'players.subprotocols'],
    [
      '301 Moved\r\nlocation: wss://a:b@game.example/ws/?k=v',
      'Location wss://game.example/ws/?..',
      'not followed',
    ],
    ['503 Service Unavailable', 'status 503', 'a proxy'],
  ])('%j', async (head, what, hint) => {
    const error = await failureOf(fleetAt(`http://127.0.0.1:${await portOf(answering(head))}`, JSON_PLAYERS));
    expect(error).toMatchObject({ exitCode: 93, message: expect.stringContaining(what) });
    expect(error.message).toMatch(/^4 of 4 players could not connect: the server answered with status/);
    expect(error.hint).toContain(hint);
  });
});

it.each([
  ['a refused connection', null, 'http', 'ECONNREFUSED', 'start the server'],
  [
    'a server that closes the connection',
    () => createTcp((socket) => socket.destroy()),
    'http',
    '',
    'limit of connections',
  ],
  [
    'a server that does not speak HTTP',
    () => createTcp((socket) => socket.end('220 mail\r\n')),
    'http',
    '',
    'https:// or wss://',
  ],
  ['a server without TLS', () => createServer(), 'https', 'the TLS handshake failed', 'http:// or ws://'],
  [
    'a self-signed certificate',
    () => createTls({ key: ofTls('server.key'), cert: ofTls('server.pem') }),
    'https',
    'the certificate is',
    '--ca-file FILE',
  ],
] as const)('players meet %s', async (_what, serverOf, scheme, what, hint) => {
  const spare = createTcp();
  const port = await portOf(serverOf === null ? spare : serverOf());
  if (serverOf === null) await new Promise((resolve) => spare.close(resolve));
  const error = await failureOf(fleetAt(`${scheme}://localhost:${port}`, JSON_PLAYERS));
  expect(error).toMatchObject({ exitCode: 93, message: expect.stringContaining(what) });
  expect(error.hint).toContain(hint);
});

it('who was not refused yet, since the others come later, is said to have waited', async () => {
  const url = `http://127.0.0.1:${await portOf(answering('404 Not Found'))}`;
  const slowly = { ...workload(JSON_PLAYERS), connectsPerSecond: 0.1 };
  const at = { worlds: [{ url, pid: null }], unknown: true, database: null };
  const error = await failureOf(prepare(slowly, at, { workers: 1 }));
  expect(error.message).toMatch(
    /^1 of 4 players could not connect \(0 are connected; 3 were still waiting\): /,
  );
});

it('a connection limit for each address shows in the number at which refusals begin', async () => {
  const http = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  let open = 0;
  http.on('upgrade', (request, socket, head) => {
    if (open >= 50)
      return void socket.end('HTTP/1.1 503 Busy\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
    open += 1;
    sockets.handleUpgrade(request, socket, head, () => undefined);
  });
  const url = `http://127.0.0.1:${await portOf(http)}`;
  const error = await failureOf(fleetAt(url, JSON_PLAYERS, 80));
  expect(error.message).toMatch(/^30 of 80 players could not connect: .*status 503/);
  expect(error.hint).toMatch(/at 50 connections, a round number.*the server's policy, not its capacity/);
});

describe('the error says which side ended a connection', () => {
  const big = JSON.stringify({ world: 'x'.repeat(17 * 2 ** 20) });
  it.each([
    [
      'by them, for a policy',
      1008,
      /a server closed a player's connection: code 1008: this is the server's policy/,
    ],
    ['by them, as it should be', 1000, /a server closed a player's connection: code 1000/],
    [
      'by us, for a frame without an end',
      big,
      /the server sent a frame that is larger.*capbench closed this connection, not the server/,
    ],
  ] as const)('%s', async (_what, end, expected) => {
    const http = createServer();
    new WebSocketServer({ server: http }).on('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.on('message', () => (typeof end === 'number' ? socket.close(end) : socket.send(end)));
    });
    const tally = await tallyAt(http);
    expect(tally.errors.join('\n')).toMatch(expected);
    expect(tally.errors.filter((error) => /closed/.test(error))).toHaveLength(1);
  });

  it('a snapshot of a megabyte is accepted', async () => {
    const http = createServer();
    new WebSocketServer({ server: http }).on('connection', (socket) => {
      socket.send(JSON.stringify({ world: 'x'.repeat(2 ** 20) }));
      socket.on('message', (data) => socket.send(JSON.stringify({ id: JSON.parse(String(data)).id })));
    });
    const tally = await tallyAt(http);
    expect(tally.errors).toEqual([]);
    expect(tally.operations.intent.whole.ok).toBeGreaterThan(0);
  });
});

it('a header selects a sub-protocol', async () => {
  const http = createServer();
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'game.v1.json' });
  http.on('upgrade', (request, socket, head) => {
    if (request.headers['sec-websocket-protocol'] !== 'chat,game.v1.json') return void socket.destroy();
    sockets.handleUpgrade(request, socket, head, (peer) =>
      peer.on('message', (data) => peer.send(JSON.stringify({ id: JSON.parse(String(data)).id }))),
    );
  });
  const headers = { 'Sec-WebSocket-Protocol': 'chat, game.v1.json' };
  const tally = await tallyAt(http, JSON_PLAYERS, headers);
  expect(tally.operations.intent.whole.ok).toBeGreaterThan(0);
});

it.each([
  [301, 'failed', /a server answered GET with status 301, Location \/game\/: redirects are not followed/],
  [429, 'rejected', /a server answered GET with status 429: this is the server's policy/],
  [401, 'rejected', /a server answered GET with status 401: .*--header-env/],
  [404, 'rejected', null],
] as const)('an HTTP answer of %i is %s, and reported', async (status, outcome, expected) => {
  const http = createServer((_request, response) => {
    response.writeHead(status, status === 301 ? { location: '/game/' } : {}).end();
  });
  const tally = await tallyAt(http, HTTP_PLAYERS);
  const { whole } = tally.operations.intent;
  expect(whole[outcome]).toBe(whole.scheduled);
  if (expected === null) expect(tally.errors).toEqual([]);
  else expect(tally.errors.join('\n')).toMatch(expected);
});
