import { expect, test } from 'vitest';
import type { HistogramData } from '../../src/histogram.ts';
import { contradictionsOf } from '../../src/measurement/contradictions.ts';
import type { Measurements, Series } from '../../src/measurement/measurements.ts';
import { parseMeasurements } from '../../src/measurement/read-measurements.ts';
import { MOST_POINTS, openSeriesRecorder } from '../../src/measurement/series.ts';
import { openWindowRecorder } from '../../src/measurement/windows.ts';
import type { Micros } from '../../src/units.ts';
import { failedRun, KERNEL_TRAFFIC, measurementsOf, probe } from '../fixtures/recorded-run.ts';
import { CUT, stageFacts } from '../fixtures/recorded-stages.ts';

const m = measurementsOf();
const { intent } = m.operations;
const withIntent = (over: Partial<typeof intent>): Partial<Measurements> => ({
  operations: { ...m.operations, intent: { ...intent, ...over } },
});
const integrity = (over: Partial<NonNullable<Measurements['integrity']>>): Partial<Measurements> => ({
  integrity: m.integrity === null ? null : { ...m.integrity, ...over },
});
const due = {
  counts: [
    [100, 2],
    [200, 3],
  ] as const,
  min: 100,
  max: 199,
  sum: 797,
};

const none = { ...due, counts: [], min: 0, max: 0, sum: 0 };

test('the facts of a run do not contradict one another, however it ended', () => {
  expect(contradictionsOf(m)).toEqual([]);
  expect(contradictionsOf({ ...m, kernelTraffic: KERNEL_TRAFFIC })).toEqual([]);
  expect(contradictionsOf(failedRun())).toEqual([]);
  expect(
    contradictionsOf({
      ...m,
      ...withIntent({
        due,
        rejected: null,
        net: due,
        service: due,
        lag: due,
        ownLag: due,
        measured: { ...intent.measured, ok: 5, rejected: 0 },
      }),
    }),
  ).toEqual([]);
  // Sent, but never answered.
  const unanswered = { ...intent.measured, scheduled: 5, ok: 0, rejected: 0, timedOut: 5 };
  const whole = { ...intent.whole, timedOut: 5 };
  const silent = withIntent({
    ownLag: due,
    service: none,
    rejected: none,
    lag: none,
    whole,
    measured: unanswered,
  });
  expect(contradictionsOf({ ...m, ...silent, series: {} })).toEqual([]);
});

/** A recorded series with its points changed, or an additional series. */
const withSeries = (
  name: string,
  points: (recorded: Series['points']) => Series['points'],
): Partial<Measurements> => ({
  series: {
    ...m.series,
    [name]: { ...(m.series[name] ?? { kind: 'gauge' }), points: points(m.series[name]?.points ?? []) },
  },
});
const times = (factor: number) => (points: Series['points']) =>
  points.map(([at, value]) => [at, factor * value] as const);
const stage = { ...stageFacts(0), from: 5, to: 25, name: 'all', operations: m.operations };

