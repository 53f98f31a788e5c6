import type { Counts } from '../engine.ts';

/** Outcome by outcome. */
export function addCounts(all: readonly Counts[]): Counts {
  const sum = (kind: keyof Counts): number => all.reduce((total, counts) => total + counts[kind], 0);
  return {
    scheduled: sum('scheduled'),
    ok: sum('ok'),
    rejected: sum('rejected'),
    failed: sum('failed'),
    failedUnsent: sum('failedUnsent'),
    timedOut: sum('timedOut'),
    skipped: sum('skipped'),
    unfinished: sum('unfinished'),
  };
}
