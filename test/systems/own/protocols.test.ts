import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { type PlayerInputs, readPlayerData } from '../../../src/load/player-data.ts';
import type { Players } from '../../../src/systems/own/players-schema.ts';
import { seconds } from '../../../src/units.ts';
import { workloadWith } from '../../load/a-workload.ts';
import { failureOf, prepare, run } from '../../load/engine-room.ts';

/** Players of the two built-in protocols against servers that know nothing of capbench. */
const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const workload = (playing: Players, given: Parameters<typeof workloadWith>[0] = {}) =>
  workloadWith({
    ...{ players: 6, intentRate: 20, monsters: 0, postRate: 0, duration: 1, playing },
    ...{ skipAfter: seconds(10), drain: seconds(11) },
    ...given,
  });
/** For servers that do not answer. */
const IMPATIENT = { timeout: seconds(0.4), skipAfter: seconds(1), drain: seconds(1) };

async function play(playing: Players, urls: readonly string[], given: Parameters<typeof workload>[1] = {}) {
  const fleet = await prepare(workload(playing, given), {
    worlds: urls.map((url) => ({ url, pid: null })),
    database: null,
  });
  const { tally } = await run(fleet);
  await fleet.close();
  return { tally, counts: tally.operations.intent.whole, errors: tally.errors.join('\n') };
}

interface Frame {
  readonly type: string;
  readonly command: string;
  readonly id: number;
}

/** A server that echoes ids; `answer` makes the answer. */
async function mud(answer: (frame: Frame, socket: WebSocket) => void, seen: string[] = []): Promise<string> {
  const server = createServer();
  new WebSocketServer({ server }).on('connection', (socket, { url }) => {
    seen.push(url ?? '');
    socket.send('{"type":"news","text":"a player came"}');
    socket.on('message', (data) => answer(JSON.parse(String(data)) as Frame, socket));
  });
  return listen(server);
}

const json = (given: Partial<Extract<Players, { protocol: 'json' }>> = {}): Players => ({
  ...{ protocol: 'json', path: '/ws?name=p{player}', idAt: 'id', errorAt: 'error' },
  commands: [
    { type: 'command', command: 'look', weight: 3 },
    { type: 'say', command: 'hällo from {player} ☃', weight: 1 },
  ],
  ...given,
});

test('JSON over WebSocket: messages are drawn by weight, and answers are matched by id', async () => {
  const seen: string[] = [];
  const sentTypes = new Map<string, number>();
  const greetings = new Set<string>();
  const url = await mud(({ type, command, id }, socket) => {
    sentTypes.set(type, (sentTypes.get(type) ?? 0) + 1);
    if (type === 'say') greetings.add(command);
    socket.send('{"news":true}');
    socket.send(JSON.stringify(id % 4 ? { id, text: 'a room' } : { id: String(id), error: 'no' }));
  }, seen);
  const { tally, counts } = await play(json(), [url]);
  expect(new Set(seen)).toEqual(new Set([0, 1, 2, 3, 4, 5].map((player) => `/ws?name=p${player}`)));
  expect(counts.ok + counts.rejected).toBe(counts.scheduled);
  expect(counts.scheduled).toBeGreaterThan(100);
  expect(counts.rejected).toBeGreaterThan(20);
  expect((sentTypes.get('command') ?? 0) + (sentTypes.get('say') ?? 0)).toBe(counts.scheduled);
  expect(sentTypes.get('command')).toBeGreaterThan(sentTypes.get('say') ?? 0);
  expect(greetings.size).toBeGreaterThan(3);
  for (const greeting of greetings) expect(greeting).toMatch(/^hällo from [0-5] ☃$/);
  expect(tally.strayAnswers).toBe(0);
  expect(tally.bytesIn).toBeGreaterThan(0);
  expect(tally.bytesOut).toBeGreaterThan(0);
});

test('id and error may be nested in an answer, and players are distributed over the servers', async () => {
  const answer = ({ id }: Frame, socket: WebSocket): void =>
    socket.send(JSON.stringify({ re: { id }, id: 1e9, result: { error: id % 2 ? '' : { code: 1 } } }));
  const seen: [string[], string[]] = [[], []];
  const urls = [await mud(answer, seen[0]), await mud(answer, seen[1])];
  const { counts, tally } = await play(json({ idAt: 're.id', errorAt: 'result.error' }), urls);
  expect(seen.map(({ length }) => length)).toEqual([3, 3]);
  expect(counts.ok).toBeGreaterThan(0);
  expect(counts.rejected).toBeGreaterThan(0);
  expect(counts.ok + counts.rejected).toBe(counts.scheduled);
  expect(tally.strayAnswers).toBe(0);
});

