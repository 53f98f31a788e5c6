import { readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { perCpuSecond, repeating } from '../../src/score/benchmark.ts';
import { fdatasync } from '../../src/score/fdatasync.ts';
import { javascript } from '../../src/score/javascript.ts';
import { loopback } from '../../src/score/loopback.ts';
import { memoryBandwidth } from '../../src/score/memory-bandwidth.ts';
import { webSocket } from '../../src/score/web-socket.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const sockets = (): number => process.getActiveResourcesInfo().filter((one) => /^TCP/.test(one)).length;
const SHORT = { warmUpMs: 20, measureMs: 60 };

test.each([
  ['javascript', javascript],
  ['webSocket', webSocket],
  ['loopback', loopback],
  ['memoryBandwidth', memoryBandwidth],
])('%s finds one number, and leaves nothing open', async (name, benchmark) => {
  const folder = temporaryFolder();
  const before = sockets();
  const reading = await benchmark({ ...SHORT, folder });
  expect(Object.keys(reading)).toEqual([name]);
  const [value = 0] = Object.values(reading);
  expect(value > 0 && Number.isFinite(value), String(value)).toBe(true);
  expect(readdirSync(folder)).toEqual([]);
  // Connections end in the next turns of the event loop.
  await expect.poll(sockets).toBeLessThanOrEqual(before);
});

test('fdatasync finds two percentiles of its own file', async () => {
  const folder = temporaryFolder();
  const { fdatasyncP50 = 0, fdatasyncP95 = 0, ...rest } = await fdatasync({ ...SHORT, folder });
  expect(rest).toEqual({});
  expect(fdatasyncP50).toBeGreaterThan(0);
  expect(fdatasyncP95).toBeGreaterThanOrEqual(fdatasyncP50);
  expect(readdirSync(folder)).toEqual(['fdatasync']);
});

test('a folder that is not there is an error, and not a number', async () => {
  await expect(fdatasync({ ...SHORT, folder: '/nowhere' })).rejects.toThrow('ENOENT');
});

test('time without the CPU does not count', async () => {
  let done = 0;
  const spin = repeating(() => {
    done += 1;
  });
  const start = performance.now();
  const value = await perCpuSecond(
    () => done,
    async (milliseconds) => {
      spin(milliseconds);
      await pause(5 * milliseconds);
    },
    { warmUpMs: 0, measureMs: 50, folder: '/' },
  );
  const perSecond = done / ((performance.now() - start) / 1e3);
  expect(value).toBeGreaterThan(2 * perSecond);
});

test('the warm-up is not counted', async () => {
  const asked: number[] = [];
  let done = 0;
  const value = await perCpuSecond(
    () => done,
    (milliseconds) => {
      asked.push(milliseconds);
      done += milliseconds === 30 ? 1e12 : 1;
      repeating(() => undefined)(milliseconds);
    },
    { warmUpMs: 30, measureMs: 40, folder: '/' },
  );
  expect(asked).toEqual([30, 40]);
  expect(value).toBeLessThan(1e6);
});
