import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openAutocannonTransport } from '../../../../src/systems/flux/autocannon/transport.ts';

const ACCEPTED = 'HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n';

interface Story {
  readonly events: string[];
  /** Requests, by connection. */
  readonly heads: string[][];
  send(slot: number): void;
  until(enough: () => boolean): Promise<void>;
}

/** A transport to a server whose reaction to each request the test defines. */
async function wireTo(onRequest: (socket: Socket, request: number) => void): Promise<Story> {
  const heads: string[][] = [];
  const sockets = new Set<Socket>();
  let requests = 0;
  const server = createServer((socket) => {
    const mine: string[] = [];
    heads.push(mine);
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      for (const head of chunk.toString().split('POST ').slice(1)) {
        mine.push(head);
        onRequest(socket, ++requests);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const events: string[] = [];
  const wire = openAutocannonTransport(
    {
      ...{ url: `http://no-such-host.invalid:${port}/1`, address: '127.0.0.1' },
      headers: { authorization: 'Bearer of a token' },
    },
    'g&0',
    32,
    {
      accepted: (slot) => events.push(`accepted ${slot}`),
      refused: (slot, message) => events.push(`refused ${slot} ${message}`),
      postsLost: (message) => events.push(`lost ${message}`),
    },
  );
  onTestFinished(() => {
    wire.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    events,
    heads,
    send: (slot) => wire.send(slot, slot + 100, `[[${slot}]]`),
    until: async (enough) => {
      for (let i = 0; i < 500 && !enough(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
      expect(enough(), JSON.stringify({ events, heads })).toBe(true);
    },
  };
}

test('a name is reached at its pinned address, with the name as Host; requests do not wait for answers', async () => {
  const { events, heads, send, until } = await wireTo((socket, request) => {
    if (request === 3) socket.write(ACCEPTED.repeat(3));
  });
  for (const slot of [7, 8, 9]) send(slot);
  await until(() => events.length === 3);
  expect(events).toEqual(['accepted 7', 'accepted 8', 'accepted 9']);
  expect(heads).toHaveLength(1);
  expect(heads[0]?.[0]).toMatch(
    /^\/1\/commands\?generator=g%260&post=107 HTTP\/1\.1\r\nConnection: keep-alive\r\n/,
  );
  expect(heads[0]?.[0]).toContain('\r\nhost: no-such-host.invalid:');
  expect(heads[0]?.[0]).toContain('\r\ncontent-type: application/json\r\n');
  expect(heads[0]?.[0]).toContain('\r\nauthorization: Bearer of a token\r\n');
  expect(heads[0]?.[0]?.endsWith('\r\n\r\n[[7]]')).toBe(true);
});

test('an answer other than 202 is reported with its cause', async () => {
  const { events, send, until } = await wireTo((socket) =>
    socket.write('HTTP/1.1 409 Conflict\r\ncontent-length: 9\r\n\r\nnot again'),
  );
  send(1);
  await until(() => events.length === 1);
  expect(events).toEqual(['refused 1 a post of monster commands was answered 409: not again']);
});

test.each([
  ['what is no HTTP', 'good morning\r\n\r\n'],
  ['an answer to nothing', ACCEPTED + ACCEPTED],
])('%s ends the transport, once, without a crash', async (_what, answer) => {
  const { events, heads, send, until } = await wireTo((socket) => socket.write(answer));
  send(1);
  await until(() => events.some((event) => event.startsWith('lost ')));
  send(2);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(events.filter((event) => event.startsWith('lost '))).toHaveLength(1);
  expect(heads).toHaveLength(1);
});

test('a connection that ends with unanswered posts is lost; an idle one is opened again', async () => {
  const { events, heads, send, until } = await wireTo((socket, request) => {
    if (request === 1) socket.end(ACCEPTED);
    else socket.end();
  });
  send(1);
  await until(() => heads.length === 2);
  send(2);
  await until(() => events.length === 2);
  expect(events).toEqual(['accepted 1', 'lost the server ended it']);
  expect(heads.map((each) => each.length)).toEqual([1, 1]);
});

test('a refused connection', async () => {
  const { events, send, until } = await wireTo((socket) => socket.resetAndDestroy());
  send(1);
  await until(() => events.length === 1);
  expect(events[0]).toMatch(/^lost .*ECONNRESET/);
});
