import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EXIT } from '../../src/errors.ts';
import { LOST_NOTHING, settled } from '../counts.ts';
import { capbench } from './capbench.ts';

const scenario = join(import.meta.dirname, 'disturbed.yaml');

test('servers are killed and stopped, connections are cut: no acknowledged write is lost, and every fault is reported', {
  timeout: 120_000,
}, async () => {
  const run = capbench(['run', scenario], { asShipped: true });
  await run.ends(EXIT.pass);
  const { faults, integrity, network, load, outcome } = run.report();
  expect(outcome).toBe('pass');
  expect(faults.map(({ id, error }) => [id, error])).toEqual([
    ['drop-players-1', null],
    ['kill-postgres-1', null],
    ['kill-world-1-1', null],
    ['stop-world-2-1', null],
    ['stop-postgres-1', null],
  ]);
  const [drop, killPostgres, killWorld, stopWorld] = faults;
  expect(drop?.dropped).toBeGreaterThanOrEqual(20);
  expect(drop?.dropped).toBeLessThanOrEqual(40);
  expect(killPostgres?.downSeconds).toBeGreaterThan(0.5);
  expect(killWorld?.downSeconds).toBeGreaterThan(0.5);
  expect(stopWorld?.downSeconds).toBeGreaterThanOrEqual(1);
  for (const fault of faults.slice(1)) expect(fault).toMatchObject(LOST_NOTHING);
  expect(integrity).toMatchObject(LOST_NOTHING);
  expect(integrity.acked).toBeGreaterThan(1000);
  expect(network.disconnects).toBeGreaterThanOrEqual((drop?.dropped ?? 0) + 25);
  expect(settled(load.wholeRun.intent)).toBe(load.wholeRun.intent.scheduled);
  expect(run.leftovers()).toEqual({ processes: [], files: [] });
  expect(readdirSync(join(run.out, 'latest', 'charts'))).toContain('latency.png');
});

test('negative control: the rows show what is lost when commits do not wait for the disk', {
  timeout: 120_000,
}, async () => {
  const run = capbench([
    ...['run', scenario, '--duration', '5s', '--set', 'postgres.settings.synchronous_commit=off'],
    // What was committed is then on its way to the disk for as long as the run lasts.
    ...['--set', 'postgres.settings.wal_writer_delay=10s'],
    ...['--set', 'faults=[{ action: kill, of: postgres, at: 3s, lasting: 0s }]'],
  ]);
  await run.ends(EXIT.dataLost);
  const { faults, integrity, rules, breachedBecause } = run.report();
  expect(integrity.lost).toBeGreaterThan(0);
  expect((faults[0]?.lost ?? 0) + (faults[0]?.holes ?? 0)).toBeGreaterThan(0);
  expect(rules.find(({ id }) => id === 'integrity')).toMatchObject({ state: 'broken' });
  expect(breachedBecause.join('\n')).toMatch(/integrity/);
  expect(run.leftovers()).toEqual({ processes: [], files: [] });
});
