import { readdirSync } from 'node:fs';
import { afterAll, expect, test, vi } from 'vitest';
import { monotonic } from '../../src/clock.ts';
import { createNativeEngine } from '../../src/load/native.ts';
import { openNullServers } from '../../src/stack/null-servers.ts';
import { openWatchdog } from '../../src/supervision/watchdog.ts';
import { dealWorlds } from '../../src/systems/flux/deal.ts';
import { askHealth } from '../../src/systems/flux/health.ts';
import { flux } from '../../src/systems/flux/system.ts';
import { micros } from '../../src/units.ts';
import { ofBoth, workloadWith } from '../load/a-workload.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { processesIn } from './leftovers.ts';
import { scenarioOf } from './small-scenario.ts';

/** The temporary directory of this test, in which leftovers are looked for. */
const folder = temporaryFolder(afterAll);
const { signal } = new AbortController();
vi.stubEnv('TMPDIR', folder);
const watchdog = await openWatchdog(process.env);
afterAll(async () => {
  await watchdog.close();
  vi.unstubAllEnvs();
});

const nullWorlds = () => processesIn(folder).filter(({ command }) => command.includes('flux-null'));

test('a null world has every entity once, answers a whole fleet, and leaves nothing', async () => {
  const workload = workloadWith({ players: 21, monsters: 61, duration: 2 });
  const token = 'of-this-test-alone';
  const servers = flux.nullServers?.(workload, 2, token, null) ?? [];
  const world = await openNullServers(servers, { token, watchdog, signal });
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

  const system = { workerModule: flux.workerModule(scenarioOf({})), deal: dealWorlds };
  const engine = createNativeEngine({ name: 'native', system, workers: 1, watchdog });
  const fleet = await engine.prepare(workload, world.endpoints, signal);
  expect(fleet.connect.connected).toBe(21);
  const tally = await fleet.run(micros(monotonic() + 100_000), () => {});
  const metrics = await (await fetch(`${worlds[0]!.url}/metrics`)).text();
  await fleet.close();
  const { intent, monsterCommand } = ofBoth(tally.operations);
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
  const servers = flux.nullServers?.(workloadWith(), 2, '', null) ?? [];
  const opening = openNullServers(servers, { token: '', watchdog, signal: stop.signal });
  setTimeout(() => stop.abort(new Error('enough')), 20);
  await expect(opening).rejects.toThrow('enough');
  expect(nullWorlds()).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});
