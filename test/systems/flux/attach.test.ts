import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { afterEach, describe, expect, it, test } from 'vitest';
import { resolveTargets } from '../../../src/address/target-address.ts';
import { CapbenchError } from '../../../src/errors.ts';
import { attachWorld } from '../../../src/systems/flux/attach.ts';
import { askHealth, type WorldHealth } from '../../../src/systems/flux/health.ts';
import { scenarioOf } from '../../stack/small-scenario.ts';

const opened: (Server | TcpServer)[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

async function listening(server: Server | TcpServer, host = '127.0.0.1'): Promise<number> {
  opened.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}

async function serve(answer: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listening(createServer(answer))}`;
}

const healthy = (instance: number, changed: Partial<WorldHealth> = {}): WorldHealth => ({
  status: 'ok',
  world: 'flux',
  protocol: 1,
  instance,
  instances: 2,
  playersTotal: 20,
  monstersTotal: 30,
  players: { from: (instance - 1) * 10, to: instance * 10 },
  monsters: { from: 20 + (instance - 1) * 15, to: 20 + instance * 15 },
  rowShape: 'columns',
  ...changed,
});

const world = (health: object, status = 200): Promise<string> =>
  serve((request, response) => {
    response.writeHead(request.url === '/health' ? status : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(health));
  });

const never = new AbortController().signal;
const scenario = scenarioOf({});
const attach = async (...urls: string[]) =>
  attachWorld(await resolveTargets(urls, []), scenario, { signal: never });

/** The message and the code of a refusal. */
async function refusal(...urls: string[]): Promise<CapbenchError> {
  const error = await attach(...urls).then(
    () => expect.fail('it attached'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(CapbenchError);
  if (!(error instanceof CapbenchError)) throw error;
  expect(error.hint).toMatch(/\w+ \w+/);
  return error;
}

describe('a whole world', () => {
  it('is attached to in the order of its instances, whatever the order of the addresses', async () => {
    const [first, second] = [await world(healthy(1)), await world(healthy(2))];
    const stack = await attach(`${second}/`, first);
    expect(stack.kind).toBe('target');
    expect(stack.endpoints).toEqual({
      worlds: [
        { url: first, pid: null },
        { url: second, pid: null },
      ],
      database: null,
    });
    await stack.close();
    // Closing leaves the world as it is.
    expect((await askHealth({ url: first }, never)).instance).toBe(1);
  });

  it('is reached by name, by IPv6, as ws, and below a path', async () => {
    const one = healthy(1, { instances: 1, players: { from: 0, to: 20 }, monsters: { from: 20, to: 50 } });
    const url = await world(one);
    const { port } = new URL(url);
    for (const target of [`ws://127.0.0.1:${port}`, `http://127.1:${port}`])
      expect((await attach(target)).endpoints.worlds).toEqual([{ url, pid: null }]);
    // A name stays in the URL; the address that answered is where every connection goes.
    expect((await attach(`http://localhost:${port}`)).endpoints.worlds).toEqual([
      { url: `http://localhost:${port}`, address: '127.0.0.1', pid: null },
    ]);
    const below = await serve((request, response) => {
      response.writeHead(request.url === '/1/health' ? 200 : 404).end(JSON.stringify(one));
    });
    expect((await attach(`${below}/1/`)).endpoints.worlds).toEqual([{ url: `${below}/1`, pid: null }]);
    const six = await listening(
      createServer((_, response) => response.end(JSON.stringify(one))),
      '::1',
    );
    expect((await attach(`http://[::1]:${six}`)).endpoints.worlds[0]?.url).toBe(`http://[::1]:${six}`);
  });
});

describe('an address that may not be loaded is refused with 104', () => {
  test.each([
    ['not an address', /is not a URL/],
    ['127.0.0.1:4001', /is not a URL|neither http/],
    ['ftp://127.0.0.1:4001', /is not an http, https, ws or wss URL/],
    ['http://192.0.2.1:4001', /the target 192\.0\.2\.1:4001 is not loopback/],
    ['http://0.0.0.0:4001', /is an unspecified address/],
    ['http://[::ffff:192.0.2.1]:4001', /is not loopback/],
    ['http://127.0.0.1:4001/?x=1', /holds a query/],
    ['http://127.0.0.1:99999', /is not a URL/],
  ])('%s', async (url, message) => {
    const error = await refusal(url);
    expect(error.exitCode).toBe(104);
    expect(error.message).toMatch(message);
  });

  test.each([
    'http://ann:s3cret@127.0.0.1:4001',
    'http://ann:s3cret@192.0.2.1',
    'ftp://ann:s3cret@127.0.0.1',
    'http://ann:s3cret@127.0.0.1:port',
    'http://ann:s3cret/pa/ss@127.0.0.1:4001',
    'ann:s3cret@127.0.0.1:4001',
    'http://127.0.0.1:4001/?token=s3cret',
    'http://[broken/?token=s3cret',
  ])('%s, without repeating the password', async (url) => {
    const error = await refusal(url);
    expect(error.exitCode).toBe(104);
    expect(`${error.message} ${error.hint} ${String(error.stack)}`).not.toMatch(/s3cret|ann:/);
  });

  it('even before any other target is contacted', async () => {
    let asked = 0;
    const good = await serve((_, response) => {
      asked += 1;
      response.end(JSON.stringify(healthy(1)));
    });
    expect((await refusal(good, 'http://192.0.2.1')).exitCode).toBe(104);
    expect(asked).toBe(0);
  });
});

