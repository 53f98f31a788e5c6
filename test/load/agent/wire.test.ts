import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { encode, Wire } from '../../../src/load/agent/wire.ts';
import { portOf } from '../../loopback.ts';

/** Two ends of a connection; `far` sends bytes. */
async function pair(): Promise<{ readonly near: Socket; readonly far: Socket }> {
  const server = createServer();
  const far = connect(await portOf(server), '127.0.0.1');
  const [near] = (await once(server, 'connection')) as [Socket];
  onTestFinished(() => {
    for (const each of [near, far]) each.destroy();
    server.close();
  });
  far.on('error', () => undefined);
  return { near, far };
}

/** What arrives, and why it ended. */
async function listening(mostBytes?: number) {
  const { near, far } = await pair();
  const received: unknown[] = [];
  let onEnd: (reason: string) => void = () => {};
  const ended = new Promise<string>((resolve) => {
    onEnd = resolve;
  });
  const wire = new Wire(near, (message) => received.push(message), onEnd, mostBytes);
  return { wire, far, received, ended };
}

test('messages arrive whole and in order, however the bytes are cut, with arrays of numbers and what is not finite', async () => {
  const { far, received } = await listening();
  const numbers = new Float64Array([0.5, -1, 2 ** 60, Number.POSITIVE_INFINITY, Number.NaN]);
  const all = [
    { kind: 'one', numbers, part: numbers.subarray(1, 3), of: new Uint16Array([1, 65_535]) },
    { least: Number.NEGATIVE_INFINITY, none: null, text: 'ü\n"', list: [[], {}], empty: new Int32Array(0) },
    { value: 'no array', $typed: 'Function' },
    { long: new Uint8Array(300_000).fill(7) },
  ];
  const bytes = Buffer.concat(all.map(encode));
  for (let from = 0; from < bytes.length; from += from < 500 ? 3 : 50_001) {
    far.write(bytes.subarray(from, from + (from < 500 ? 3 : 50_001)));
    await new Promise(setImmediate);
  }
  await expect.poll(() => received.length).toBe(all.length);
  expect(received).toEqual(all);
});

test.each([
  ['a message that is too long', Buffer.from([0, 0, 1, 1, 123]), 'a message of 257 bytes, of 256 at most'],
  ['another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'of 256 at most'],
  ['no JSON', Buffer.from([0, 0, 0, 2, 123, 123]), 'does not speak the protocol'],
])('%s ends the connection', async (_what, bytes, reason) => {
  const { far, received, ended } = await listening(256);
  far.write(bytes);
  expect(await ended).toContain(reason);
  expect(received).toEqual([]);
});

test('a peer that is silent is given up', async () => {
  const { wire, ended } = await listening();
  wire.trust(1);
  expect(await ended).toBe('nothing was heard of it for 1 s');
});
