import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { monotonic } from '../../src/clock.ts';
import { createNativeEngine } from '../../src/load/native.ts';
import { askHealth } from '../../src/stack/health.ts';
import { openNullWorld } from '../../src/stack/null-world.ts';
import { openWatchdog, type Watchdog } from '../../src/supervision/watchdog.ts';
import { micros } from '../../src/units.ts';
import { workloadWith } from '../load/a-workload.ts';
import { processesIn } from './leftovers.ts';

/** The temporary directory of this test alone: whatever is left, is left there. */
const folder = mkdtempSync(join(tmpdir(), 'null-world-'));
const { signal } = new AbortController();
let watchdog: Watchdog;

beforeAll(async () => {
  vi.stubEnv('TMPDIR', folder);
  watchdog = await openWatchdog(process.env);
});
afterAll(async () => {
  await watchdog.close();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const nullWorlds = () => processesIn(folder).filter(({ command }) => command.includes('flux-null'));

test('a null world has every entity once, answers a fleet in full, and leaves nothing', async () => {
  const workload = workloadWith({ players: 21, monsters: 61, duration: 2 });
  const token = 'of-this-test-alone';
  const size = { players: 21, monsters: 61, servers: 2, token };
  const world = await openNullWorld({ ...size, watchdog, signal });
  const { worlds, database } = world.endpoints;
  expect(nullWorlds().map(({ pid }) => pid)).toEqual(worlds.map(({ pid }) => pid));
  expect(database).toBeNull();
  const health = await Promise.all(worlds.map(({ url }) => askHealth({ url }, signal)));
  expect(health.map(({ players }) => players)).toEqual([
    { from: 0, to: 10 },
    { from: 10, to: 21 },
  ]);
  expect(health.map(({ monsters }) => monsters)).toEqual([
    { from: 21, to: 51 },
    { from: 51, to: 82 },
  ]);

  const fleet = await createNativeEngine({ workers: 1, watchdog }).prepare(workload, world.endpoints, signal);
  expect(fleet.connect.connected).toBe(21);
  const tally = await fleet.run(micros(monotonic() + 100_000), () => {});
  const metrics = await (await fetch(`${worlds[0]!.url}/metrics`)).text();
  await fleet.close();
  const { intent, monsterCommand } = tally.operations;
  expect(intent.whole.scheduled).toBeGreaterThan(100);
  expect(intent.whole.ok).toBe(intent.whole.scheduled);
  expect(monsterCommand.whole.scheduled).toBeGreaterThan(300);
  expect(monsterCommand.whole.ok).toBe(monsterCommand.whole.scheduled);
  expect(tally.errors).toEqual([]);
  expect(Number(/^capbench_world_operations_total (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(0);

  await world.close();
  await world.close();
  expect(nullWorlds()).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});

test('an aborted start leaves nothing', async () => {
  const stop = new AbortController();
  const opening = openNullWorld({ players: 1, monsters: 1, servers: 2, watchdog, signal: stop.signal });
  setTimeout(() => stop.abort(new Error('enough')), 20);
  await expect(opening).rejects.toThrow('enough');
  expect(nullWorlds()).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});
