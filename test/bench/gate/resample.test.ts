import { expect, test } from 'vitest';
import { DEFAULT_GATE } from '../../../src/compare/gate.ts';
import { FEWEST_PAIRS } from '../../../src/compare/next-trial.ts';
import type { Trial } from '../../../src/compare/trial.ts';
import { random } from '../../../src/rng.ts';
import { ARMS, orderOf } from './arm.ts';
import { faultsOf, findingsOf, sensitivitiesOf } from './findings.ts';
import type { LiveDecision } from './live.ts';
import { drawDecisions, type Pair } from './resample.ts';

const next = random(3);
const normal = (): number => Array.from({ length: 12 }, next).reduce((a, b) => a + b) - 6;

const trial = (cpu: number): Trial => ({
  ...{ name: 't', scenario: 'gate', system: 'own', outcome: 'pass', exitCode: 0, headline: '', gate: null },
  ...{ startedAt: '2026-11-30T12:00:00.000Z', commit: null, seed: 1, identity: { CPU: 'a' }, versions: {} },
  metrics: { 'cpuPerOperation.server': cpu, answeredPercent: 100 },
});
/** Rounds of a base, and of a version with so much more CPU: each differs by some percent, and the machine drifts. */
const pairs = (morePercent: number, noise = 0.02): readonly Pair[] =>
  Array.from({ length: 60 }, (_, i) => {
    const drift = 1 + 0.1 * Math.sin(i / 9);
    const one = (more: number): Trial => trial(230 * drift * (1 + more / 100) * Math.exp(noise * normal()));
    return [one(0), one(morePercent)];
  });

test('the arms of a round: each has every place equally often over ten rounds', () => {
  const orders = Array.from({ length: 10 }, (_, i) => orderOf(i + 1));
  for (const place of ARMS.keys()) {
    const here = orders.map((order) => order[place]?.name);
    for (const { name } of ARMS) expect(here.filter((one) => one === name)).toHaveLength(2);
  }
});

test('drawn decisions: equal versions are seldom worse, a large change always is, and with little power there is no conclusion', () => {
  const of = (more: number, noise?: number, n = 16) =>
    drawDecisions(pairs(more, noise), DEFAULT_GATE, { pairs: n }, 100, 1);
  expect(of(0).regression).toBeLessThanOrEqual(2);
  expect(of(20).regression).toBe(100);
  expect(of(-20)).toMatchObject({ regression: 0, better: 100 });
  const unsure = of(0, 0.2, 6);
  expect(unsure.inconclusive).toBeGreaterThan(90);
  for (const rates of [of(0), of(10), unsure])
    expect(rates.regression + rates.pass + rates.inconclusive).toBe(100);
});

test('a decision as a duet ends between the fewest pairs and the most', () => {
  const quiet = drawDecisions(pairs(0, 0.002), DEFAULT_GATE, { mostPairs: 16 }, 10, 1);
  expect(quiet.pairs).toBe(FEWEST_PAIRS);
  const loud = drawDecisions(pairs(0, 0.3), DEFAULT_GATE, { mostPairs: 16 }, 10, 1);
  expect(loud.pairs).toBe(16);
});

const live = (exitCodes: readonly number[]): readonly LiveDecision[] =>
  exitCodes.map((exitCode, i) => ({
    ...{ arm: i % 2 === 0 ? 'same' : 'slower-10', exitCode, pairs: 12, minutes: 4, withoutConclusion: 0 },
    ...{ because: '', metrics: [] },
  }));

test('the aims: false alarms and what is missed are named, drawn and live', () => {
  const good = findingsOf(
    new Map([
      ['same', pairs(0)],
      ['slower-10', pairs(10)],
    ]),
    40,
  );
  expect(faultsOf(good, live([0, 91, 0, 91, 0, 91, 0, 91]))).toEqual([]);
  // One without a conclusion is allowed, two are not; a false alarm never is.
  expect(faultsOf(good, live([0, 91, 0, 90, 0, 91, 0, 91]))).toEqual([]);
  expect(faultsOf(good, live([0, 91, 0, 90, 90, 91, 0, 91]))).toEqual([
    '6 of 8 live decisions right, at least 7 expected',
  ]);
  expect(faultsOf(good, live([91, 91, 0, 91, 0, 91, 0, 91]))).toEqual(['1 live false alarms, none expected']);
  const bad = findingsOf(
    new Map([
      ['same', pairs(10)],
      ['slower-10', pairs(0)],
    ]),
    40,
  );
  expect(faultsOf(bad, live([0, 91, 0, 91, 0, 91, 0, 91]))).toHaveLength(2);
  expect(faultsOf([], [])).toHaveLength(3);
});

test('what so many pairs would show gets smaller with their number', () => {
  const all = sensitivitiesOf(pairs(0));
  const cpu = all.find(({ metric }) => metric === 'cpuPerOperation.server');
  const [few = 0, more = 0, many = 0] = cpu?.detectable ?? [];
  expect(few).toBeGreaterThan(more as number);
  expect(more).toBeGreaterThan(many as number);
  expect(cpu).toMatchObject({ gated: true, label: 'CPU per operation, server' });
  expect(all.find(({ metric }) => metric === 'answeredPercent')?.detectable).toEqual([0, 0, 0]);
});
