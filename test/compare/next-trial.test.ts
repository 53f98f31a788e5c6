import { expect, test } from 'vitest';
import { changeOf, detectableOf, percentOf, tailsOf } from '../../src/compare/change.ts';
import type { Comparison } from '../../src/compare/comparison.ts';
import type { Duet, DuetAttempt } from '../../src/compare/duet.ts';
import {
  type DuetOptions,
  FEWEST_PAIRS,
  isDuetResult,
  isPowerful,
  nextTrial,
  pairsOf,
  versionOf,
} from '../../src/compare/next-trial.ts';
import { normal } from './noisy-steps.ts';

type MetricComparison = Comparison['metrics'][number];

const version = { name: 'x', command: 'x', commit: null, changes: null };
const empty: Duet = {
  ...{
    schemaVersion: 1,
    kind: 'duet',
    capbench: '9.9.9',
    scenario: 'mine',
    system: 'own',
    scenarioHash: 'a',
  },
  ...{ gate: { thresholdPercent: 5, confidencePercent: 99, metrics: ['cpuPerOperation'] }, seed: 1 },
  ...{ seconds: 10, fullSeconds: 30, startedAt: '2026-11-30T12:00:00.000Z' },
  ...{
    host: { name: 'h', cpuModel: 'c', cpus: 2 },
    base: version,
    head: version,
    attempts: [],
    result: null,
  },
};
const options: DuetOptions = { mostTrials: 40, timeLimitSeconds: 9000, retries: 2 };

type Ended = readonly [trial: number, exitCode: number, seconds?: number];

/** With attempts that ended so: each a trial by its number and an exit code. */
function after(...ended: readonly Ended[]): Duet {
  const attempts = ended.map(
    ([trial, exitCode, seconds = 10], i): DuetAttempt => ({
      ...{ attempt: i + 1, trial, version: versionOf(trial), seed: 0, seconds, bundle: `b-${i}`, exitCode },
      ...{ outcome: exitCode === 0 ? 'pass' : exitCode === 99 ? 'fail' : 'invalid', because: `why ${i + 1}` },
      ...{ startedAt: '2026-11-30T12:00:00.000Z', tookSeconds: 10 },
    }),
  );
  return { ...empty, attempts };
}
const passed = (trials: number): Duet =>
  after(...Array.from({ length: trials }, (_, i): Ended => [i + 1, 0]));

const metric = (detectablePercent: number | null, over: Partial<MetricComparison> = {}): MetricComparison =>
  ({ gated: true, ruling: 'same', detectablePercent, ...over }) as MetricComparison;
const compared = (...metrics: readonly MetricComparison[]) => ({
  ...{ metrics, thresholdPercent: 5, notComparable: [] },
});
const powerful = compared(metric(4.9));