test.each<[what: string, over: Partial<Measurements>, expected: string]>([
  [
    'more unsent than failed',
    withIntent({ whole: { ...intent.whole, failed: 1, failedUnsent: 2 } }),
    'whole.failedUnsent: 2 of 1',
  ],
  ['a phase before the one before it', { phases: { ...m.phases, ready: 1 } }, 'phases.ready'],
  ['a phase after one that was never reached', { phases: { ...m.phases, ready: null } }, 'phases.go'],
  ['an end before GO', { phases: { ...m.phases, end: 3 } }, 'phases.end'],
  ['a measure phase without GO', { phases: { ...m.phases, go: null } }, 'no GO'],
  ['a measure phase that ends before it begins', { measured: { from: 25, to: 5 } }, 'measured'],
  ['a measure phase after the end', { measured: { from: 5, to: 300 } }, 'measured'],
  [
    'more own lags than operations',
    withIntent({ ownLag: due, measured: { ...intent.measured, scheduled: 4 } }),
    'ownLag',
  ],
  [
    'more in the measure phase than in the run',
    withIntent({ whole: { ...intent.whole, rejected: 1 } }),
    'measured.rejected',
  ],
  [
    'values out of order',
    withIntent({
      due: {
        ...due,
        counts: [
          [200, 3],
          [100, 2],
        ],
      },
    }),
    'values ascend',
  ],
  [
    'a bucket twice',
    withIntent({
      due: {
        ...due,
        counts: [
          [100, 2],
          [100, 3],
        ],
      },
    }),
    'values ascend',
  ],
  [
    'a bucket of nothing',
    withIntent({
      due: {
        ...due,
        counts: [
          [100, 2],
          [200, 0],
        ],
      },
    }),
    'buckets of nothing',
  ],
  ['a maximum below the buckets', withIntent({ due: { ...due, max: 90 } }), 'operations.intent.due'],
  ['a minimum above the buckets', withIntent({ due: { ...due, min: 150 } }), 'operations.intent.due'],
  ['a sum above the buckets', withIntent({ due: { ...due, sum: 801 } }), 'the sum is 801'],
  ['a sum below the buckets', withIntent({ due: { ...due, sum: 700 } }), 'the sum is 700'],
  ['another number of service times than of answers', withIntent({ service: due }), 'service: 5 values'],
  [
    'more bytes unseen by the kernel than there were',
    { kernelTraffic: { ...KERNEL_TRAFFIC, unseen: { in: 25_000_000, out: 0 } } },
    'kernelTraffic.unseen.in',
  ],
  [
    'a kernel that watched for longer than the run',
    { kernelTraffic: { ...KERNEL_TRAFFIC, seconds: 60 } },
    'kernelTraffic.seconds',
  ],
  ['more players than connections', { peakCcu: 5000 }, 'peakCcu'],
  [
    'a series that runs backwards',
    {
      series: {
        a: {
          kind: 'gauge',
          points: [
            [2, 1],
            [1, 1],
          ],
        },
      },
    },
    'series.a',
  ],
  ['a series far outside the run', { series: { a: { kind: 'gauge', points: [[90_000, 1]] } } }, 'series.a'],
  [
    'a second that counts what the whole run does not',
    withSeries('load.intent.ok', times(1000)),
    'series.load.intent.ok: 21600000 at its end, and 21600 in the whole run',
  ],
  [
    'fewer in all seconds than in the whole run',
    withSeries('load.monsterCommand.scheduled', times(0.5)),
    'series.load.monsterCommand.scheduled: 240000 at its end',
  ],
  [
    'points 700 times as many as seconds',
    withSeries('load.connected', (points) =>
      points.flatMap((point) => Array.from({ length: 700 }, () => point)),
    ),
    'series.load.connected: 21700 points, each of 1, in 30 s',
  ],
  [
    'points that stand for more than there were seconds',
    { series: { ...m.series, 'host.networkBytes': { ...m.series['host.networkBytes']!, thinned: 2 } } },
    '31 points, each of 2, in 30 s',
  ],
  ['a negative amount', withSeries('generator.0.memoryBytes', times(-1)), 'none of it is negative'],
  [
    'a loop that is busy all the time twice',
    withSeries('generator.1.utilisation', times(10)),
    '1 is all there is',
  ],
  ['more free memory than there is', withSeries('host.memoryAvailableBytes', times(3)), 'all there is'],
  ['more CPU than there is', withSeries('host.cpuBusySeconds', times(10)), 'of 2 at most in each'],
  [
    'a process with more memory than there is',
    {
      ...withSeries('process.api.memoryBytes', () => [[1, 1e15]]),
      probes: [...m.probes, probe('process-api')],
    },
    'all there is',
  ],
  [
    'a thread that used more than a core',
    {
      series: {
        ...m.series,
        'process.api.busiestThreadSeconds': {
          kind: 'counter',
          points: [
            [1, 0],
            [20, 100],
          ],
        },
      },
      probes: [...m.probes, probe('process-api')],
    },
    'of 1 at most in each',
  ],
  [
    'a process that nobody watched',
    withSeries('process.api.threads', () => [[1, 4]]),
    'there was no probe process-api',
  ],
  [
    'a counter that falls',
    withSeries('load.bytesIn', (points) => points.map(([at, value], i) => [at, i === 20 ? 0 : value])),
    'it is a counter',
  ],
  ['more workers than there were', { workers: 1 }, 'series.generator.1.loopDelayMs: of 1 workers'],
  [
    'a world server that no probe read',
    withSeries('world.3.operations', () => [[1, 5]]),
    'there was no probe world-3',
  ],
  [
    'a probe with fewer readings than points',
    { probes: m.probes.map((probe) => ({ ...probe, samples: 20 })) },
    'host gave 20 readings',
  ],
  [
    'a probe that was asked too often',
    { probes: m.probes.map((probe) => ({ ...probe, gaps: 3000 })) },
    '3000 gaps in 33.5 s',
  ],
  [
    'a probe with more readings in the measure phase than in all',
    { probes: m.probes.map((probe) => ({ ...probe, measured: { samples: 20, gaps: 1 } })) },
    '20 and 1 of them in the measure phase',
  ],
  [
    'more connected in a second than at the peak',
    withSeries('load.connected', times(1.5)),
    '1500 players, and 1000 at the peak',
  ],
  [
    'a peak above all seconds',
    {
      ...withSeries('load.connected', times(0.5)),
      connect: { failed: 0, histogram: { ...due, counts: [[200, 700]], max: 200, min: 200, sum: 140_000 } },
      reconnects: 400,
      reconnect: { ...due, counts: [[200, 400]], max: 200, min: 200, sum: 80_000 },
    },
    'peakCcu: 1000 players, and 500 at most',
  ],
  [
    'more in the slices than was answered',
    withSeries('load.intent.slice.answered', times(1.1)),
    'series.load.intent.slice.answered: 26400 in all, and 24000',
  ],
  [
    'less in the slices than was answered',
    withSeries('load.intent.slice.answered', times(0.9)),
    '21600 in all',
  ],
  [
    'a window more than the measure phase had seconds',
    withIntent({ windows: [...intent.windows, due, due] }),
    'operations.intent.windows: 22 windows in 20 s',
  ],
  [
    'windows that hold more than was answered in them',
    withIntent({
      windows: [
        ...intent.windows.slice(1),
        { ...due, counts: [[200, 1001]], min: 200, max: 200, sum: 200_200 },
      ],
    }),
    'operations.intent.windows: 20001 values, and 20000',
  ],
  [
    'windows that hold less',
    withIntent({ windows: [...intent.windows.slice(3), due, due, due] }),
    'operations.intent.windows: 17015 values',
  ],
  [
    'a latency that is longer than the run',
    withIntent({ due: { ...due, max: 1e9, counts: [[1e9, 5]], sum: 5e9 } }),
    'up to 1000000000 us',
  ],
  [
    'more rejected in a bucket than was answered',
    withIntent({ rejected: { ...due, counts: [[100, 2000]], max: 100, sum: 200_000 } }),
    'operations.intent.rejected: 2000 values at 100 us',
  ],
  ['less rejected than was counted', withIntent({ rejected: none }), '0 values, and 2000 were rejected'],
  [
    'other latencies without the own lag',
    withIntent({ net: due }),
    'operations.intent.net: 5 values up to 199',
  ],
  [
    'more rejected in a stage than in it',
    { stages: [{ ...stage, operations: { ...m.operations, intent: { ...intent, rejected: none } } }] },
    'stages.all.intent.rejected: 0 values, and 2000',
  ],
  [
    'a latency of a second outside all windows',
    withSeries('load.intent.slice.p95Ms', times(1000)),
    'series.load.intent.slice.p95Ms: ',
  ],
  [
    'a maximum of nothing',
    withIntent({ ownLag: { counts: [], min: 0, max: 5, sum: 5 } }),
    'operations.intent.ownLag: from 0 to 5, and no buckets',
  ],
  ['more reconnects than timed ones', { reconnects: 3 }, 'reconnects: 3, and 2 were timed'],
  [
    'a stage of other operations',
    { stages: [{ ...stage, operations: { intent } }] },
    'stages.all.operations: not those of the whole run',
  ],
  [
    'a stage that holds other counts than it timed',
    { stages: [{ ...stage, operations: { ...m.operations, intent: { ...intent, due } } }] },
    'stages.all.intent.due: 5 values',
  ],
  [
    'stages that leave out some of the measure phase',
    {
      stages: [
        {
          ...stage,
          operations: {
            ...m.operations,
            intent: { ...intent, measured: { ...intent.measured, scheduled: 19_000 } },
          },
        },
      ],
    },
    'stages: 19000 intent operations scheduled, and 20000 in the measure phase',
  ],
  [
    'more disconnects in the stages than in all',
    { stages: [{ ...stage, disconnects: 5 }] },
    'stages: 5 disconnects',
  ],
  [
    'more reconnects than disconnects',
    { stages: [{ ...stage, connect: due }] },
    'stages.all.connect: 5 values, and 0 came back',
  ],
  ['full strength after no loss', { stages: [{ ...stage, fullStrength: 5 }] }, 'no player was cut off'],
  ['a fault after the end', { faults: [{ ...CUT, from: 90, to: 91 }] }, 'faults.cut-storm: from 90 to 91 s'],
  ['a fault that ends before it begins', { faults: [{ ...CUT, from: 9, to: 8 }] }, 'faults.cut-storm'],
  [
    'more answers than readings',
    { calibration: { ...m.calibration!, answeredPercent: 1000 } },
    'calibration.answeredPercent',
  ],
  [
    'a process with more CPU than there is',
    { foreign: [{ name: 'x', pid: 1, cpuSeconds: 1e6 }] },
    'foreign.x (1)',
  ],
  [
    'buckets without an end',
    { worlds: { ...m.worlds!, flushMs: { bounds: [1, 2], counts: [1, 2] } } },
    'worlds.flushMs',
  ],
  [
    'bounds out of order',
    { worlds: { ...m.worlds!, flushMs: { bounds: [2, 1], counts: [1, 2, 3] } } },
    'worlds.flushMs',
  ],
  ['more acknowledged than sent', integrity({ acked: 504_001 }), 'integrity.acked'],
  ['more saved than acknowledged', integrity({ saved: 504_001 }), 'integrity.saved'],
  [
    'more saved and excused than acknowledged',
    integrity({ saved: 500_000, lostInWindow: 4_001 }),
    'integrity.saved',
  ],
  ['more applied than sent, and no duplicate', integrity({ applied: 504_001 }), 'integrity.applied'],
])('%s', (_what, over, expected) => {
  const altered = measurementsOf(over);
  expect(contradictionsOf(altered).join()).toContain(expected);
  const parsed = parseMeasurements(JSON.stringify(altered));
  expect(parsed.state === 'invalid' && parsed.problems.join()).toContain(expected);
});

