import type { HistogramData } from '../histogram.ts';
import type { Counts, StageConnectionTally, StageOperationTally, Tally } from '../load/engine.ts';
import { OPERATIONS, type Operation, type Timeline } from '../scenario/workload.ts';
import { openWindowBook, type WindowBook } from './windows.ts';

/** Of what was due in the stage. */
export interface StageOperationFacts {
  readonly measured: Counts;
  readonly due: HistogramData;
  /** The part of `due` that was rejected; null where the engine does not time it apart. */
  readonly rejected: HistogramData | null;
  readonly service: HistogramData;
  readonly lag: HistogramData;
  /** The latencies from due again, one histogram for each window of the stage, by when they were answered. */
  readonly windows: readonly HistogramData[];
}

/** One stage of the measure phase, as it was. Seconds after GO. */
export interface StageFacts extends StageConnectionTally {
  readonly name: string;
  readonly from: number;
  /** Where the rate had got to its level. */
  readonly levelFrom: number;
  readonly to: number;
  /** Times the rates of the load: at the beginning, and from `levelFrom` on. */
  readonly rateBefore: number;
  readonly rate: number;
  readonly operations: Readonly<Record<Operation, StageOperationFacts>>;
}

export type StageWindows = Readonly<Record<Operation, WindowBook>>;

export const openStageWindows = ({ stages = [] }: Timeline): readonly StageWindows[] =>
  stages.map(() => ({ intent: openWindowBook(), monsterCommand: openWindowBook() }));

const SECOND = 1e6;

/** Adds a second, which ends at `at`, to the stage in which it lay from its beginning to its end. */
export function addToStages(
  windows: readonly StageWindows[],
  { stages = [] }: Timeline,
  at: number,
  due: (operation: Operation) => HistogramData,
): void {
  for (const [i, { start, end }] of stages.entries()) {
    if (at - SECOND < start || at > end) continue;
    for (const operation of OPERATIONS) windows[i]?.[operation].add(due(operation));
  }
}

/** The stages that were begun before the load ended. */
export function stageFactsOf(
  { stages = [] }: Timeline,
  tally: Tally | null,
  windows: readonly StageWindows[],
): readonly StageFacts[] {
  if (tally?.stages === undefined) return [];
  const { endedAt } = tally;
  return stages.flatMap(({ name, start, levelFrom, end, rateBefore, rate }, i) => {
    const own = tally.stages?.[i];
    if (own === undefined || start >= endedAt) return [];
    const operation = (of: Operation): StageOperationFacts => {
      const { counts, due, rejected, service, lag }: StageOperationTally = own.operations[of];
      return { measured: counts, due, rejected, service, lag, windows: windows[i]?.[of].close() ?? [] };
    };
    const to = Math.min(end, endedAt);
    return [
      {
        ...own,
        ...{ name, rateBefore, rate, from: start / 1e6, to: to / 1e6 },
        levelFrom: Math.min(levelFrom, to) / 1e6,
        operations: { intent: operation('intent'), monsterCommand: operation('monsterCommand') },
      },
    ];
  });
}
