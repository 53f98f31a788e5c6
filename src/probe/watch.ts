import { setTimeout as sleep } from 'node:timers/promises';
import { midway, monotonic } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Micros } from '../units.ts';
import type { Probe, Sample } from './probe.ts';

/** What became of one probe over a watch. */
export interface ProbeTally {
  readonly name: string;
  readonly samples: number;
  /** Seconds in which it was asked and gave no data, or was still busy with the second before. */
  readonly gaps: number;
  readonly lastError: string | null;
  /** The same of the measure phase alone. */
  readonly measured: { readonly samples: number; readonly gaps: number };
}

/** When to read, on the host's monotonic clock. */
interface ReadingPlan {
  readonly go: Micros;
  /** Where the measure phase and its stages begin and end, in order: the first and the last are the phase's own. */
  readonly boundaries: readonly Micros[];
}

const SECOND = 1e6;
/** Two readings that are nearer than that are one. Microseconds. */
const SAME = 1_000;
const AFTER_MS = 150;

interface Watched {
  readonly probe: Probe;
  busy: Promise<void> | null;
  /** A boundary passed while it was busy. */
  missedBoundary: boolean;
  samples: number;
  gaps: number;
  lastError: string | null;
  readonly measured: { samples: number; gaps: number };
}

/**
 * Asks every probe once a second, on the seconds after GO, and at every boundary of what is measured; hands on what it says
 * with the time half way from question to answer, for it was counted at some time in between. A probe that hangs is not
 * asked again before it answers: each second it misses is a gap. Where a boundary was missed so, or its reading failed, it is asked once more at once.
 * What fell into the measure phase is counted once more: readings before it must not outvote the gaps in it.
 */
export function watch(
  probes: readonly Probe[],
  { go, boundaries }: ReadingPlan,
  onSamples: (at: Micros, samples: readonly Sample[]) => void,
) {
  const [from, to] = [
    boundaries.at(0) ?? Number.POSITIVE_INFINITY,
    boundaries.at(-1) ?? Number.NEGATIVE_INFINITY,
  ];
  const watched = probes.map(
    (probe): Watched => ({
      ...{ probe, busy: null, missedBoundary: false, samples: 0, gaps: 0, lastError: null },
      measured: { samples: 0, gaps: 0 },
    }),
  );

  const count = (one: Watched, kind: 'samples' | 'gaps', at: number): void => {
    one[kind] += 1;
    if (at >= from && at <= to) one.measured[kind] += 1;
  };

  /** Whether it answered. A boundary that was missed already is one gap, however often it is asked for. */
  const askOnce = async (one: Watched, isBoundary: boolean, isAgain = false): Promise<boolean> => {
    const asked = monotonic();
    try {
      const samples = await one.probe.sample(isBoundary);
      const at = midway(asked);
      count(one, 'samples', monotonic());
      onSamples(at, samples);
      return true;
    } catch (error) {
      if (!isAgain) count(one, 'gaps', monotonic());
      one.lastError = messageOf(error);
      return false;
    }
  };

  const ask = async (one: Watched, isBoundary: boolean): Promise<void> => {
    const answered = await askOnce(one, isBoundary);
    if ((isBoundary && !answered) || one.missedBoundary) {
      one.missedBoundary = false;
      await askOnce(one, true, true);
    }
    one.busy = null;
  };

  const round = (isBoundary: boolean): void => {
    for (const one of watched) {
      if (one.busy === null) one.busy = ask(one, isBoundary);
      else {
        count(one, 'gaps', monotonic());
        one.missedBoundary ||= isBoundary;
      }
    }
  };

  let timer: NodeJS.Timeout | undefined;
  let left = boundaries;
  /** Of several moments that have passed together there is one reading. */
  const plan = (after: number): void => {
    const second = go + (Math.floor((after + SAME - go) / SECOND) + 1) * SECOND;
    const boundary = left[0] ?? Number.POSITIVE_INFINITY;
    const due = Math.min(second, boundary);
    timer = setTimeout(
      () => {
        const now = Math.max(monotonic(), due);
        const passed = left.filter((one) => one <= now + SAME).length;
        left = left.slice(passed);
        round(passed > 0);
        plan(now);
      },
      Math.max(0, Math.ceil((due - monotonic()) / 1e3)),
    );
  };
  round(false);
  plan(monotonic());

  return {
    tallies: () =>
      watched.map(({ probe, samples, gaps, lastError, measured }) => ({
        ...{ name: probe.name, samples, gaps, lastError },
        measured: { ...measured },
      })),
    /** A reading now, beside those that are planned: what is measured ends here. */
    readBoundary: () => round(true),
    /** What was not read yet, and one last reading of every probe a moment later, by which what went on after the end is told; then no more. */
    async finish() {
      clearTimeout(timer);
      const isUnread = (left[0] ?? Number.POSITIVE_INFINITY) <= monotonic() + SAME;
      await Promise.all(watched.map((one) => one.busy));
      if (isUnread) await Promise.all(watched.map((one) => askOnce(one, true)));
      await sleep(AFTER_MS);
      await Promise.all(watched.map((one) => askOnce(one, true)));
    },
  };
}