test('an early stop, a slow tail or a lost ledger is not a contradiction', () => {
  const slow = {
    counts: [
      [119_996_415, 1],
      [120_061_951, 1],
    ] as const,
    min: 119_996_400,
    max: 300_000_000,
    sum: 419_996_400,
  };
  const measured = { ...intent.measured, scheduled: 2, ok: 2, rejected: 0 };
  const early = withIntent({
    measured,
    due: slow,
    rejected: null,
    net: slow,
    service: slow,
    lag: slow,
    ownLag: slow,
  });
  expect(contradictionsOf({ ...m, ...early, phases: { ...m.phases, end: 300 } })).toEqual([]);
  expect(contradictionsOf({ ...m, ...integrity({ applied: 504_009, duplicated: 9 }) })).toEqual([]);
  expect(
    contradictionsOf({
      ...m,
      phases: { stackUp: null, connect: null, ready: null, go: null, end: 1 },
      measured: null,
      series: {},
      peakCcu: 0,
      probes: [],
    }),
  ).toEqual([]);
});

test('a run that was too long for all its points has no contradiction', () => {
  const seconds = 3 * MOST_POINTS + 77;
  const [book, windows] = [openSeriesRecorder(), openWindowRecorder()];
  const due: HistogramData = { counts: [[200, 7]], min: 200, max: 200, sum: 1400 };
  for (let second = 1; second <= seconds; second++) {
    const at = (1e6 * second) as Micros;
    const busy = second % 7 === 0 ? 0 : 1;
    book.add(at, [
      { series: 'load.connected', kind: 'gauge', value: second % 1000 === 0 ? 90 : 100 },
      { series: 'load.intent.scheduled', kind: 'counter', value: 7 * second },
      { series: 'load.intent.ok', kind: 'counter', value: 7 * second },
      { series: 'load.intent.p95Ms', kind: 'gauge', value: 0.2 },
      { series: 'host.cpuBusySeconds', kind: 'counter', value: second + busy },
      { series: 'world.1.operations', kind: 'counter', value: 7 * second },
    ]);
    for (let slice = 1; slice <= 5; slice++) {
      const end = (at - 1e6 + 200_000 * slice) as Micros;
      book.add(end, [{ series: 'load.intent.slice.answered', kind: 'gauge', value: slice < 3 ? 2 : 1 }]);
    }
    windows.add(due);
  }
  const n = 7 * seconds;
  const all: HistogramData = { counts: [[200, n]], min: 200, max: 200, sum: 200 * n };
  const counts = { ...intent.measured, scheduled: n, ok: n, rejected: 0 };
  const idle = { ...intent.measured, scheduled: 0, ok: 0, rejected: 0 };
  const nothing = {
    due: none,
    service: none,
    lag: none,
    ownLag: none,
    rejected: null,
    net: null,
    windows: [],
  };
  const series = book.close(0 as Micros);
  const long: Measurements = {
    ...m,
    ...{ series, peakCcu: 100, phases: { ...m.phases, end: m.phases.go! + seconds + 2 } },
    measured: { from: 0, to: seconds },
    probes: ['host', 'world-1'].map((name) =>
      probe(name, { samples: seconds, measured: { samples: seconds, gaps: 0 } }),
    ),
    operations: {
      intent: {
        ...{ whole: counts, measured: counts, due: all, service: all, lag: all, ownLag: all },
        ...{ rejected: null, net: all, windows: windows.close() },
      },
      monsterCommand: { ...m.operations.monsterCommand, ...nothing, whole: idle, measured: idle },
    },
  };
  expect(series['load.intent.slice.answered']?.thinned).toBe(16);
  expect(series['host.cpuBusySeconds']?.thinned).toBe(4);
  expect(contradictionsOf(long)).toEqual([]);
});