test('an unanswered message times out, and a second answer is unexpected', async () => {
  const silent = await play(json(), [await mud(() => {})], IMPATIENT);
  expect(silent.counts.timedOut + silent.counts.skipped + silent.counts.unfinished).toBe(
    silent.counts.scheduled,
  );
  const before = new Map<WebSocket, unknown>();
  let again = 0;
  const twice = await play(json(), [
    await mud(({ id }, socket) => {
      // The second answer to the message before comes first: after the last answer the run does not wait for more.
      if (before.has(socket)) {
        again += 1;
        socket.send(JSON.stringify({ id: before.get(socket) }));
      }
      before.set(socket, id);
      socket.send(JSON.stringify({ id }));
    }),
  ]);
  expect(twice.counts.ok).toBe(twice.counts.scheduled);
  expect(again).toBe(twice.counts.scheduled - before.size);
  expect(twice.tally.strayAnswers).toBe(again);
});

test('what is no answer is news: binary data, heartbeats, frames that are no JSON, large snapshots', async () => {
  const news = ['ping', '2', '', Buffer.of(0, 1, 2), JSON.stringify({ tiles: 'x'.repeat(300_000) })];
  const { counts, tally } = await play(json(), [
    await mud(({ id }, socket) => {
      for (const one of id === 1 ? news : news.slice(0, 4)) socket.send(one);
      socket.send(JSON.stringify({ id }));
    }),
  ]);
  expect(counts.ok).toBe(counts.scheduled);
  expect(tally).toMatchObject({ disconnects: 0, strayAnswers: 0, errors: [] });
});

test('a frame that is longer than players.largestFrame ends the connection, and the error names the key', async () => {
  const long = JSON.stringify({ tiles: 'x'.repeat(70_000) });
  const { counts, tally, errors } = await play(json({ largestFrame: '64kB' }), [
    await mud((_frame, socket) => socket.send(long)),
  ]);
  expect(counts.failed).toBe(counts.scheduled);
  expect(tally.disconnects).toBe(6);
  expect(errors).toContain('players.largestFrame');
});

test('sub-protocols and permessage-deflate are offered, and the bytes are those of the sockets', async () => {
  const taken = new Set<string>();
  const connections = new Set<Socket>();
  const server = createServer();
  server.on('connection', (socket) => connections.add(socket));
  new WebSocketServer({ server, perMessageDeflate: { threshold: 0 } }).on('connection', (socket) => {
    taken.add(`${socket.protocol} ${socket.extensions}`);
    socket.on('message', (data) => {
      const { id } = JSON.parse(String(data)) as Frame;
      socket.send(JSON.stringify({ id, world: 'x'.repeat(10_000) }));
    });
  });
  const sum = (key: 'bytesRead' | 'bytesWritten'): number =>
    [...connections].reduce((total, socket) => total + socket[key], 0);
  const at = { worlds: [{ url: await listen(server), pid: null }], database: null };
  const fleet = await prepare(workload(json({ deflate: true, subprotocols: ['game.v1', 'game.v0'] })), at);
  const before = { read: sum('bytesRead'), written: sum('bytesWritten') };
  const { tally } = await run(fleet);
  const after = { read: sum('bytesRead'), written: sum('bytesWritten') };
  await fleet.close();
  expect([...taken]).toEqual(['game.v1 permessage-deflate']);
  const { ok, scheduled } = tally.operations.intent.whole;
  expect(ok).toBe(scheduled);
  expect(tally.bytesOut).toBe(after.read - before.read);
  expect(tally.bytesIn).toBe(after.written - before.written);
  expect(tally.bytesIn).toBeLessThan(ok * 1000);
});

