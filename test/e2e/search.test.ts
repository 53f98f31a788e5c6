import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Ladder } from '../../src/model/ladder.ts';
import { nextStep } from '../../src/model/next-step.ts';
import { outside } from '../outside/start.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { capbench } from './capbench.ts';
import { kneeScenario } from './knee.ts';
import { AS_TINY, canBind, tinyTier } from './tiny-tier.ts';

/** 20 players with 100 operations/s, on a server that answers 300: it is full with 60 of them. */
const scenario = (): Promise<string> =>
  kneeScenario(20, 300, [
    "{ id: connected, metric: load.peakCcu, op: '>=', limit: 20, unit: players, fullLoad: true }",
    '{ id: p95, metric: latency.intent.due, stat: p95, op: <, limit: 250, unit: ms }',
  ]);

const OPTIONS = {
  ...{ confirm: 1, from: 40, least: 1, most: 2000, grain: 1 },
  ...{ shortSeconds: 1, fullSeconds: 1, timeLimitSeconds: 1500 },
};

test('a search, as a smaller machine where that can be, is interrupted and resumed: no finished step is repeated, each step is a run of its own number of players', async () => {
  const file = await scenario();
  const out = temporaryFolder();
  const args = ['search', file, '--allow-start', '--from', '40', '--precision', '50%', '--confirm', '1'];
  if (canBind) args.push(...tinyTier());
  const first = capbench([...args, '--out', out]);
  await first.says('    1         40 players');
  first.child.kill('SIGINT');
  const { stdout: begun } = await first.ends(105);
  expect(begun).toContain('INTERRUPTED (105)');
  const folder = join(out, 'latest');
  const read = (): Ladder => JSON.parse(readFileSync(join(folder, 'search.json'), 'utf8'));
  const before = read();
  expect(before.result).toBeNull();
  expect(before.steps.length).toBeGreaterThan(0);

  const resumed = capbench([...args, '--resume', folder, '--json']);
  // On a busy machine it may find nothing; what it says must follow from its steps all the same.
  const { code, stdout } = await resumed.ends(0, 90);
  const ladder = read();
  expect(JSON.parse(stdout)).toEqual(ladder);
  const summary = readFileSync(join(folder, 'summary.md'), 'utf8');
  if (canBind) {
    expect(ladder).toMatchObject({ tier: 'tiny', tierFacts: { id: 'tiny', cpus: 1 } });
    expect(begun.replaceAll(/\s+/g, ' ')).toContain(AS_TINY);
    expect(summary).toContain(AS_TINY);
  }
  expect(ladder.steps.slice(0, before.steps.length)).toEqual(before.steps);
  expect(ladder.result?.found).toBe(code === 0);
  expect(nextStep(ladder, OPTIONS)).toEqual(ladder.result);
  for (const [i, step] of ladder.steps.entries()) {
    const { players, seconds, purpose } = step;
    expect(nextStep({ ...ladder, steps: ladder.steps.slice(0, i) }, OPTIONS)).toEqual({
      ...{ players, seconds, purpose },
    });
    const report = JSON.parse(readFileSync(join(folder, step.bundle, 'report.json'), 'utf8'));
    expect(report.load.requestedCcu).toBe(players);
    expect(report.seed).toBe(step.seed);
    expect(report.exitCode).toBe(step.exitCode);
    expect(report.tier).toEqual(ladder.tierFacts);
    if (canBind) expect(report.limits.stack.cpus).toBe(1);
    expect(step.because).not.toContain(AS_TINY);
    expect(report.rulings[0]).toMatchObject({ id: 'connected', limit: players });
    expect(report.load.wholeRun.intent.scheduled).toBeGreaterThan(4 * players);
  }
  // Twice what the server can answer is never in time.
  expect(ladder.steps.filter(({ players, outcome }) => players > 130 && outcome === 'pass')).toEqual([]);
  expect(new Set(ladder.steps.map(({ seed }) => seed)).size).toBe(ladder.steps.length);
  expect(readFileSync(join(folder, 'search.html'), 'utf8')).toContain('id="chart-knee"');
  expect(first.leftovers()).toEqual({ processes: [], files: [] });
  expect(resumed.leftovers()).toEqual({ processes: [], files: [] });
});

test('a server that runs already is the same throughout; where it holds the most that may be tried, the bound is not found', async () => {
  const file = await scenario();
  const { url } = await outside('knee', { PER_SECOND: '1000000' });
  const target = ['--target', url.replace('http', 'ws')];
  const most = ['--from', '5', '--most', '5'];
  const run = capbench(['search', file, ...target, ...most, '--out', temporaryFolder()]);
  // On a busy machine even 5 players may be too many.
  const { code, stdout } = await run.ends(90, 0);
  expect(stdout).toContain('the same server throughout');
  expect(stdout).toContain(code === 0 ? 'FOUND (0)' : 'bound not found: ');
  expect(run.leftovers()).toEqual({ processes: [], files: [] });
});
