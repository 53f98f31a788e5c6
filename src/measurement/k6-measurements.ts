import { mergeHistograms } from '../histogram.ts';
import type { Counts } from '../load/engine.ts';
import { TIMED_KINDS, type TimedKind, type TotalKind } from '../load/k6/metrics.ts';
import { scheduleHashOf } from '../load/schedule-hash.ts';
import { ofOperation, perOperation } from '../scenario/operations.ts';
import { scenarioHash } from '../scenario/resolved.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { timelineOf } from '../scenario/workload.ts';
import type { K6Summary } from './k6-summary.ts';
import type { Measurements, OperationFacts } from './measurements.ts';
import { addCounts } from './sent.ts';

/**
 * The facts of a run that one or several processes of plain k6 made, from their summaries: counts add up, and so do the
 * buckets of histograms. What only a run of capbench records (seconds, probes, rows, the machine) is not there.
 */
export function k6Measurements(summaries: readonly K6Summary[], s: Scenario, capbench: string): Measurements {
  const { measureStart, end } = timelineOf(s.load);
  const measured = { from: measureStart / 1e6, to: end / 1e6 };
  const operations = perOperation(s.operations, (op) => operationFacts(summaries, op));
  const total = (kind: TotalKind): number => summaries.reduce((sum, { totals }) => sum + totals[kind], 0);
  const stayed = total('connected') - (total('disconnects') - total('linesLost'));
  return {
    schemaVersion: 1,
    capbench,
    scenarioHash: scenarioHash(s),
    scheduleHash: scheduleHashOf([[total('scheduleLow'), total('scheduleHigh')]]),
    startedAt: new Date(Math.min(...summaries.map(({ go }) => go))).toISOString(),
    commit: null,
    ending: { state: 'completed' },
    engine: 'k6',
    workers: summaries.length,
    summaries: summaries.length,
    colocated: false,
    stackKind: 'target',
    phases: { stackUp: null, connect: null, ready: 0, go: 0, end: measured.to },
    measured,
    peakCcu: Math.max(total('connectedAtGo'), stayed),
    connect: {
      failed: total('connectFailed'),
      histogram: mergeHistograms(summaries.map(({ connect }) => connect)),
    },
    disconnects: total('disconnects'),
    reconnects: 0,
    reconnect: mergeHistograms([]),
    strayAnswers: total('stray'),
    operations,
    stages: [],
    series: {
      // When players were lost is not known: those that were are counted as absent throughout.
      'load.connected': { kind: 'gauge', points: edges(measured, stayed, stayed) },
      // Nor is when answers came: for a rate over the measure phase, their number is enough.
      ...Object.fromEntries(
        s.operations.flatMap(({ id }) =>
          (['ok', 'rejected'] as const).map((kind) => [
            `load.${id}.${kind}`,
            {
              kind: 'counter' as const,
              points: edges(measured, 0, ofOperation(operations, id).measured[kind]),
            },
          ]),
        ),
      ),
    },
    ...{ probes: [], faults: [], foreign: [], settings: [], errors: [] },
    ...{ worlds: null, integrity: null, ceilings: null, calibration: null, canary: null },
    clockDriftMs: 0,
    host: UNKNOWN_HOST,
  };
}

/** A series of two points. */
const edges = ({ from, to }: { readonly from: number; readonly to: number }, first: number, last: number) =>
  [
    [from, first],
    [to, last],
  ] as const;

/** k6 ran somewhere, on one machine or several. */
const UNKNOWN_HOST: Measurements['host'] = {
  ...{ cpuModel: 'unknown', cpus: 1, memoryBytes: 1 },
  ...{ kernel: 'unknown', platform: 'unknown', arch: 'unknown', node: 'unknown' },
};

function operationFacts(summaries: readonly K6Summary[], op: string): OperationFacts {
  const all = summaries.map(({ operations }) => ofOperation(operations, op));
  const sum = (scope: 'whole' | 'measured'): Counts => addCounts(all.map((one) => one[scope]));
  const times = Object.fromEntries(
    TIMED_KINDS.map((kind) => [kind, mergeHistograms(all.map((one) => one[kind]))]),
  ) as Record<TimedKind, OperationFacts['due']>;
  return { whole: sum('whole'), measured: sum('measured'), ...times, net: null, windows: [] };
}
