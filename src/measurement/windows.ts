import { type HistogramData, mergeHistograms } from '../histogram.ts';
import { mapOperations, type PerOperation, perOperation } from '../scenario/operations.ts';
import { levelOf } from '../scenario/stages.ts';
import type { Timeline, Workload } from '../scenario/workload.ts';
import type { LoadTally } from './load-so-far.ts';
import type { StageFacts } from './measurements.ts';

/** The design effect (judge/README.md) needs some 20 windows; a run of a day is not to keep 86,400. */
const MOST_WINDOWS = 120;

/** A compact histogram in memory: a pair of numbers takes 16 bytes here, and four times as much as an array. */
interface Packed {
  readonly values: Float64Array;
  readonly counts: Float64Array;
  readonly min: number;
  readonly max: number;
  readonly sum: number;
}

const pack = ({ counts, min, max, sum }: HistogramData): Packed => ({
  values: Float64Array.from(counts, ([value]) => value),
  counts: Float64Array.from(counts, ([, count]) => count),
  ...{ min, max, sum },
});

const unpack = ({ values, counts, min, max, sum }: Packed): HistogramData => ({
  counts: Array.from(values, (value, i) => [value, counts[i] ?? 0] as const),
  ...{ min, max, sum },
});

/**
 * Collects one histogram a second during the measure phase. A window is a second long; its length doubles, by merging
 * pairs, whenever there are too many windows.
 */
export function openWindowRecorder() {
  let windows: Packed[] = [];
  let seconds = 1;
  /** The current, incomplete window and its length so far. */
  let pending: HistogramData[] = [];
  let filled = 0;
  return {
    add(second: HistogramData): void {
      pending.push(second);
      filled += 1;
      if (filled < seconds) return;
      windows.push(pack(mergeHistograms(pending)));
      pending = [];
      filled = 0;
      if (windows.length <= MOST_WINDOWS) return;
      const last = windows.length % 2 === 1 ? windows.pop() : undefined;
      windows = windows.flatMap((window, i) =>
        i % 2 === 0 ? [pack(mergeHistograms([window, windows[i + 1] ?? window].map(unpack)))] : [],
      );
      pending = last === undefined ? [] : [unpack(last)];
      filled = last === undefined ? 0 : seconds;
      seconds *= 2;
    },
    /** All windows, in order and of equal length; a last one that is shorter is left out. */
    close: (): readonly HistogramData[] => windows.map(unpack),
  };
}

type StageWindows = PerOperation<ReturnType<typeof openWindowRecorder>>;

export const openStageWindows = ({
  timeline: { stages = [] },
  operations,
}: Pick<Workload, 'timeline' | 'operations'>): readonly StageWindows[] =>
  stages.map(() => perOperation(operations, () => openWindowRecorder()));

const SECOND = 1e6;

/** Adds the second that ends at `at` to the stage that contains all of it. */
export function addToStages(
  windows: readonly StageWindows[],
  { stages = [] }: Timeline,
  at: number,
  due: (operation: string) => HistogramData,
): void {
  for (const [i, { start, end }] of stages.entries()) {
    if (at - SECOND < start || at > end) continue;
    for (const [operation, recorder] of Object.entries(windows[i] ?? {})) recorder.add(due(operation));
  }
}

/** The stages that began before the load ended. */
export function stageFactsOf(
  { stages = [] }: Timeline,
  tally: LoadTally | null,
  windows: readonly StageWindows[],
): readonly StageFacts[] {
  if (tally?.stages === undefined) return [];
  const { endedAt } = tally;
  return stages.flatMap((stage, i) => {
    const { name, start, end, rateBefore, rate, players } = stage;
    const own = tally.stages?.[i];
    if (own === undefined || start >= endedAt) return [];
    const to = Math.min(end, endedAt);
    return [
      {
        ...own,
        ...{ name, rateBefore, rate, from: start / 1e6, to: to / 1e6 },
        levelFrom: Math.min(levelOf(stage), to) / 1e6,
        ...(players === undefined ? {} : { playersBefore: players.before, players: players.at }),
        operations: mapOperations(own.operations, ({ counts: measured, ...facts }, id) => ({
          ...{ measured, ...facts },
          windows: windows[i]?.[id]?.close() ?? [],
        })),
      },
    ];
  });
}