test('when a server closes a connection with unanswered operations, the error says how many failed', async () => {
  const { counts, tally, errors } = await play(json(), [await mud((_frame, socket) => socket.terminate())], {
    reconnect: true,
  });
  const sent = counts.failed - counts.failedUnsent;
  expect(sent).toBeGreaterThan(6);
  expect(tally.disconnects).toBeGreaterThan(6);
  expect(errors.split('\n')).toEqual([
    `a player's connection ended before an operation was answered (${sent} times)`,
    expect.stringMatching(/^a server closed a player's connection: without a close frame \(code 1006\) /),
  ]);
});

const USERS = 'name,password\nanna,hunter-2-anna\nben,hunter-2-ben\ncleo,hunter-2-cleo\n';

/** The rows of USERS, as a run reads them. */
async function inputs(): Promise<PlayerInputs> {
  const folder = mkdtempSync(join(tmpdir(), 'protocols-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'users.csv'), USERS);
  const data = await readPlayerData(join(folder, 'users.csv'), './users.csv');
  return { data, environment: { GAME_KEY: 'a-key' } };
}

test('JSON players log in by a request and a first frame, with rows, variables and a token, and send bodies of their own', async () => {
  const seen = new Set<string>();
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      seen.add(`${request.headers['content-type']} ${body}`);
      const { user } = Object.fromEntries(new URLSearchParams(body));
      response.setHeader('set-cookie', [`sid=${user}; Path=/; HttpOnly`]);
      response.end(JSON.stringify({ session: { token: `token-of-${user}` } }));
    });
  });
  new WebSocketServer({ server }).on('connection', (socket, { url, headers }) => {
    seen.add(`${url} ${headers.cookie} ${headers.authorization}`);
    socket.send('{"type":"news"}');
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data));
      if (frame.type === 'auth') {
        seen.add(String(data));
        // Before the answer to the log-in, and no answer to it.
        socket.send('{"type":"motd"}');
        setTimeout(() => socket.send('{"ok":true}'), 20);
      } else {
        seen.add(JSON.stringify({ ...frame, ref: typeof frame.ref }));
        socket.send(JSON.stringify({ id: frame.ref }));
      }
    });
  });
  const playing = json({
    ...{ path: '/ws?t={token}', data: './users.csv', environment: ['GAME_KEY'] },
    login: {
      ...{ path: '/login', form: { user: '{name}', password: '{password}' }, tokenAt: 'session.token' },
      ...{ frame: { type: 'auth', key: '{env.GAME_KEY}', token: '{token}' }, okAt: 'ok' },
    },
    commands: [{ type: 'command', body: { ref: '{id}', who: '{name}', n: ['{player}'] }, weight: 1 }],
  });
  const at = { worlds: [{ url: await listen(server), pid: null }], database: null };
  const fleet = await prepare(workload(playing), at, { inputs: await inputs() });
  const { tally } = await run(fleet);
  await fleet.close();
  const { ok, scheduled } = tally.operations.intent.whole;
  expect(ok).toBe(scheduled);
  expect(tally.errors).toEqual([]);
  const names = ['anna', 'ben', 'cleo'];
  const expected = names.flatMap((name, row) => [
    `application/x-www-form-urlencoded user=${name}&password=hunter-2-${name}`,
    `/ws?t=token-of-${name} sid=${name} Bearer token-of-${name}`,
    JSON.stringify({ type: 'auth', key: 'a-key', token: `token-of-${name}` }),
    ...[row, row + 3].map((player) => JSON.stringify({ ref: 'number', who: name, n: [player] })),
  ]);
  expect(seen).toEqual(new Set(expected));
});

test.each([
  [
    'a frame',
    { frame: { name: '{name}', password: '{password}' } },
    'refused the log-in: (redacted) has no (redacted)',
  ],
  ['a request', { path: '/in', body: { name: '{name}' } }, 'log-in: status 403'],
  ['a token', { path: '/other', tokenAt: 'token' }, 'log-in: the answer has no token at token'],
])('a log-in that is refused is said, without what it sent: %s', async (_what, login, message) => {
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/in' ? 403 : 200;
    response.end('{}');
  });
  new WebSocketServer({ server }).on('connection', (socket) =>
    socket.on('message', (data) => {
      const { name, password } = JSON.parse(String(data));
      socket.send(JSON.stringify({ error: `${name} has no ${password}` }));
    }),
  );
  const at = { worlds: [{ url: await listen(server), pid: null }], database: null };
  const fleet = prepare(workload(json({ data: './users.csv', login }), { players: 1 }), at, {
    ...{ workers: 1, inputs: await inputs() },
  });
  const error = await failureOf(fleet);
  expect(error.exitCode).toBe(93);
  expect(error.message).toContain(message);
});

