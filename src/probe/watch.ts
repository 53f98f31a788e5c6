import { monotonic } from '../clock.ts';
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

/** Both ends included, on the host's monotonic clock. */
interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Watch {
  readonly tallies: () => readonly ProbeTally[];
  /** One last reading of every probe, then no more. */
  readonly finish: () => Promise<void>;
}

const EVERY_MS = 1000;

interface Watched {
  readonly probe: Probe;
  busy: Promise<void> | null;
  samples: number;
  gaps: number;
  lastError: string | null;
  readonly measured: { samples: number; gaps: number };
}

/**
 * Asks every probe once a second, on the second, and hands on what it says with the time at which it
 * answered. A probe that hangs is not asked again before it answers: each second it misses is a gap.
 * What fell into the measure phase is counted once more: readings before it must not outvote the gaps in it.
 */
export function watch(
  probes: readonly Probe[],
  measurePhase: Span,
  onSamples: (at: Micros, samples: readonly Sample[]) => void,
): Watch {
  const watched = probes.map(
    (probe): Watched => ({
      ...{ probe, busy: null, samples: 0, gaps: 0, lastError: null },
      measured: { samples: 0, gaps: 0 },
    }),
  );

  const count = (one: Watched, kind: 'samples' | 'gaps', at: number): void => {
    one[kind] += 1;
    if (at >= measurePhase.from && at <= measurePhase.to) one.measured[kind] += 1;
  };

  const ask = async (one: Watched): Promise<void> => {
    try {
      const samples = await one.probe.sample();
      const at = monotonic();
      count(one, 'samples', at);
      onSamples(at, samples);
    } catch (error) {
      count(one, 'gaps', monotonic());
      one.lastError = messageOf(error);
    } finally {
      one.busy = null;
    }
  };

  const round = (): void => {
    for (const one of watched) {
      if (one.busy !== null) count(one, 'gaps', monotonic());
      else one.busy = ask(one);
    }
  };

  round();
  const timer = setInterval(round, EVERY_MS);

  return {
    tallies: () =>
      watched.map(({ probe, samples, gaps, lastError, measured }) => ({
        ...{ name: probe.name, samples, gaps, lastError },
        measured: { ...measured },
      })),
    async finish() {
      clearInterval(timer);
      await Promise.all(
        watched.map(async (one) => {
          await one.busy;
          await ask(one);
        }),
      );
    },
  };
}
