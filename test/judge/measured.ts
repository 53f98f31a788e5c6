import { judge, type Verdict } from '../../src/judge/verdict.ts';
import type { Counts } from '../../src/load/engine.ts';
import type { Measurements, Series } from '../../src/measurement/measurements.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import {
  type Both,
  fluxFiguresOf,
  measurementsOf,
  type Recorded,
  scenarioOf,
} from '../fixtures/recorded-run.ts';

export const recorded = measurementsOf();

type Operation = keyof Both<unknown>;

/** Facts of the flux world, judged by a scenario of it. */
export const judged = (m: Measurements, s: Scenario = scenarioOf()): Verdict =>
  judge(m, s, fluxFiguresOf(m, s));

/** The recorded run with other facts, judged. */
export const verdictOf = (m: Partial<Measurements>, s: Partial<Scenario> = {}): Verdict =>
  judged(measurementsOf(m), scenarioOf(s));

/** A scenario whose system has other traits. */
export const withTraits = (over: Partial<Scenario['traits']>): Pick<Scenario, 'traits'> => ({
  traits: { ...scenarioOf().traits, ...over },
});

export const ruleOf = (verdict: Verdict, id: string) => {
  const found = verdict.rules.find((rule) => rule.id === id);
  if (found === undefined) throw new Error(`no rule ${id}`);
  return found;
};

/** A point a second over the recorded run. */
export const gauge = (value: number | ((second: number) => number)): Series => ({
  kind: 'gauge',
  points: Array.from(
    { length: 28 },
    (_, second) => [second, typeof value === 'number' ? value : value(second)] as const,
  ),
});

export const counter = (perSecond: number): Series => ({
  kind: 'counter',
  points: Array.from({ length: 28 }, (_, second) => [second, second * perSecond] as const),
});

/** The recorded series, some of them replaced. */
export const withSeries = (over: Readonly<Record<string, Series>>): Pick<Measurements, 'series'> => ({
  series: { ...recorded.series, ...over },
});

export const without = (prefix: string): Pick<Measurements, 'series'> => ({
  series: Object.fromEntries(Object.entries(recorded.series).filter(([name]) => !name.startsWith(prefix))),
});

/** One operation with all its latencies multiplied, and some of what was answered skipped instead. */
export function slowed(op: Operation, times: number, skipped = 0): Pick<Recorded, 'operations'> {
  const facts = recorded.operations[op];
  const measured: Counts = { ...facts.measured, ok: facts.measured.ok - skipped, skipped };
  const slower = (of: (typeof facts)['due'], most = Number.POSITIVE_INFINITY): (typeof facts)['due'] => {
    const counts: [number, number][] = [];
    let left = most;
    for (const [value, count] of of.counts) {
      const kept = Math.min(count, left);
      left -= kept;
      if (kept > 0) counts.push([value * times, kept]);
    }
    return { counts, min: of.min * times, max: of.max * times, sum: of.sum * times };
  };
  const answered = measured.ok + measured.rejected;
  return {
    operations: {
      ...recorded.operations,
      [op]: {
        ...facts,
        measured,
        due: slower(facts.due, answered),
        service: slower(facts.service, answered),
        lag: facts.lag,
        windows: facts.windows.map((window) => slower(window)),
      },
    },
  };
}

/** An own lag of so many milliseconds, of every operation. */
export function lateBy(ms: number): Pick<Recorded, 'operations'> {
  const late = (op: Operation) => {
    const facts = recorded.operations[op];
    const own = { counts: [[1000 * ms, 1000] as const], min: 1000 * ms, max: 1000 * ms, sum: 1e6 * ms };
    return { ...facts, ownLag: own, lag: own };
  };
  return { operations: { intent: late('intent'), monsterCommand: late('monsterCommand') } };
}