test('HTTP players log in first, over the same connection, and keep cookies and token', async () => {
  const seen = new Set<string>();
  const { url, connections } = await site((request, response, body) => {
    const { cookie, authorization } = request.headers;
    if (request.url === '/login') {
      const { name } = JSON.parse(body);
      response.setHeader('set-cookie', `sid=${name}`).end(JSON.stringify({ token: `t-${name}` }));
      return;
    }
    seen.add(`${request.url} ${cookie} ${authorization} ${body.replace(/\d+/, 'N')}`);
    // A new session with every answer, as some frameworks have it.
    if (cookie?.startsWith('sid=') === true) response.setHeader('set-cookie', 'seen=yes');
    response.end('ok');
  });
  const playing: Players = {
    ...{ protocol: 'http', data: './users.csv' },
    login: { path: '/login', body: '{"name":"{name}","password":"{password}"}', tokenAt: 'token' },
    requests: [{ method: 'POST', path: '/at/{name}', body: { n: '{id}' }, weight: 1 }],
  };
  const at = { worlds: [{ url, pid: null }], database: null };
  const fleet = await prepare(workload(playing, { players: 3, outstanding: 1 }), at, {
    inputs: await inputs(),
  });
  const { tally } = await run(fleet);
  await fleet.close();
  const { ok, scheduled } = tally.operations.intent.whole;
  expect(ok).toBe(scheduled);
  expect(connections()).toBe(3);
  expect(seen).toEqual(
    new Set(
      ['anna', 'ben', 'cleo'].flatMap((name) =>
        ['', '; seen=yes'].map((more) => `/at/${name} sid=${name}${more} Bearer t-${name} {"n":N}`),
      ),
    ),
  );
});

/** A server by its handler; counts its connections. */
async function site(handle: (request: IncomingMessage, response: ServerResponse, body: string) => void) {
  let connections = 0;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => handle(request, response, body));
  });
  server.on('connection', () => {
    connections += 1;
  });
  return { url: await listen(server), connections: () => connections };
}

const http = (...requests: Extract<Players, { protocol: 'http' }>['requests']): Players => ({
  protocol: 'http',
  requests,
});

test('HTTP connections are kept after every method, with and without a body', async () => {
  const paths = new Set<string>();
  const { url, connections } = await site((request, response) => {
    paths.add(`${request.method} ${request.url}`);
    response.end('ok');
  });
  const all = (['GET', 'HEAD', 'DELETE', 'OPTIONS', 'PUT'] as const).map((method) => ({
    method,
    path: '/größe',
  }));
  const playing = http(
    ...all.map((one) => ({ ...one, weight: 1 })),
    ...all.filter(({ method }) => method !== 'HEAD').map((one) => ({ ...one, body: '{"n":1}', weight: 1 })),
  );
  const login = { path: '/anmeldung/ü', method: 'GET' as const, body: '{}' };
  const at = { worlds: [{ url, pid: null }], database: null };
  const fleet = await prepare(workload({ ...playing, login } as Players, { players: 3, outstanding: 1 }), at);
  const { ok, scheduled } = (await run(fleet)).tally.operations.intent.whole;
  await fleet.close();
  expect(ok).toBe(scheduled);
  expect(connections()).toBe(3);
  expect(paths).toContain('GET /anmeldung/%C3%BC');
  expect(paths).toContain('HEAD /gr%C3%B6%C3%9Fe');
});

