import { setTimeout as sleep } from 'node:timers/promises';
import { monotonic } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Micros } from '../units.ts';
import type { Probe, Sample } from './probe.ts';

/** Counts of one probe's readings. */
export interface ProbeTally {
  readonly name: string;
  readonly samples: number;
  /** Seconds in which it gave no data, or was still busy with an earlier reading. */
  readonly gaps: number;
  readonly lastError: string | null;
  /** The same counts of the measure phase. */
  readonly measured: { readonly samples: number; readonly gaps: number };
}

/** On the host's monotonic clock. */
interface ReadingPlan {
  readonly go: Micros;
  /** Where the measure phase and its stages begin and end, in order: the first and the last belong to the phase. */
  readonly boundaries: readonly Micros[];
}

const SECOND = 1e6;
/** Readings that are due within so many microseconds are one. */
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
 * Reads every probe once a second, on the seconds after GO, and at every boundary. A sample's time is the middle between
 * request and response, since it was counted at some time in between. A probe that hangs is not read again before it
 * answers: each second that it misses is a gap. A missed or failed reading at a boundary is repeated at once. Readings of
 * the measure phase are also counted separately, so that good readings before it cannot hide its gaps.
 */
export function watch(
  probes: readonly Probe[],
  { go, boundaries }: ReadingPlan,
  onSamples: (at: Micros, samples: readonly Sample[]) => void,
  now: () => Micros = monotonic,
) {
  const from = boundaries.at(0) ?? Number.POSITIVE_INFINITY;
  let to = boundaries.at(-1) ?? Number.NEGATIVE_INFINITY;
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

  /** Returns whether it answered. A repeated reading of a missed boundary adds no further gap. */
  const readOnce = async (one: Watched, isBoundary: boolean, isAgain = false): Promise<boolean> => {
    const asked = now();
    try {
      const samples = await one.probe.sample(isBoundary);
      const answered = now();
      count(one, 'samples', answered);
      onSamples(((asked + answered) / 2) as Micros, samples);
      return true;
    } catch (error) {
      if (!isAgain) count(one, 'gaps', now());
      one.lastError = messageOf(error);
      return false;
    }
  };

  const read = async (one: Watched, isBoundary: boolean): Promise<void> => {
    const answered = await readOnce(one, isBoundary);
    if ((isBoundary && !answered) || one.missedBoundary) {
      one.missedBoundary = false;
      await readOnce(one, true, true);
    }
    one.busy = null;
  };

  const round = (isBoundary: boolean): void => {
    for (const one of watched) {
      if (one.busy === null) one.busy = read(one, isBoundary);
      else {
        count(one, 'gaps', now());
        one.missedBoundary ||= isBoundary;
      }
    }
  };

  let timer: NodeJS.Timeout | undefined;
  let left = boundaries;
  /** Several due times that have passed together get one reading. */
  const plan = (after: number): void => {
    const second = go + (Math.floor((after + SAME - go) / SECOND) + 1) * SECOND;
    const boundary = left[0] ?? Number.POSITIVE_INFINITY;
    const due = Math.min(second, boundary);
    timer = setTimeout(
      () => {
        const at = Math.max(now(), due);
        const passed = left.filter((one) => one <= at + SAME).length;
        left = left.slice(passed);
        round(passed > 0);
        plan(at);
      },
      Math.max(0, Math.ceil((due - now()) / 1e3)),
    );
  };
  round(false);
  plan(now());

  return {
    tallies: () =>
      watched.map(({ probe, samples, gaps, lastError, measured }) => ({
        ...{ name: probe.name, samples, gaps, lastError },
        measured: { ...measured },
      })),
    /** Ends the measure phase of a stopped run with an additional reading: later ones do not count for the phase. */
    endPhase() {
      to = Math.min(to, now());
      round(true);
    },
    /** Takes a due reading, then a last one a moment later, which shows what went on after the end. */
    async finish() {
      clearTimeout(timer);
      const isUnread = (left[0] ?? Number.POSITIVE_INFINITY) <= now() + SAME;
      await Promise.all(watched.map((one) => one.busy));
      if (isUnread) await Promise.all(watched.map((one) => readOnce(one, true)));
      await sleep(AFTER_MS);
      await Promise.all(watched.map((one) => readOnce(one, true)));
    },
  };
}