const text = JSON.stringify(m);

test.each([
  [
    'a repeated key',
    text.replace('"peakCcu":1000', '"peakCcu":1,\n"peakCcu" :1000'),
    'line 2: the key "peakCcu" appears twice',
  ],
  [
    'a key that is repeated in another spelling',
    text.replace('"lost":0', '"lost":5,"l\\u006fst":0'),
    '"lost" appears twice',
  ],
  ['a newer fact that is missing', text.replace('"strayAnswers":0,', ''), 'strayAnswers: missing'],
  ['a newer fact of an operation that is missing', text.replace('"windows":', '"x":'), 'windows: missing'],
  [
    'an operation whose unsent failures are missing',
    text.replace('"failedUnsent":0,', ''),
    'operations.intent.whole.failedUnsent: missing',
  ],
  ['any other fact that is missing', text.replace('"disconnects":0,', ''), 'disconnects: missing'],
  ['half an operation', text.replace('"disconnects":0', '"disconnects":0.5'), 'disconnects'],
  ['a count that no double holds', text.replace('"disconnects":0', '"disconnects":1e300'), 'disconnects'],
  ['a series of texts', text.replace('"points":[[-2,', '"points":[["x",'), 'pairs of a time'],
  [
    'a million wrong entries',
    text.replace('"errors":[]', `"errors":[${'1,'.repeat(1_000_000)}1]`),
    'errors: ',
  ],
])('%s is refused', (_what, altered, expected) => {
  expect(altered).not.toBe(text);
  const parsed = parseMeasurements(altered);
  expect(parsed.state === 'invalid' && parsed.problems.join()).toContain(expected);
  expect(parsed.state === 'invalid' && parsed.problems.join().length).toBeLessThan(2_000);
});

test('different objects may have the same keys, and brackets in strings do not count', () => {
  expect(parseMeasurements(JSON.stringify({ ...m, errors: ['{"a":1,"a":2}', '\\', '"', '[{'] })).state).toBe(
    'valid',
  );
});