describe('a target that is no world server is refused with 93 and its address', () => {
  async function refused(message: RegExp, ...urls: string[]) {
    const error = await refusal(...urls);
    expect(error.exitCode).toBe(93);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(urls[0]);
  }

  it('a refused connection', async () => {
    const port = await listening(createServer());
    await new Promise((resolve) => opened.splice(0)[0]?.close(resolve));
    await refused(/connection refused at/, `http://127.0.0.1:${port}`);
    const error = await refusal(`http://localhost:${port}`);
    expect([error.exitCode, error.message]).toEqual([93, expect.stringContaining('connection refused at')]);
  });

  it('an unknown name', async () => {
    const error = await refusal('http://no-such-host.invalid:4001');
    expect(error.exitCode).toBe(93);
    expect(error.message).toContain('no-such-host.invalid');
  });

  it('a server that does not speak HTTP', async () => {
    const port = await listening(createTcpServer((socket) => socket.resume().end('SSH-2.0-nothing\r\n')));
    await refused(/is not an HTTP server/, `http://127.0.0.1:${port}`);
  });

  it('a server that closes the connection', async () => {
    const port = await listening(createTcpServer((socket) => socket.destroy()));
    await refused(/is not an HTTP server/, `http://127.0.0.1:${port}`);
  });

  it('a server that never answers', { timeout: 15_000 }, async () => {
    const port = await listening(createTcpServer((socket) => socket.resume().on('error', () => {})));
    await refused(/did not answer within 5 s/, `http://127.0.0.1:${port}`);
  });

  it('another web server', async () => {
    await refused(
      /status 404/,
      await serve((_, response) => response.writeHead(404).end('<h1>not here</h1>')),
    );
    await refused(/not a JSON object/, await serve((_, response) => response.end('<h1>hello</h1>')));
    await refused(/playersTotal/, await world({ ...healthy(1), playersTotal: 'many' }));
    await refused(
      /the answer is longer than/,
      await serve((_, response) => response.end('x'.repeat(100_000))),
    );
  });

  it('another version of the protocol, an instance number that is too high, a server that is starting', async () => {
    await refused(/uses version 2 .* expected version 1/, await world(healthy(1, { protocol: 2 })));
    await refused(/instance: above instances/, await world(healthy(3)));
    await refused(/is still starting/, await world(healthy(1, { status: 'starting' }), 503));
  });

  it('one half of a world, the same half twice, halves of two worlds, halves that leave an entity out', async () => {
    const [first, second] = [await world(healthy(1)), await world(healthy(2))];
    await refused(/has 2 world servers, and instance 2 is not among the targets/, first);
    await refused(/both instance 1 of 2/, first, first);
    await refused(/both instance 2 of 2/, second, first, second);
    const foreign = await world(healthy(2, { playersTotal: 21 }));
    await refused(/belong to different worlds/, first, foreign);
    const gap = await world(healthy(2, { players: { from: 11, to: 20 } }));
    await refused(/do not own all players 0 to 19 once/, first, gap);
  });

  it.each<[what: string, health: Partial<WorldHealth>, says: RegExp]>([
    [
      'rows of another shape',
      { rowShape: 'jsonb' },
      /writes rows as jsonb, expected the scenario's world.rowShape: columns/,
    ],
    ['rows of a shape that nobody knows', { rowShape: 'blobs' }, /writes rows as blobs/],
    ['another world', { world: 'quake' }, /is a server of the world quake, expected the scenario's flux/],
  ])('%s than the scenario says', async (_what, health, says) => {
    const [one, other] = [await world(healthy(1, health)), await world(healthy(2, health))];
    await refused(says, one, other);
  });

  it('an interruption meanwhile ends with 105', async () => {
    const port = await listening(createTcpServer((socket) => socket.resume().on('error', () => {})));
    const abort = new AbortController();
    const targets = await resolveTargets([`http://127.0.0.1:${port}`], []);
    const attached = attachWorld(targets, scenario, { signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    await expect(attached).rejects.toMatchObject({ exitCode: 105 });
  });
});