test('HTTP: 2xx is ok, 4xx is a rejection and an answer, anything else is a failure', async () => {
  const bodies = new Set<string>();
  const { url, connections } = await site((request, response, body) => {
    if (request.method === 'POST') bodies.add(`${request.headers['content-type']} ${body}`);
    response.statusCode =
      { '/base/gone': 404, '/base/broken': 500, '/base/moved': 302 }[request.url ?? ''] ?? 204;
    response.end();
  });
  const { counts, errors, tally } = await play(
    http(
      { method: 'GET', path: '/players/{player}', weight: 2 },
      { method: 'POST', path: '/moves', body: '{"player":{player}}', weight: 2 },
      { method: 'POST', path: '/words', body: 'hello', weight: 2 },
      { method: 'GET', path: '/gone', weight: 2 },
      { method: 'GET', path: '/broken', weight: 1 },
      { method: 'DELETE', path: '/moved', weight: 1 },
    ),
    [`${url}/base`],
  );
  expect(counts.ok + counts.rejected + counts.failed).toBe(counts.scheduled);
  for (const end of ['ok', 'rejected', 'failed'] as const) expect(counts[end]).toBeGreaterThan(3);
  // Every answered request had been sent.
  expect(counts.failedUnsent).toBe(0);
  expect(bodies).toContain('application/json {"player":3}');
  expect(bodies).toContain('text/plain; charset=utf-8 hello');
  expect(errors).toContain('a server answered GET with status 500');
  expect(errors).toContain('a server answered DELETE with status 302');
  expect(tally.disconnects).toBe(0);
  // Answers without a body still have a head.
  expect(tally.bytesIn).toBeGreaterThan(counts.ok * 'HTTP/1.1 204 No Content\r\n\r\n'.length);
  expect(tally.bytesOut).toBeGreaterThan(counts.ok * 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'.length);
  // Each player keeps its connections.
  expect(connections()).toBeLessThanOrEqual(6 * 4);
});

test('HTTP connections are kept for as long as the server says, and counted', async () => {
  const { url, connections } = await site((_request, response) => void response.end('ok'));
  for (const server of servers) server.keepAliveTimeout = 2_000;
  const requests = http({ method: 'GET', path: '/', weight: 1 });
  const at = { worlds: [{ url, pid: null }], database: null };
  const fleet = await prepare(workload(requests, { outstanding: 1 }), at);
  const { tally, seconds: all } = await run(fleet);
  await fleet.close();
  const { ok, scheduled } = tally.operations.intent.whole;
  expect(ok).toBe(scheduled);
  expect(connections()).toBe(6);
  for (const { sockets } of all) expect(sockets).toEqual({ open: 6, handshakes: 0 });
});

test('an unanswered request times out, and one whose connection breaks fails', async () => {
  const { url: mute } = await site(() => {});
  const silent = await play(http({ method: 'GET', path: '/', weight: 1 }), [mute], IMPATIENT);
  expect(silent.counts.timedOut).toBeGreaterThan(0);
  expect(silent.counts.ok).toBe(0);
  const { url: rude } = await site((request) => request.socket.destroy());
  const broken = await play(http({ method: 'POST', path: '/', body: '', weight: 1 }), [rude]);
  expect(broken.counts).toMatchObject({ failed: broken.counts.scheduled, failedUnsent: 0 });
  expect(broken.errors).toContain("a player's request failed");
});

test('an answer that begins and never ends times out, and is reported as such', async () => {
  const endless = await site((request, response) => {
    response.write('once upon a time');
    if (request.url === '/silent') return;
    const more = setInterval(() => response.write(', and then'), 20);
    response.on('close', () => clearInterval(more));
  });
  for (const path of ['/silent', '/telling']) {
    const { counts, errors } = await play(http({ method: 'GET', path, weight: 1 }), [endless.url], IMPATIENT);
    expect(counts.ok + counts.rejected).toBe(0);
    expect(counts.timedOut).toBeGreaterThan(6);
    expect(errors).toMatch(/^a server's answer started but did not end within load.timeout \(\d+ times\)$/);
  }
});

test('players whose connections are cut reconnect', async () => {
  const { url } = await site((_request, response) => void response.end('ok'));
  const fleet = await prepare(
    workload(http({ method: 'GET', path: '/', weight: 1 }), { reconnect: true, duration: 2 }),
    { worlds: [{ url, pid: null }], database: null },
  );
  const running = run(fleet);
  await new Promise((resolve) => setTimeout(resolve, 800));
  expect(await fleet.drop(50, 1)).toBeGreaterThan(0);
  const { tally } = await running;
  expect(tally.disconnects).toBeGreaterThan(0);
  expect(tally.reconnects).toBe(tally.disconnects);
  // capbench cut the connections itself, so it reports no error.
  expect(tally.errors).toEqual([]);
});

test('a refused connection ends with 93', async () => {
  const { url } = await site(() => {});
  const [server] = servers.splice(0);
  await new Promise((resolve) => server?.close(resolve));
  for (const playing of [json(), http({ method: 'GET', path: '/', weight: 1 })]) {
    const endpoints = { worlds: [{ url, pid: null }], database: null };
    const error = await failureOf(prepare(workload(playing), endpoints));
    expect(error.exitCode).toBe(93);
    expect(error.message).toContain('ECONNREFUSED');
  }
});
