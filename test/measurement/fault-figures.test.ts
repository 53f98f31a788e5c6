import { describe, expect, test } from 'vitest';
import { faultFigures } from '../../src/measurement/fault-figures.ts';
import type { FaultFacts, Measurements, Series } from '../../src/measurement/measurements.ts';
import { measurementsOf } from '../fixtures/recorded-run.ts';

const DUE = 1000;
const OPEN = 20;

/** A series with one point a second, computed from the number of the second. */
const series = (kind: Series['kind'], of: (second: number) => number): Series => ({
  kind,
  points: Array.from({ length: 31 }, (_, second) => [second, of(second)] as const),
});

/** 1,000 operations a second, of which `open` are always unanswered, with a backlog and failures on top. */
function runWith(
  faults: readonly FaultFacts[],
  backlog: (second: number) => number,
  failed: (second: number) => number = () => 0,
  connected: (second: number) => number = () => 100,
): Measurements {
  const nothing = series('counter', () => 0);
  return measurementsOf({
    faults,
    series: {
      'load.connected': series('gauge', connected),
      'load.disconnects': series('counter', (second) => 100 - connected(second)),
      'load.reconnects': nothing,
      'load.intent.scheduled': series('counter', (second) => second * DUE),
      'load.intent.ok': series('counter', (second) => second * DUE - OPEN - backlog(second) - failed(second)),
      'load.intent.failed': series('counter', failed),
      ...Object.fromEntries(
        ['rejected', 'timedOut', 'skipped'].map((kind) => [`load.intent.${kind}`, nothing]),
      ),
      ...Object.fromEntries(
        ['scheduled', 'ok', 'rejected', 'failed', 'timedOut', 'skipped'].map((kind) => [
          `load.monsterCommand.${kind}`,
          nothing,
        ]),
      ),
    },
  });
}

const fault = (over: Partial<FaultFacts>): FaultFacts => ({
  ...{ id: 'kill-postgres-1', action: 'kill', of: 'postgres', from: 10.2, to: 11.4 },
  ...{ dropped: null, rows: null, error: null },
  ...over,
});

describe('recovery', () => {
  test('a backlog that grows and drains', () => {
    const [figures] = faultFigures(
      runWith([fault({})], (second) => ({ 11: 800, 12: 1400, 13: 600 })[second] ?? 0),
    );
    expect(figures).toMatchObject({ backlogBefore: OPEN, backlogPeak: OPEN + 1400, failed: 0 });
    expect(figures?.downSeconds).toBeCloseTo(1.2);
    // Recovered at second 14, the first in which at most twice as many are open as before.
    expect(figures?.recoverySeconds).toBeCloseTo(14 - 10.2);
  });

  test('a backlog that never drains', () => {
    const [figures] = faultFigures(runWith([fault({})], (second) => (second > 10 ? (second - 10) * 900 : 0)));
    expect(figures).toMatchObject({ recoverySeconds: null, backlogPeak: OPEN + 20 * 900 });
  });

  test('a component that never came back', () => {
    const [figures] = faultFigures(runWith([fault({ to: null, error: 'gone' })], () => 0));
    expect(figures).toMatchObject({ downSeconds: null, recoverySeconds: null, error: 'gone' });
  });

  test('players that are still disconnected', () => {
    const away = (second: number) => (second > 10 && second < 16 ? 50 : 100);
    const [figures] = faultFigures(runWith([fault({})], () => 0, undefined, away));
    expect(figures?.recoverySeconds).toBeCloseTo(16 - 10.2);
  });

  test('a server that is killed for good refuses what is due, without a backlog', () => {
    const forGood = fault({ to: 10.21, forGood: true });
    const refused = (second: number) => Math.max(0, Math.min(second, 28) - 10.2) * DUE;
    // Nothing is due from second 28 on.
    const { series: own, ...rest } = runWith([forGood], () => 0, refused);
    const due = series('counter', (second) => Math.min(second, 28) * DUE);
    const [figures] = faultFigures({ ...rest, series: { ...own, 'load.intent.scheduled': due } });
    expect(figures).toMatchObject({ recoverySeconds: null, forGood: true });
    expect(figures?.downSeconds).toBeCloseTo(30 - 10.2);
    // Something else starts it in second 15.
    const again = (second: number) => Math.max(0, Math.min(second, 15) - 10.2) * DUE;
    const [started] = faultFigures(runWith([forGood], () => 0, again));
    expect(started?.downSeconds).toBeNull();
    expect(started?.recoverySeconds).toBeCloseTo(15 - 10.2);
  });

  test('a component that is back, and still refuses', () => {
    const refused = (second: number) => Math.max(0, Math.min(second, 15) - 10.2) * DUE;
    const [figures] = faultFigures(runWith([fault({})], () => 0, refused));
    expect(figures?.downSeconds).toBeCloseTo(1.2);
    expect(figures?.recoverySeconds).toBeCloseTo(15 - 10.2);
  });

  test('a restart counts from the end of the process, until which it answers', () => {
    const [figures] = faultFigures(runWith([fault({ action: 'restart', ended: 20.5, to: 20.75 })], () => 0));
    expect(figures?.downSeconds).toBeCloseTo(0.25);
    expect(figures?.recoverySeconds).toBeCloseTo(0.5);
  });

  test('covers only the time until the next fault', () => {
    const both = [fault({}), fault({ id: 'kill-postgres-2', from: 12.5, to: 13 })];
    const [first, second] = faultFigures(
      runWith(both, (at) => ({ 11: 900, 12: 900, 13: 900, 14: 900 })[at] ?? 0),
    );
    expect(first?.recoverySeconds).toBeNull();
    expect(second?.recoverySeconds).toBeCloseTo(15 - 12.5);
  });
});

test('failed operations are counted for the fault that they followed', () => {
  const both = [fault({}), fault({ id: 'drop-players-1', action: 'drop', from: 20, to: 20, dropped: 7 })];
  const failed = (second: number) => (second >= 21 ? 55 : second >= 11 ? 40 : 0);
  const [first, second] = faultFigures(runWith(both, () => 0, failed));
  expect(first?.failed).toBe(32);
  expect(second).toMatchObject({ failed: 15, dropped: 7 });
});

test('losses found in the rows', () => {
  const rows = { lost: 3, phantom: 0, duplicated: 1, holes: 2 };
  const [figures] = faultFigures(runWith([fault({ rows })], () => 0));
  expect(figures).toMatchObject(rows);
});

test('without series there is no recovery, and no figure is invented', () => {
  const [figures] = faultFigures(measurementsOf({ faults: [fault({})], series: {} }));
  expect(figures).toMatchObject({ recoverySeconds: null, backlogPeak: null, failed: null, reconnects: null });
});
