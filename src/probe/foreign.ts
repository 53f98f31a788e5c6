import type { CpuTimes } from '../supervision/proc.ts';

/**
 * CPU seconds of what is not of the run. Where every process of the host is seen, it is their sum, exact but for a tick
 * each. Otherwise (in a container) others show only in /proc/stat, whose totals are samples: what all processes used
 * without what the run did, never less than what is seen. The kernel may count the run's share of softirqs with its
 * processes, and does not here: then it is too low by that, never too high.
 *
 * @param complete whether what is seen is all there is.
 */
export function openForeignSeconds(
  complete: boolean,
): (seen: number, run: number, times: CpuTimes | null) => number {
  let start: number | null = null;
  return (seen, run, times) => {
    if (complete || times === null) return seen;
    const others = times.processSeconds - run;
    start ??= others;
    return Math.max(seen, others - start);
  };
}