test('base, head, head, base; both trials of a pair have one seed, and each pair another', () => {
  const planned = Array.from({ length: 8 }, (_, i) => nextTrial(passed(i), options, null));
  const trials = planned.flatMap((one) => (isDuetResult(one) ? [] : [one]));
  expect(trials.map((one) => one.trial)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(trials.map((one) => one.version[0]).join('')).toBe('bhhbbhhb');
  const seeds = trials.map(({ seed }) => seed);
  expect([0, 2, 4, 6].map((i) => seeds[i] === seeds[i + 1])).toEqual([true, true, true, true]);
  expect(new Set(seeds).size).toBe(4);
});

test('pairs are of one base and one head in whatever order, and only of whole ones', () => {
  const pairs = pairsOf(passed(7));
  expect(pairs.map(([base, head]) => [base.trial, head.trial])).toEqual([
    [1, 2],
    [4, 3],
    [5, 6],
  ]);
  expect(pairs.every(([base, head]) => base.version === 'base' && head.version === 'head')).toBe(true);
});

test.each<[trials: number, stops: boolean]>([
  [2 * FEWEST_PAIRS - 2, false],
  [2 * FEWEST_PAIRS - 1, false],
  [2 * FEWEST_PAIRS, true],
  // In the middle of a pair, and of a block.
  [2 * FEWEST_PAIRS + 1, false],
  [2 * FEWEST_PAIRS + 2, false],
  [2 * FEWEST_PAIRS + 4, true],
])('powerful enough after %i trials: stops is %s', (trials, stops) => {
  const next = nextTrial(passed(trials), options, powerful);
  expect(isDuetResult(next)).toBe(stops);
  expect('stopped' in next ? next.stopped : null).toBe(stops ? 'power' : null);
});

test.each<[what: string, metrics: readonly MetricComparison[], is: boolean]>([
  ['one that is not', [metric(4), metric(5.1)], false],
  ['at the threshold', [metric(5)], true],
  ['unknown', [metric(null)], false],
  ['no gated metric', [metric(1, { gated: false })], false],
  ['another that does not decide', [metric(1), metric(80, { gated: false })], true],
  ['one that cannot be compared', [metric(1), metric(null, { ruling: 'not comparable' })], true],
  ['only what cannot be compared', [metric(null, { ruling: 'not comparable' })], false],
])('powerful: %s', (_what, metrics, is) => {
  expect(isPowerful(compared(...metrics))).toBe(is);
});

test.each<MetricComparison['ruling']>(['better', 'worse', 'same', 'underpowered'])(
  'what the trials show, %s, neither ends a duet nor prolongs it',
  (ruling) => {
    for (const changePercent of [-30, 0, 30]) {
      const of = (detectable: number) => compared(metric(detectable, { ruling, changePercent }));
      expect(nextTrial(passed(12), options, of(5.1))).toMatchObject({ trial: 13 });
      expect(nextTrial(passed(12), options, of(4.9))).toMatchObject({ stopped: 'power' });
    }
  },
);

const failure = { stopped: 'failed', because: 'trial 2, head: why 2' };
test.each<[what: string, duet: Duet, over: Partial<DuetOptions>, expected: object]>([
  ['a trial without a conclusion is made again', after([1, 0], [2, 90]), {}, { trial: 2 }],
  ['and again', after([1, 0], [2, 90], [2, 90]), {}, { trial: 2 }],
  ['but not for ever', after([1, 90], [1, 90], [1, 90]), {}, { stopped: 'invalid' }],
  ['not at all', after([1, 90]), { retries: 0 }, { stopped: 'invalid' }],
  ['a breached budget is a measurement', after([1, 99]), {}, { trial: 2 }],
  ['a stack that failed', after([1, 0], [2, 93]), {}, failure],
  ['lost data', after([1, 92]), {}, { stopped: 'failed' }],
  ['all trials', passed(8), { mostTrials: 4 }, { stopped: 'trials' }],
  ['time for a pair', passed(4), { timeLimitSeconds: 60 }, { trial: 5 }],
  ['no time for another pair', passed(4), { timeLimitSeconds: 59 }, { stopped: 'time' }],
  ['time for the rest of a pair', passed(5), { timeLimitSeconds: 60 }, { trial: 6 }],
  // Trials that were too short count no more, and neither does what failed in them.
  ['shorter trials are made again', after([1, 0, 5], [2, 90, 5]), { retries: 0 }, { trial: 1 }],
])('%s', (_what, duet, over, expected) => {
  expect(nextTrial(duet, { ...options, ...over }, null)).toMatchObject(expected);
});

test('what cannot be compared is said after the first pair', () => {
  const comparison = { ...powerful, notComparable: [{ what: 'CPU', base: 'A', head: 'B' }] };
  expect(nextTrial(passed(2), options, comparison)).toEqual({
    stopped: 'not comparable',
    because: 'CPU: A of base, B of head',
  });
});

test('stopping by the spread leaves the level of the interval nearly as it is: simulated duets of equal versions', () => {
  const [duets, alpha, threshold] = [3000, 0.01, 5];
  const noise = normal(7);
  let [alarms, stopped] = [0, 0];
  for (let i = 0; i < duets; i++) {
    const spread = [0.01, 0.03, 0.06][i % 3] ?? 0;
    const [base, head]: [number[], number[]] = [[], []];
    for (let pairs = 1; pairs <= 40; pairs++) {
      base.push(Math.exp((spread / Math.SQRT2) * noise()));
      head.push(Math.exp((spread / Math.SQRT2) * noise()));
      if (pairs < FEWEST_PAIRS || pairs % 2 === 1) continue;
      const change = changeOf(base, head, 'paired');
      if (change === null || percentOf(detectableOf(change, alpha)) > threshold) continue;
      stopped += 1;
      if (tailsOf(change) <= alpha) alarms += 1;
      break;
    }
  }
  expect(stopped).toBeGreaterThan(0.95 * duets);
  expect(alarms / stopped).toBeLessThan(2 * alpha);
});
