import { EXIT } from '../errors.ts';
import { streamSeed } from '../rng.ts';
import { counted, grouped } from '../units.ts';
import type { Comparison } from './comparison.ts';
import type { Duet, DuetAttempt, DuetResult, VersionName } from './duet.ts';

/** The limits of a duet. */
export interface DuetOptions {
  /** Trials of each version, without those that had no conclusion. */
  readonly mostTrials: number;
  readonly timeLimitSeconds: number;
  /** How often one trial without a conclusion is made again. */
  readonly retries: number;
}

/** The trial that comes next. */
export interface PlannedTrial {
  /** From 1. */
  readonly trial: number;
  readonly version: VersionName;
  readonly seed: number;
}

/** A drift of the machine that is a line over the time of a block falls on both versions alike. */
const BLOCK: readonly VersionName[] = ['base', 'head', 'head', 'base'];

/** Which version a trial is of, from 1 on. */
export const versionOf = (trial: number): VersionName => BLOCK[(trial - 1) % BLOCK.length] ?? 'base';

/** Of fewer pairs the spread is not known well enough to stop by it. */
export const FEWEST_PAIRS = 6;

/** A trial that was measured: its budgets may be breached. */
export const isMeasured = ({ exitCode }: Pick<DuetAttempt, 'exitCode'>): boolean =>
  exitCode === EXIT.pass || exitCode === EXIT.breached;

/** Shorter trials than the others of this duet, which had too few answers to judge. */
const counts = ({ seconds }: Duet, attempt: DuetAttempt): boolean =>
  isMeasured(attempt) && attempt.seconds === seconds;

/** The pairs of which both trials were measured, in order. */
export function pairsOf(duet: Duet): readonly (readonly [base: DuetAttempt, head: DuetAttempt])[] {
  const measured = new Map(
    duet.attempts.flatMap((one) => (counts(duet, one) ? [[one.trial, one] as const] : [])),
  );
  const pairs: (readonly [DuetAttempt, DuetAttempt])[] = [];
  for (let trial = 1; ; trial += 2) {
    const [first, second] = [measured.get(trial), measured.get(trial + 1)];
    if (first === undefined || second === undefined) return pairs;
    pairs.push(first.version === 'base' ? [first, second] : [second, first]);
  }
}

/**
 * Whether the trials would show a change of the threshold in every gated metric. This depends on how much pairs differ from each
 * other, and not on the change that they show. What is not comparable, no further trial makes comparable.
 */
export const isPowerful = ({
  metrics,
  thresholdPercent,
}: Pick<Comparison, 'metrics' | 'thresholdPercent'>): boolean => {
  const gated = metrics.filter((one) => one.gated && one.ruling !== 'not comparable');
  return (
    gated.length > 0 &&
    gated.every(
      ({ detectablePercent }) => detectablePercent !== null && detectablePercent <= thresholdPercent,
    )
  );
};

/**
 * The trial that comes next, or why there is none.
 *
 * The rule is fixed before the first trial. After every second pair, from FEWEST_PAIRS on, a duet ends once it is powerful enough;
 * what the trials show of the change has no part in this, so that looking again and again does not make it more probable that
 * chance looks like a change.
 *
 * @param comparison of `pairsOf(duet)`; null before the first pair
 */
export function nextTrial(
  duet: Duet,
  { mostTrials, timeLimitSeconds, retries }: DuetOptions,
  comparison: Pick<Comparison, 'metrics' | 'thresholdPercent' | 'notComparable'> | null,
): PlannedTrial | DuetResult {
  const { attempts } = duet;
  const failed = attempts.find(({ exitCode }) => exitCode === EXIT.stackFailed || exitCode === EXIT.dataLost);
  if (failed !== undefined)
    return { stopped: 'failed', because: `trial ${failed.trial}, ${failed.version}: ${failed.because}` };
  const pairs = pairsOf(duet).length;
  const done = new Set(attempts.filter((one) => counts(duet, one)).map(({ trial }) => trial));
  const trial = done.has(2 * pairs + 1) ? 2 * pairs + 2 : 2 * pairs + 1;
  const isBetweenPairs = trial % 2 === 1;
  if (isBetweenPairs) {
    const [difference] = comparison?.notComparable ?? [];
    if (difference !== undefined) {
      const { what, base, head } = difference;
      return { stopped: 'not comparable', because: `${what}: ${base} of base, ${head} of head` };
    }
    if (pairs >= FEWEST_PAIRS && pairs % 2 === 0 && comparison !== null && isPowerful(comparison)) {
      return {
        stopped: 'power',
        because: `${counted(pairs, 'pair')} of trials would show a change of ${grouped(comparison.thresholdPercent, 1)}%`,
      };
    }
    if (pairs >= mostTrials)
      return { stopped: 'trials', because: `all ${counted(mostTrials, 'pair')} of trials were made` };
  }
  const tries = attempts.filter((one) => one.trial === trial && one.seconds === duet.seconds);
  if (tries.length > retries) {
    return {
      stopped: 'invalid',
      because: `trial ${trial}, ${versionOf(trial)}, had no conclusion ${counted(tries.length, 'time')}, the last one because of: ${tries.at(-1)?.because}`,
    };
  }
  const used = attempts.reduce((sum, { tookSeconds }) => sum + tookSeconds, 0);
  const left = (isBetweenPairs ? 2 : 1) * (attempts.length === 0 ? 0 : used / attempts.length);
  if (used + left > timeLimitSeconds)
    return { stopped: 'time', because: `the ${grouped(timeLimitSeconds / 60, 1)} min are over` };
  const pair = Math.ceil(trial / 2);
  return { trial, version: versionOf(trial), seed: streamSeed(duet.seed, pair) };
}

/** Whether it says that there is no further trial. */
export const isDuetResult = (next: PlannedTrial | DuetResult): next is DuetResult => 'stopped' in next;
