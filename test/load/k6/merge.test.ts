import { expect, test, vi } from 'vitest';
import { bucketEnds, groupOf } from '../../../src/load/k6/buckets.ts';
import { GO } from '../../../src/load/k6/metrics.ts';
import { figuresOf } from '../../../src/measurement/figures-of.ts';
import { k6Measurements } from '../../../src/measurement/k6-measurements.ts';
import { readK6Summary } from '../../../src/measurement/k6-summary.ts';
import { minimal, read } from '../../scenario/scenario-text.ts';
import { plannedHash } from '../../systems/flux/planned-hash.ts';
import { FakeMetric, fakes, fluxWorkloadOf, partsOf, perRequestOf, scriptOf } from './script-parts.ts';

const lines = [
  'ramp: 1s',
  'warmUp: 1s',
  'duration: 5s',
  'intentsPerSecond: 200',
  'monsters: 0',
  'monsterCommandsPerSecond: 0',
];
const scenario = read(minimal(lines.map((line) => `  ${line}\n`).join('')));
const workload = fluxWorkloadOf(scenario);
const source = scriptOf(scenario);

interface Script {
  readonly options: { readonly scenarios: { readonly players: { readonly vus: number } } };
  readonly players: (data: unknown) => void;
  readonly setup: () => unknown;
  readonly handleSummary: (data: unknown) => Readonly<Record<string, string>>;
}

/** A world whose answers take from 1 ms to about 3 s, as a function of player and number. */
class SlowSocket {
  readyState = 1;
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  private readonly player: number;

  constructor(url: string) {
    this.player = Number(new URL(url).searchParams.get('player'));
    setTimeout(() => {
      this.onopen?.();
      this.answer({ welcome: { lastSeq: 0, place: 0 } });
    }, 5);
  }

  send(frame: string): void {
    const { seq } = JSON.parse(frame) as { seq: number };
    const after = 1 + ((seq * 7919 + this.player * 104_729) % 100) ** 2 * 0.3;
    setTimeout(() => this.answer({ acks: [{ seq, ok: seq % 9 > 0 }] }), Math.floor(after));
  }

  close(): void {
    this.readyState = 3;
  }

  private answer(frame: unknown): void {
    if (this.readyState === 1) this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

/** The summary of one process that runs the virtual users from `from` to `to`, on a simulated clock. */
function summaryOf(from: number, to: number, segment: string) {
  FakeMetric.all.clear();
  vi.useFakeTimers({ now: 1_000_000 });
  try {
    const exec = {
      test: { options: { executionSegment: segment, summaryTrendStats: STATISTICS } },
      scenario: { iterationInTest: 0 },
    };
    const health = {
      playersTotal: workload.players,
      monstersTotal: 0,
      players: { from: 0, to: workload.players },
      monsters: { from: workload.players, to: workload.players },
    };
    const http = { get: () => ({ status: 200, json: () => health }) };
    const start = (): Script => partsOf<Script>(source, fakes({}, { exec, http, socket: SlowSocket }));
    const main = start();
    const data = main.setup();
    for (let user = from; user < to; user++) {
      exec.scenario.iterationInTest = user;
      start().players(data);
    }
    vi.advanceTimersByTime(60_000);
    const options = { summaryTrendStats: STATISTICS };
    const text = main.handleSummary({ metrics: metricsNow(), options })['capbench-summary.json'] ?? '';
    return readK6Summary(segment, text, perRequestOf(scenario));
  } finally {
    vi.useRealTimers();
  }
}

const STATISTICS = ['count', 'avg', 'min', 'med', 'max', 'p(50)', 'p(95)', 'p(99)'];

/** The metrics as k6 passes them to handleSummary; the kind of each follows from its use. */
function metricsNow(): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    [...FakeMetric.all].flatMap(([name, { values, buckets }]): [string, object][] => {
      const sum = values.reduce((total, value) => total + value, 0);
      const group = /_buckets_(\d+)$/.exec(name)?.[1];
      if (group !== undefined) {
        return bucketEnds()
          .filter((end) => groupOf(end) === Number(group))
          .map((end) => [
            `${name}{le:${end}}`,
            { type: 'counter', values: { count: buckets.get(String(end)) ?? 0 } },
          ]);
      }
      if (name === GO) return [[name, { type: 'gauge', values: { value: values[0] } }]];
      if (/_(due|service|lag|connect_ms)$/.test(name)) {
        if (values.length === 0) return [];
        const [min, max] = [Math.min(...values), Math.max(...values)];
        return [
          [name, { type: 'trend', values: { count: values.length, min, max, avg: sum / values.length } }],
        ];
      }
      return [[name, { type: 'counter', values: { count: sum } }]];
    }),
  );
}

test('the merged summaries of two processes equal that of one: counts, percentiles and the hash of the schedule', () => {
  const { vus } = partsOf<Script>(source, fakes()).options.scenarios.players;
  const half = Math.floor(vus / 3);
  const one = k6Measurements([summaryOf(0, vus, '0:1')], scenario, '0');
  const parts = [summaryOf(0, half, '0:1/3'), summaryOf(half, vus, '1/3:1')];
  const two = k6Measurements(parts, scenario, '0');
  const [whole, merged] = [one, two].map((facts) => figuresOf(facts, scenario));
  expect(merged?.latency.intent?.due.count).toBeGreaterThan(900);
  expect(merged?.latency.intent?.due.p99).toBeGreaterThan(1000);
  expect(merged?.load).toEqual(whole?.load);
  for (const kind of ['due', 'ok', 'rejected', 'service', 'lag'] as const) {
    const { mean, ...exact } = whole?.latency.intent?.[kind] ?? { mean: null };
    expect(merged?.latency.intent?.[kind]).toMatchObject(exact);
    expect(merged?.latency.intent?.[kind].mean).toBeCloseTo(mean ?? Number.NaN, 6);
  }
  expect(merged?.generator.ownLagP99Ms).toBe(whole?.generator.ownLagP99Ms);
  expect(merged?.network.connectMs.count).toBe(workload.players);
  expect(two.scheduleHash).toBe(one.scheduleHash);
  expect(two.scheduleHash).toBe(plannedHash(workload, [{ from: 0, to: 0 }]));
  expect(parts.map(({ totals }) => totals.connected)).toEqual([33, 67]);
});
