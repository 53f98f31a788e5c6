import { expect, test } from 'vitest';
import { loadParts, stateParts } from '../../src/dashboard/live-parts.ts';
import { lastSecondOf, reportSoFar, standing } from '../../src/dashboard/so-far.ts';
import { EMPTY_HISTOGRAM, type HistogramData, mergeHistograms } from '../../src/histogram.ts';
import type { LoadSecond, LoadSecondOperation, Tally } from '../../src/load/engine.ts';
import { percentilesOf } from '../../src/measurement/latency-figures.ts';
import type { Measurements } from '../../src/measurement/measurements.ts';
import { RunRecord } from '../../src/measurement/run-record.ts';
import type { ReportRuling } from '../../src/report/report.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { fluxFigures } from '../../src/systems/flux/figures.ts';
import { type Micros, micros, seconds } from '../../src/units.ts';
import { budget, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { NASTY } from '../report/report-of.ts';
import { workload } from '../scenario/scenario-text.ts';

const at = (second: number): Micros => micros(second * 1e6);

/** `answered` of them with these latencies, the others in flight or failed. */
function operationOf(latencies: readonly number[], failed = 0): LoadSecondOperation {
  const counts = latencies.toSorted((a, b) => a - b).map((value) => [value, 10] as const);
  const due: HistogramData = {
    counts,
    min: counts[0]?.[0] ?? 0,
    max: counts.at(-1)?.[0] ?? 0,
    sum: counts.reduce((sum, [value]) => sum + 10 * value, 0),
  };
  const ok = 10 * latencies.length;
  return {
    ...{ scheduled: ok + failed, ok, rejected: 0, failed, failedUnsent: 0, timedOut: 0, skipped: 0, idle: 0 },
    ...{ inFlight: 3, due },
  };
}

const secondOf = (second: number, intent: LoadSecondOperation): LoadSecond => ({
  ...{ at: at(second), connected: 40 + second, sockets: null, slices: [], workers: [] },
  ...{ bytesIn: 100, bytesOut: 50, framesIn: 10, commandBytes: 0, disconnects: 1, reconnects: 0 },
  operations: { intent, monsterCommand: operationOf([]) },
});

/** Ramp 1 s, warm-up 1 s, 4 s of measure phase in two stages. */
function scenarioOfStages(over: Partial<Scenario> = {}): Scenario {
  const { load } = scenarioOf();
  const stage = { lasting: seconds(2), rate: 1, over: seconds(0) };
  return scenarioOf({
    load: {
      ...{ ...load, ramp: seconds(1), warmUp: seconds(1), duration: seconds(4) },
      stages: [
        { ...stage, name: 'hold' },
        { ...stage, name: 'late' },
      ],
    },
    budgets: [
      budget({ id: 'fast', metric: 'latency.intent.due', stat: 'p95', limit: 20 }),
      budget({ id: 'late', metric: 'latency.intent.due', stat: 'p95', limit: 20, stage: 'late' }),
      budget({ id: 'sending', metric: 'latency.intent.service', stat: 'p95', limit: 20 }),
      budget({ id: 'lost', metric: 'integrity.lost', op: '=', limit: 0, metricUnit: 'ops' }),
      budget({
        id: 'players',
        title: NASTY,
        metric: 'load.peakCcu',
        op: '>=',
        limit: 1000,
        metricUnit: 'players',
      }),
    ],
    ...over,
  });
}

/** What is known after so many seconds, and the record. */
function following(s: Scenario) {
  const { capbench, scenarioHash, commit, startedAt, stackKind, colocated, engine, host } = measurementsOf();
  const identity = { capbench, scenarioHash, commit, startedAt, stackKind, colocated, engine, host };
  const record = new RunRecord(identity, workload(s), at(0));
  const soFar = record.follow();
  record.note({ go: at(0) });
  return { record, soFar };
}

// In buckets of one value.
const LATENCIES = [[500], [600, 700], [800], [900, 1000], [1300], [1400, 1500]];

test('figures of a second are those of its series, and figures so far those of its whole seconds', () => {
  const s = scenarioOfStages();
  const { record, soFar } = following(s);
  expect(lastSecondOf(soFar(at(0.5)))).toMatchObject({ second: null, connected: null });
  LATENCIES.forEach((latencies, i) => {
    record.second(secondOf(i + 1, operationOf(latencies, i)));
    const m = soFar(at(i + 1.2));
    const last = lastSecondOf(m);
    expect(last).toMatchObject({ second: i + 1, connected: 41 + i });
    const { due, answered, p50, p99 } = last.operations.intent!;
    // The first second has no value before it to grow from.
    if (i > 0) expect([due, answered]).toEqual([10 * latencies.length + i, 10 * latencies.length]);
    expect([p50, p99]).toEqual([latencies[0]! / 1000, latencies.at(-1)! / 1000]);
    expect(last.operations.monsterCommand!.p95).toBeNull();
  });
  const m = soFar(at(6.2));
  expect(m.measured).toEqual({ from: 2, to: 6 });
  const all = LATENCIES.slice(2).map((latencies) => operationOf(latencies).due);
  const { due } = reportSoFar(m, s, fluxFigures).latency.intent!;
  // 2 + 3 + 4 + 5 failed in these seconds.
  expect(due).toEqual({ ...percentilesOf(mergeHistograms(all), 14), unanswered: 14 });
  expect(m.disconnects).toBe(6);
  expect(m.stages.map(({ name, operations }) => [name, operations.intent?.measured.ok])).toEqual([
    ['hold', 30],
    ['late', 30],
  ]);
});

test('once its tally is there, what was followed is what was measured', () => {
  const { record, soFar } = following(scenarioOfStages());
  LATENCIES.forEach((latencies, i) => void record.second(secondOf(i + 1, operationOf(latencies))));
  const counts = { ...operationOf([1]), unfinished: 0 };
  const operation = {
    ...{ whole: counts, measured: counts, due: EMPTY_HISTOGRAM, service: EMPTY_HISTOGRAM },
    ...{ lag: EMPTY_HISTOGRAM, ownLag: EMPTY_HISTOGRAM, rejected: EMPTY_HISTOGRAM, net: EMPTY_HISTOGRAM },
  };
  const tally = {
    ...{ operations: { intent: operation, monsterCommand: operation }, errors: [] },
    ...{
      ledger: { breaches: { forgotten: 0, invented: 0, examples: [] } },
      endedAt: at(6),
      scheduleHash: 'x',
    },
  } as unknown as Tally;
  record.note({ tally });
  expect(soFar(at(7))).toEqual(record.measurements({ state: 'completed' }, at(7), 0));
});

test('budgets stand as their figures do, without a word on those that are not known yet', () => {
  const s = scenarioOfStages();
  const { record, soFar } = following(s);
  const states = (m: Measurements) =>
    Object.fromEntries(reportSoFar(m, s, fluxFigures).rulings.map(({ id, state }) => [id, state]));
  const open = { sending: 'unmeasured', lost: 'unmeasured' };
  record.second(secondOf(1, operationOf([5000])));
  expect(states(soFar(at(1.1)))).toEqual({
    ...open,
    fast: 'unmeasured',
    late: 'unmeasured',
    players: 'unmeasured',
  });
  for (const second of [2, 3, 4]) record.second(secondOf(second, operationOf([5000])));
  expect(states(soFar(at(4.1)))).toEqual({ ...open, fast: 'met', late: 'unmeasured', players: 'breached' });
  for (const second of [5, 6]) record.second(secondOf(second, operationOf([50_000])));
  const report = reportSoFar(soFar(at(6.1)), s, fluxFigures);
  expect(states(soFar(at(6.1)))).toEqual({
    ...open,
    fast: 'breached',
    late: 'breached',
    players: 'breached',
  });
  expect(report.rulings.filter(({ state }) => state === 'unmeasured').map(({ reason }) => reason)).toEqual([
    null,
    null,
  ]);
});

test.each<[Partial<ReportRuling>, ReportRuling['state'], string | null]>([
  [{ metric: 'latency.intent.due', state: 'breached', reason: 'why' }, 'breached', 'why'],
  [{ metric: 'latency.intent.service', state: 'breached', reason: 'why' }, 'unmeasured', null],
  [{ metric: 'outage.redis.longestSeconds', state: 'breached', reason: 'why' }, 'unmeasured', null],
  [{ metric: 'network.disconnects', state: 'met', reason: null }, 'met', null],
  [{ metric: 'network.disconnects', stage: 'storm', state: 'met', reason: null }, 'unmeasured', null],
  [
    { metric: 'world.loopDelayMs', state: 'unmeasured', reason: 'no loop', cause: 'engine' },
    'unmeasured',
    'no loop',
  ],
  [{ metric: 'world.loopDelayMs', state: 'unmeasured', reason: 'no data', cause: 'run' }, 'unmeasured', null],
  [{ metric: 'integrity.lost', state: 'unmeasured', reason: 'k6', cause: 'engine' }, 'unmeasured', null],
  [
    { metric: 'integrity.lost', state: 'unmeasured', reason: 'load', cause: 'scenario' },
    'unmeasured',
    'load',
  ],
  [{ metric: null, state: 'untestable', reason: 'no HAProxy' }, 'untestable', 'no HAProxy'],
])('%j stands as %s', (ruling, state, reason) => {
  expect(standing(ruling as ReportRuling)).toMatchObject({ state, reason });
});

test('the page shows the second, the charts of the report and the stages, and takes text for text', () => {
  const s = scenarioOfStages();
  const { record, soFar } = following(s);
  for (const second of [1, 2, 3, 4]) record.second(secondOf(second, operationOf([5000, 12_000])));
  const m = soFar(at(4.1));
  const parts = loadParts(reportSoFar(m, s, fluxFigures), m, s);
  expect(parts.tiles).toContain('<p>Players</p><strong>44</strong>');
  expect(parts.operations).toMatch(
    /data-name="answered">20\/s<.*data-name="p95">12.ms<.*data-name="p95 measured">12.ms</s,
  );
  expect(parts.charts?.match(/<svg class="plot"/g)).toHaveLength(2);
  expect(parts.charts).toContain('intents p50: 5 to 5.');
  expect(parts.stages?.match(/<td>(to come|now|over)<\/td>/g)).toEqual(['<td>over</td>', '<td>to come</td>']);
  expect(parts.faults).toBe('');
  const shown = {
    scenario: { ...s, description: NASTY },
    name: 'trial 2 of 5',
    engine: 'k6',
    phase: 'measure',
    connecting: 40,
  };
  const state = stateParts(shown, m);
  expect(state.state).toMatch(/trial 2 of 5[\s\S]*<h1>Measuring<\/h1>[\s\S]*4 s after GO; 2 of 4 s measured/);
  expect(state.notes).toContain('k6 does not report');
  expect(Object.values({ ...parts, ...state }).join('')).not.toContain('<script');
  expect(stateParts({ ...shown, phase: 'connect' }, null).state).toContain('40 of 1,000 players connected');
});
