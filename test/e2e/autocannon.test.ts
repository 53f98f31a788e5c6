import { expect, test } from 'vitest';
import { LOST_NOTHING } from '../counts.ts';
import { capbench, small } from './capbench.ts';

test('a run with autocannon: every post is counted, and the rows agree', { timeout: 60_000 }, async () => {
  const flags = ['--engine', 'autocannon', '--set', 'load.intentsPerSecond=0', '--duration', '2s'];
  const run = capbench(['run', small, ...flags]);
  await run.ends(0);
  const report = run.report();
  expect(report.generator.engine).toBe('autocannon');
  expect(report.load.peakCcu).toBe(60);
  const { scheduled, ok, rejected } = report.load.wholeRun.monsterCommand;
  expect(scheduled).toBeGreaterThan(4000);
  expect(ok + rejected).toBe(scheduled);
  expect(report.integrity).toMatchObject({ ...LOST_NOTHING, acked: scheduled, applied: scheduled });
  // A budget on operations that were never sent is not met.
  expect(report.rulings.map(({ id, state }) => `${id} ${state}`)).toEqual([
    'connected met',
    'answers unmeasured',
    'lost met',
  ]);
  expect(run.leftovers()).toEqual({ processes: [], files: [] });
});
