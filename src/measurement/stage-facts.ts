import type { HistogramData } from '../histogram.ts';
import type { Tally } from '../load/engine.ts';
import { mapOperations, type PerOperation, perOperation } from '../scenario/operations.ts';
import type { Timeline, Workload } from '../scenario/workload.ts';
import type { StageFacts } from './measurements.ts';
import { openWindowBook, type WindowBook } from './windows.ts';

export type StageWindows = PerOperation<WindowBook>;

export const openStageWindows = ({
  timeline: { stages = [] },
  operations,
}: Pick<Workload, 'timeline' | 'operations'>): readonly StageWindows[] =>
  stages.map(() => perOperation(operations, () => openWindowBook()));

const SECOND = 1e6;

/** Adds a second, which ends at `at`, to the stage in which it lay from its beginning to its end. */
export function addToStages(
  windows: readonly StageWindows[],
  { stages = [] }: Timeline,
  at: number,
  due: (operation: string) => HistogramData,
): void {
  for (const [i, { start, end }] of stages.entries()) {
    if (at - SECOND < start || at > end) continue;
    for (const [operation, book] of Object.entries(windows[i] ?? {})) book.add(due(operation));
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
    const to = Math.min(end, endedAt);
    return [
      {
        ...own,
        ...{ name, rateBefore, rate, from: start / 1e6, to: to / 1e6 },
        levelFrom: Math.min(levelFrom, to) / 1e6,
        operations: mapOperations(own.operations, ({ counts: measured, ...facts }, id) => ({
          ...{ measured, ...facts },
          windows: windows[i]?.[id]?.close() ?? [],
        })),
      },
    ];
  });
}
