import { getEventListeners } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { attachAny } from '../../src/stack/target-stack.ts';
import { onAbort, pause, unlessAborted } from '../../src/supervision/time-limit.ts';
import { portOf } from '../loopback.ts';

test('repeated checks of many targets leave no listener behind', async () => {
  const server = createServer((client) => client.on('error', () => undefined));
  const url = `http://127.0.0.1:${await portOf(server)}`;
  const warnings: string[] = [];
  const warned = (warning: Error): void => void warnings.push(warning.name);
  process.on('warning', warned);
  const { signal } = new AbortController();
  const target = { url, host: '127.0.0.1', addresses: ['127.0.0.1'], foreign: false, onThisHost: true };
  for (let round = 0; round < 3; round++) {
    const stack = await attachAny(Array(15).fill(target), { signal });
    await stack.close();
  }
  await new Promise(setImmediate);
  process.off('warning', warned);
  expect(warnings).toEqual([]);
  expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1);
});

test('a server that answers the players is not asked whether it still listens, and one that does not is', async () => {
  let connections = 0;
  const server = createServer((client) => {
    connections += 1;
    client.on('error', () => undefined);
  });
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${await portOf(server)}`;
  const target = { url, host: '127.0.0.1', addresses: ['127.0.0.1'], foreign: false, onThisHost: true };
  const stack = await attachAny([target], { signal: new AbortController().signal });
  onTestFinished(() => stack.close());
  const answering = setInterval(() => stack.answered?.(), 50);
  await pause(3_000);
  const whileAnswering = connections;
  clearInterval(answering);
  await expect.poll(() => connections, { timeout: 30_000 }).toBeGreaterThan(whileAnswering);
  expect(whileAnswering).toBe(1);
});

test('many waits share one listener for a signal, and all of them receive it', async () => {
  const stop = new AbortController();
  const received: number[] = [];
  const forget = Array.from({ length: 20 }, (_, i) => onAbort(stop.signal, () => received.push(i)));
  for (const undo of forget.slice(5)) undo();
  const waits = [pause(60_000, stop.signal), unlessAborted(new Promise(() => {}), stop.signal)];
  expect(getEventListeners(stop.signal, 'abort')).toHaveLength(1);
  stop.abort(new Error('enough'));
  expect(received).toEqual([0, 1, 2, 3, 4]);
  for (const wait of waits) await expect(wait).rejects.toThrow('enough');
});
