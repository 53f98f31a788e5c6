import { expect, test } from 'vitest';
import { faultFigures } from '../../src/measurement/fault-figures.ts';
import type { FaultFacts, Measurements, Series } from '../../src/measurement/measurements.ts';
import { outageFigures } from '../../src/measurement/outage-figures.ts';
import { measurementsOf } from '../fixtures/recorded-run.ts';

/** 100 intents and 50 monster commands are due in each of 30 seconds. */
const DUE = { intent: 100, monsterCommand: 50 };

/** The sum of what is counted in each second. */
function counter(perSecond: (second: number) => number): Series {
  let total = 0;
  const points = Array.from({ length: 31 }, (_, at) => {
    total += at === 0 ? 0 : perSecond(at);
    return [at, total] as const;
  });
  return { kind: 'counter', points };
}

/** `outcome` of every operation that is due in a second (which ends there), and ok where it says nothing. */
function runWith(
  faults: readonly FaultFacts[],
  outcome: (second: number, operation: keyof typeof DUE) => Partial<Record<string, number>> = () => ({}),
): Measurements {
  const series = Object.entries(DUE).flatMap(([id, due]) => {
    const operation = id as keyof typeof DUE;
    const of = (name: string) => counter((second) => outcome(second, operation)[name] ?? 0);
    const others = ['rejected', 'failed', 'timedOut', 'skipped', 'idle'] as const;
    const ok = counter((second) => {
      const named = outcome(second, operation);
      return due - others.reduce((sum, name) => sum + (named[name] ?? 0), 0);
    });
    return [
      [`load.${id}.scheduled`, counter(() => due)] as const,
      [`load.${id}.ok`, ok] as const,
      ...others.map((name) => [`load.${id}.${name}`, of(name)] as const),
    ];
  });
  return measurementsOf({
    faults,
    series: {
      ...Object.fromEntries(series),
      'load.connected': { kind: 'gauge', points: Array.from({ length: 31 }, (_, at) => [at, 10] as const) },
      'load.disconnects': counter((second) => (second === 11 ? 3 : 0)),
      'load.reconnects': counter((second) => (second === 12 ? 3 : 0)),
    },
  });
}

const kill = (id: string, from: number, to: number | null, over: Partial<FaultFacts> = {}): FaultFacts => ({
  ...{ id, action: 'kill', of: 'cache', from, to, dropped: null, rows: null, error: null },
  ...over,
});
const outagesOf = (m: Measurements) => outageFigures(m, faultFigures(m));

test('what was due while a component was down, by how it was settled meanwhile', () => {
  const down = (second: number) => second === 11 || second === 12;
  const m = runWith([kill('kill-cache-1', 10, 12)], (second, operation) => {
    if (!down(second)) return {};
    return operation === 'intent' ? { rejected: 20, failed: 10, timedOut: 4, skipped: 6 } : { idle: 30 };
  });
  const { cache } = outagesOf(m);
  expect(cache?.operations).toEqual({
    intent: { okPercent: 60, answeredPercent: 80, failedPercent: 20 },
    monsterCommand: { okPercent: 100, answeredPercent: 100, failedPercent: 0 },
  });
  // (120 + 40) of (200 + 40): idle operations were not due.
  expect(cache?.okPercent).toBeCloseTo((100 * 160) / 240);
  expect(cache?.answeredPercent).toBeCloseTo((100 * 200) / 240);
  expect(cache?.failedPercent).toBeCloseTo((100 * 40) / 240);
  expect(cache).toMatchObject({ count: 1, notBack: 0, disconnects: 3, downSecondsMax: 2 });
});

test('faults of one component together, and each component by itself', () => {
  const rows = { lost: 2, phantom: 0, duplicated: 1, holes: 0 };
  const m = runWith([
    kill('kill-cache-1', 5, 6, { rows }),
    kill('kill-world-1-1', 12, 12.5, { of: 'world-1', rows: { ...rows, lost: 0 } }),
    kill('kill-cache-2', 18, 21.5, { rows }),
  ]);
  const { cache, 'world-1': world, ...others } = outagesOf(m);
  expect(others).toEqual({});
  expect(cache).toMatchObject({ count: 2, downSecondsMax: 3.5, lost: 4, duplicated: 2, notRecovered: 0 });
  expect(world).toMatchObject({ count: 1, downSecondsMax: 0.5, lost: 0 });
});

test('one that never ended is not hidden by the others', () => {
  const { cache } = outagesOf(runWith([kill('kill-cache-1', 5, 6), kill('kill-cache-2', 18, null)]));
  expect(cache).toMatchObject({
    ...{ count: 2, notBack: 1, notRecovered: 1, downSecondsMax: null, recoverySecondsMax: null },
    ...{ lost: null, okPercent: 100 },
  });
});

test('without faults there are no outages', () => {
  expect(outagesOf(runWith([]))).toEqual({});
});
