import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LOST_NOTHING, settled } from '../counts.ts';
import { answeredIn, BUNDLE_FILES, capbench } from '../e2e/capbench.ts';

/** What another process, or the hypervisor, may do to a run on a machine that is not its own. */
const NOISE = /^(?:steal-mean|steal-max|throttled|memory-pressure|cpu-pressure|foreign-cpu|canary)$/;

test('capbench run quickstart, as shipped: every budget is met, and only noise keeps it from a pass', {
  timeout: 300_000,
}, async () => {
  const run = capbench(['run', 'quickstart'], { asShipped: true });
  const { code, stdout } = await run.ends(0, 90);
  const report = run.report();
  expect(report.exitCode).toBe(code);
  const breached = report.rules.filter(({ state }) => state === 'broken').map(({ id }) => id);
  if (code === 0) expect(report.outcome).toBe('pass');
  // A breached rule that is none of noise may follow from it, as an unsteady p95 does.
  else expect(breached, stdout).toContainEqual(expect.stringMatching(NOISE));
  expect(report.rulings.map(({ state }) => state)).toEqual(Array(13).fill('met'));

  // 1,000 intents and 10,000 commands a second for 20 s, from the seed: exact to one post or player each.
  const { operations, wholeRun, peakCcu } = report.load;
  expect(peakCcu).toBe(1000);
  expect(Math.abs(operations.intent.scheduled - 20_000)).toBeLessThanOrEqual(1000);
  expect(Math.abs(operations.monsterCommand.scheduled - 200_000)).toBeLessThanOrEqual(2000);
  for (const counts of [...Object.values(operations), ...Object.values(wholeRun)])
    expect(settled(counts)).toBe(counts.scheduled);
  expect(report.integrity).toMatchObject({ ...LOST_NOTHING, acked: answeredIn(report) });

  const bundle = join(run.out, 'latest');
  for (const name of BUNDLE_FILES) expect(existsSync(join(bundle, name)), name).toBe(true);
  expect(readdirSync(join(bundle, 'charts')).length).toBeGreaterThanOrEqual(5);
  expect(run.leftovers()).toEqual({ processes: [], files: [] });
});
