import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  counterOf,
  SUMMARY_ORIGIN,
  type SummaryOrigin,
  trendOf,
  withinRateOf,
} from '../../../src/load/k6/metrics.ts';
import { readK6Summary } from '../../../src/measurement/k6-summary.ts';
import { scenarioHash } from '../../../src/scenario/resolved.ts';
import { serve } from '../engine-room.ts';
import { installedK6 } from './installed.ts';
import { exported, k6Run, tenPlayers } from './plain-run.ts';
import { fluxWorkloadOf } from './script-parts.ts';

interface Summary {
  readonly [SUMMARY_ORIGIN]: SummaryOrigin;
  readonly metrics: Readonly<
    Record<
      string,
      { values: Readonly<Record<string, number>>; thresholds?: Record<string, { ok: boolean }> } | undefined
    >
  >;
}

/** A plain run against servers of a test's own, and its summary. */
async function runK6(limit: string) {
  const scenario = tenPlayers(limit);
  const { endpoints, servers } = await serve(fluxWorkloadOf(scenario), {}, 2);
  const folder = exported(scenario);
  const urls = endpoints.worlds.map(({ url }) => url).join(',');
  const ended = await k6Run(folder, ['-e', `BASE_URLS=${urls}`], { CAPBENCH_RUN: 'job-1' });
  const summary = JSON.parse(readFileSync(join(folder, 'capbench-summary.json'), 'utf8')) as Summary;
  return { ...ended, summary, scenario, servers };
}

describe.skipIf(installedK6 === null)('the exported script under plain k6', () => {
  test('ends with 0 or, when a budget is breached, 99; the summary says what ran', {
    timeout: 60_000,
  }, async () => {
    const [kept, breached] = await Promise.all([
      runK6('60, unit: s'),
      // Below the resolution of a clock of whole milliseconds.
      runK6('0.0001, unit: ms'),
    ]);
    expect(kept.code, kept.stdout + kept.stderr).toBe(0);
    expect(breached.code, breached.stdout + breached.stderr).toBe(99);

    const { metrics, [SUMMARY_ORIGIN]: origin } = kept.summary;
    expect(origin).toEqual({
      ...{ schemaVersion: 2, scenario: 'mine', scenarioHash: scenarioHash(kept.scenario) },
      seed: kept.scenario.seed,
      ...{ players: 10, monsters: 60, commandsPerPost: 10 },
      ...{ rampSeconds: 0, warmUpSeconds: 1, durationSeconds: 2 },
      buckets: expect.anything(),
      ...{ run: 'job-1', process: expect.stringMatching(/^k6-/), segment: '0:1' },
    });
    expect(breached.summary[SUMMARY_ORIGIN].process).not.toBe(origin.process);
    const count = (name: string): number => metrics[name]?.values.count ?? Number.NaN;
    for (const name of ['intent', 'monsterCommand'] as const) {
      const scheduled = count(counterOf(name, 'scheduled'));
      expect(scheduled).toBeGreaterThan(0);
      expect(count(counterOf(name, 'ok')) + count(counterOf(name, 'rejected'))).toBe(scheduled);
      expect(metrics[trendOf(name, 'due')]?.values).toHaveProperty(['p(95)']);
    }
    expect(Math.abs(count(counterOf('intent', 'scheduled')) - 80)).toBeLessThanOrEqual(10);
    expect(metrics[withinRateOf('soon')]?.thresholds).toMatchObject({ 'rate>=0.95': { ok: true } });
    expect(breached.summary.metrics[withinRateOf('soon')]?.thresholds).toMatchObject({
      'rate>=0.95': { ok: false },
    });
    expect(breached.stdout).toContain('BREACHED  capbench_within_soon: rate>=0.95');
    expect(breached.stdout).toContain('met       capbench_connected: count>=10');
    const whole = count(counterOf('intent', 'scheduled')) + count(counterOf('intent', 'scheduled', true));
    expect(kept.servers.flatMap(({ texts }) => texts)).toHaveLength(whole);
  });

  const NEW_FORM = "k6's new machine-readable summary lacks what capbench reads";
  const TRENDS = 'the summary would lack count, min, med, max';
  test.each<[what: string, flags: readonly string[], env: Record<string, string>, says: string]>([
    ['the new form, by the environment', [], { K6_NEW_MACHINE_READABLE_SUMMARY: 'T' }, NEW_FORM],
    ['the new form, by a flag', ['--new-machine-readable-summary'], {}, NEW_FORM],
    ['other statistics, by the environment', [], { K6_SUMMARY_TREND_STATS: 'avg,p(95)' }, TRENDS],
    ['other statistics, by a flag', ['--summary-trend-stats', 'avg'], {}, TRENDS],
    ['a world that is not there', [], {}, 'the run ended before its load began'],
    ['no thresholds', ['--no-thresholds'], {}, 'the run ended before its load began'],
    ['a segment', ['--execution-segment', '0:1/2'], {}, 'the run ended before its load began'],
  ])('stops, and leaves no earlier summary: %s', { timeout: 30_000 }, async (_what, flags, env, says) => {
    const folder = exported(tenPlayers('60, unit: s'));
    const path = join(folder, 'capbench-summary.json');
    writeFileSync(path, 'of an earlier run');
    const { code, stderr } = await k6Run(folder, flags, env);
    expect(code, stderr).toBe(107);
    const left = readFileSync(path, 'utf8');
    expect((JSON.parse(left) as Summary)[SUMMARY_ORIGIN].failed).toContain(says);
    expect(() => readK6Summary('one.json', left, {})).toThrow(says);
  });

  test('stops when options would suppress the summary', { timeout: 30_000 }, async () => {
    const folder = exported(tenPlayers('60, unit: s'));
    const { code, stderr } = await k6Run(folder, [], { K6_SUMMARY_MODE: 'disabled' });
    expect(code).toBe(107);
    expect(stderr).toContain('K6_SUMMARY_MODE=disabled: k6 would write no summary');
  });
});
