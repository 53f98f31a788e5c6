import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, platform } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findProgram } from '../../src/supervision/program.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { capbench, small } from './capbench.ts';
import { kneeScenario } from './knee.ts';

const canBind =
  platform() === 'linux' &&
  (await findProgram('taskset', process.env)) !== null &&
  availableParallelism() > 1;

function ownTiers(): readonly string[] {
  const path = join(temporaryFolder(), 'tiers.yaml');
  writeFileSync(path, 'version: 1\ntiers: [{ id: tiny, cpus: 1, kind: shared, memory: 1GB }]\n');
  return ['--tiers', path, '--tier', 'tiny'];
}

const WORDS = "as a 1-vCPU, 1-GB box, with this host's cores";

describe.skipIf(!canBind)('a stack that runs as a smaller machine', () => {
  test('is confined to its cores, with heaps and buffers that fit it, and every format says so', {
    timeout: 120_000,
  }, async () => {
    const set = ['--set', 'world.heap=2GB', '--set', 'postgres.settings.shared_buffers=1GB'];
    const run = capbench(['run', small, ...ownTiers(), ...set]);
    // On a busy machine a second CPU may be missed; memory of more than the box has is a breach.
    const { stdout } = await run.ends(0, 99, 90);
    const report = run.report();
    expect(report.tier).toEqual({
      ...{ id: 'tiny', cpus: 1, kind: 'shared', baselinePercent: null, memoryBytes: 2 ** 30 },
    });
    const { applied, documented } = report.stack;
    expect(applied.stackLimits).toMatch(/^1 CPU by affinity, /);
    expect([documented.worldHeap, applied.worldHeap]).toEqual(['2048MB', '182MB']);
    expect([documented.shared_buffers, applied.shared_buffers]).toEqual(['1GB', '192MB']);
    expect(report.limits?.stack?.cpus).toBe(1);
    // One CPU is never used more than once.
    expect(report.limits?.stack?.cpuPercent.mean).toBeLessThan(105);
    expect(report.rulings.find(({ id }) => id === 'box-memory')).toMatchObject({
      state: expect.stringMatching(/^(met|breached)$/),
    });
    expect(report.headline).toContain(WORDS);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(WORDS);
    expect(run.read('summary.md')).toContain(WORDS);
    expect(run.read('report.html')).toContain(WORDS.replace("'", '&#39;'));
    expect(run.leftovers()).toEqual({ processes: [], files: [] });
    // Judged again, it is still the number of that machine.
    const again = capbench(['report', run.out.concat('/latest'), '--json', '--no-charts']);
    expect(JSON.parse((await again.finished).stdout).headline).toContain(WORDS);
  });

  test('is searched as that machine: search.json names it', { timeout: 120_000 }, async () => {
    const path = await kneeScenario(5, 1_000_000, [
      '{ id: p95, metric: latency.intent.due, stat: p95, op: <, limit: 5000, unit: ms }',
    ]);
    const out = temporaryFolder();
    const most = ['--from', '5', '--most', '5', '--confirm', '1'];
    const run = capbench(['search', path, '--allow-start', ...ownTiers(), ...most, '--out', out]);
    const { stdout } = await run.ends(90, 0);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(WORDS);
    const folder = join(out, 'latest');
    const ladder = JSON.parse(readFileSync(join(folder, 'search.json'), 'utf8'));
    expect(ladder).toMatchObject({ tier: 'tiny', tierFacts: { id: 'tiny', cpus: 1 } });
    const step = JSON.parse(readFileSync(join(folder, ladder.steps[0].bundle, 'report.json'), 'utf8'));
    expect(step.tier).toEqual(ladder.tierFacts);
    expect(step.limits.stack.cpus).toBe(1);
    expect(ladder.steps[0].because).not.toContain(WORDS);
    expect(readFileSync(join(folder, 'summary.md'), 'utf8')).toContain(WORDS);
    expect(run.leftovers()).toEqual({ processes: [], files: [] });
  });
});
