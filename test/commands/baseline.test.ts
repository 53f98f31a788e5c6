import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  type Baseline,
  foreseenDifferences,
  openBaseline,
  tellCompared,
} from '../../src/commands/baseline.ts';
import type { Published } from '../../src/commands/publish.ts';
import { openTrials } from '../../src/commands/trials-folder.ts';
import type { ExitCode } from '../../src/errors.ts';
import type { Report } from '../../src/report/report.ts';
import { reported } from '../compare/trials.ts';
import { scenarioOf } from '../fixtures/recorded-run.ts';
import { judged, recorded } from '../judge/measured.ts';
import { memoryHost } from '../memory-host.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const cwd = temporaryFolder(afterAll);
const host = () => memoryHost(['run'], { cwd });
const FLAGS = { color: false, metric: [] };

let second = 0;

/** A run whose servers use so many microseconds for an operation. */
function published(micros: number, over: object = {}): Published {
  second++;
  const figures = (value: number) => ({ mean: value, min: value, max: value });
  const startedAt = new Date(Date.UTC(2026, 10, 30, 1, 0, second)).toISOString();
  const world = { ...reported().world, cpuPercentTotal: figures(micros / 40) };
  const report = { ...reported({ world }), startedAt, ...over } as unknown as Report;
  const exitCode = report.exitCode as ExitCode;
  return { report, verdict: judged(recorded), page: 'x/report.html', exitCode, artefacts: new Map() };
}

/** Trials of the version before, 1,000 us for an operation. */
async function baseline(metrics: readonly string[] = ['cpuPerOperation']): Promise<Baseline> {
  for (const [i, micros] of [995, 1003, 1001, 998, 1004, 999].entries()) {
    const folder = join(cwd, 'before', `run-${i}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'report.json'), JSON.stringify(published(micros).report));
  }
  const opened = await openBaseline(host(), { baseline: 'before', metric: metrics });
  if (opened === null) throw new Error('expected a baseline');
  return opened;
}

/** Trials that ended like this, one after the other. */
async function trials(all: readonly Published[], flags: object = {}) {
  const root = temporaryFolder();
  const own = host();
  const plan = { root, requested: all.length, sameServer: false, fixed: [], baseline: await baseline() };
  const opened = openTrials(own, { ...plan, flags: { ...FLAGS, ...flags } }, true);
  for (const [i, one] of all.entries()) await opened.ended(i + 1, one);
  return { code: await opened.end(), out: own.out(), root };
}

const SLOWER = [1101, 1098, 1102, 1099, 1097, 1103];
const EQUAL = [1001, 998, 1002, 999, 997, 1003];

test.each<[what: string, all: readonly Published[], code: number, outcome: string]>([
  ['not worse', EQUAL.map((micros) => published(micros)), 0, 'pass'],
  ['worse', SLOWER.map((micros) => published(micros)), 91, 'regression'],
  ['too few', EQUAL.slice(0, 1).map((micros) => published(micros)), 90, 'inconclusive'],
  // What a run did not keep itself comes first.
  [
    'worse, and a budget breached',
    SLOWER.map((micros) => published(micros, { outcome: 'fail', exitCode: 99 })),
    ...([99, 'regression'] as const),
  ],
  [
    'none with a conclusion',
    EQUAL.map((micros) => published(micros, { outcome: 'invalid', exitCode: 90 })),
    ...([90, 'inconclusive'] as const),
  ],
])('trials that are %s', async (_, all, code, outcome) => {
  const { code: ended, out, root } = await trials(all);
  expect(ended).toBe(code);
  expect(JSON.parse(readFileSync(join(root, 'comparison.json'), 'utf8'))).toMatchObject({
    ...{ outcome, base: { name: 'before', counted: 6 } },
  });
  // The verdict of the trials, then that of the comparison.
  const lines = out.trimEnd().split('\n');
  expect(lines.at(-1)).toContain(join(root, 'comparison.html'));
  expect(out.indexOf(`${all.length} of ${all.length} trials`)).toBeLessThan(out.indexOf('against head'));
});

test('as JSON it is one document with the trials', async () => {
  const { code, out } = await trials(
    SLOWER.map((micros) => published(micros)),
    { json: true },
  );
  expect(code).toBe(91);
  const { comparison, reports, trials: listed } = JSON.parse(out);
  expect([reports.length, listed.length, comparison.exitCode]).toEqual([6, 6, 91]);
});

test('one run is compared after its own verdict, and has no interval', async () => {
  const bundle = temporaryFolder();
  const own = host();
  const code = await tellCompared(own, await baseline(), bundle, published(1000), FLAGS);
  expect(code).toBe(90);
  const [passed, compared] = [own.out().indexOf('PASS (0)'), own.out().indexOf('NO CONCLUSION (90)')];
  expect(passed).toBeGreaterThan(-1);
  expect(compared).toBeGreaterThan(passed);
  expect(existsSync(join(bundle, 'comparison.md'))).toBe(true);
  const asJson = host();
  await tellCompared(asJson, await baseline(), bundle, published(1000), { ...FLAGS, json: true });
  expect(JSON.parse(asJson.out())).toMatchObject({ outcome: 'pass', comparison: { exitCode: 90 } });
});

test('what is known before a run to keep it from being compared', async () => {
  const found = foreseenDifferences(host(), await baseline(), scenarioOf());
  // The runs of the baseline were recorded elsewhere, of the same scenario.
  expect(found.join('\n')).toContain('CPU is Example CPU @ 2.50GHz in the baseline and ');
  expect(found.join('\n')).not.toContain('scenario: ');
  const other = scenarioOf({ load: { ...scenarioOf().load, players: 7 } });
  expect(foreseenDifferences(host(), await baseline(), other).join('\n')).toContain('scenario: load is ');
  const { arm, gate } = await baseline();
  const trials = arm.trials.map((one) => ({ ...one, outcome: 'invalid' as const }));
  expect(foreseenDifferences(host(), { arm: { ...arm, trials }, gate }, scenarioOf())).toEqual([
    expect.stringContaining('no trial with a conclusion'),
  ]);
});

test('a run that was interrupted is not compared', async () => {
  const bundle = temporaryFolder();
  const run = published(1000, { outcome: 'invalid', exitCode: 105 });
  expect(await tellCompared(host(), await baseline(), bundle, run, FLAGS)).toBe(105);
  expect(existsSync(join(bundle, 'comparison.json'))).toBe(false);
});
