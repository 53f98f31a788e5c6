import { expect, test } from 'vitest';
import { capbench, small } from './capbench.ts';

test('a run with autocannon: every post in the books, and the rows agree', { timeout: 60_000 }, async () => {
  const flags = ['--engine', 'autocannon', '--set', 'load.intentsPerSecond=0', '--duration', '2s'];
  const run = capbench(['run', small, ...flags]);
  const { code, stdout, stderr } = await run.finished;
  const report = run.report();
  expect(code, stdout + stderr).toBe(0);
  expect(report.generator.engine).toBe('autocannon');
  expect(report.load.peakCcu).toBe(60);
  const { scheduled, ok, rejected } = report.load.wholeRun.monsterCommand;
  expect(scheduled).toBeGreaterThan(4000);
  expect(ok + rejected).toBe(scheduled);
  const { acked, applied, lost, phantom, duplicated, holes } = report.integrity;
  expect({ acked, applied }).toEqual({ acked: scheduled, applied: scheduled });
  expect({ lost, phantom, duplicated, holes }).toEqual({ lost: 0, phantom: 0, duplicated: 0, holes: 0 });
  // What was never asked is not met.
  expect(report.rulings.map(({ id, state }) => `${id} ${state}`)).toEqual([
    'connected met',
    'answers unmeasured',
    'lost met',
  ]);
  expect(run.leftovers()).toEqual({ processes: [], files: [] });
});

test('autocannon and intents: refused before there is a bundle', async () => {
  const { finished } = capbench(['run', small, '--engine', 'autocannon']);
  const { code, stdout, stderr } = await finished;
  expect({ code, stdout }).toEqual({ code: 104, stdout: '' });
  expect(stderr).toContain('autocannon speaks HTTP only');
  expect(stderr).toContain('leaves it to the monsters');
});
