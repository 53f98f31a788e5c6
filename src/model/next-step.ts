import { EXIT } from '../errors.ts';
import { counted } from '../units.ts';
import type { GaveOut, Ladder, LadderResult, LadderStep } from './ladder.ts';

/** How a search is made. */
export interface SearchOptions {
  /** Trials of the stated number, all of which have to pass. */
  readonly confirm: number;
  /** The first number of players. */
  readonly from: number;
  /** The fewest and the most players. */
  readonly least: number;
  readonly most: number;
  /** Numbers of players are multiples of it: 2 where they play in pairs. */
  readonly grain: number;
  /** Measure phases far from the answer, and near it; in seconds, the same where trials cannot be shortened. */
  readonly shortSeconds: number;
  readonly fullSeconds: number;
  /** Of all steps together. */
  readonly timeLimitSeconds: number;
}

/** What a search does next. */
export type Planned = Pick<LadderStep, 'players' | 'seconds' | 'purpose'>;

/** Trials of one number without a conclusion, after which there is none; and where the generator was late. */
const ATTEMPTS = 3;
const ATTEMPTS_OF_GENERATOR = 2;
/** Where the stack or the generator did not start, or has ended. */
const ATTEMPTS_AFTER_FAILURE = 2;
/** From last pass to first fail, in multiples of the precision: as near as this, trials have full length. */
const NEAR = 4;
/** No server needs as many; one whose answers are random would. */
const MOST_STEPS = 100;

/**
 * What the steps so far lead to: the next step, or the result. It follows from the ladder and the options only, so that
 * a resumed search takes the step that it would have taken.
 *
 * Double (or halve) until one number passes and one fails, bisect until they are as near as the precision, repeat a
 * failure that rests on a short trial, then confirm the last pass; a failure lowers it, and it is confirmed again.
 */
export function nextStep(ladder: Ladder, options: SearchOptions): Planned | LadderResult {
  const { steps } = ladder;
  const next = followUp(ladder, options);
  if ('found' in next) return next;
  if (steps.length >= MOST_STEPS) return known(ladder, options, `it had taken ${MOST_STEPS} steps`);
  const left = options.timeLimitSeconds - sumOf(steps.map(({ tookSeconds }) => tookSeconds));
  const beside = steps.map(({ tookSeconds, seconds }) => tookSeconds - seconds);
  const expected = next.seconds + (beside.length === 0 ? 0 : Math.max(0, sumOf(beside) / beside.length));
  return expected <= left ? next : known(ladder, options, 'no time is left for another step (--time-limit)');
}

/** Whether it is over. */
export const isResult = (next: Planned | LadderResult): next is LadderResult => 'found' in next;

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

const countOf = (values: readonly number[], value: number): number =>
  values.filter((one) => one === value).length;

/** A number that passed or failed, and the longest trial that says so. */
interface Bound {
  readonly players: number;
  readonly seconds: number;
}

/** The highest number that stands as passed, and the lowest that stands as failed; the first is lower than the second. */
export interface Bracket {
  readonly pass: Bound | null;
  readonly fail: Bound | null;
}

/**
 * What trials say together, also where they contradict each other. What passes with some players passes with fewer, and
 * what fails fails with more. A longer trial outweighs all shorter ones; of equally long ones a failure counts, however
 * many others passed: repeating until it passes would be the best of several. Only a longer trial overrules it.
 * What so many trials without a conclusion did not show to be kept is not kept.
 */
export function standing(steps: readonly LadderStep[]): Bracket {
  let pass: Bound | null = null;
  let fail: Bound | null = null;
  const lengths = [...new Set(steps.map(({ seconds }) => seconds))].toSorted((a, b) => b - a);
  for (const seconds of lengths) {
    const [low, high]: readonly [number, number] = [
      pass?.players ?? 0,
      fail?.players ?? Number.POSITIVE_INFINITY,
    ];
    // The others agree with a longer trial, or are overruled by it.
    const own = steps.filter((one) => one.seconds === seconds && one.players > low && one.players < high);
    const of = (outcome: LadderStep['outcome']): number[] =>
      own.filter((one) => one.outcome === outcome).map(({ players }) => players);
    const notShown = own.filter((one) => one.notShown).map(({ players }) => players);
    const inVain = notShown.filter((players) => countOf(notShown, players) >= ATTEMPTS);
    const lowestFail = Math.min(high, ...of('fail'), ...inVain);
    const highestPass = Math.max(low, ...of('pass').filter((players) => players < lowestFail));
    if (highestPass > low) pass = { players: highestPass, seconds };
    if (lowestFail < high) fail = { players: lowestFail, seconds };
  }
  return { pass, fail };
}

/** The lowest number at which the generator, and not the server, was at its end; null where that is not known. */
function outOfReach(steps: readonly LadderStep[]): LadderStep | null {
  const judged = Math.max(
    0,
    ...steps.filter(({ outcome }) => outcome !== 'invalid').map(({ players }) => players),
  );
  // One that has ended, or was never reached, was not late.
  const late = steps.filter(
    ({ players, gaveOut, exitCode }) =>
      gaveOut === 'generator' && exitCode !== EXIT.stackFailed && players > judged,
  );
  const ends = late.filter(
    ({ players }) => late.filter((other) => other.players === players).length >= ATTEMPTS_OF_GENERATOR,
  );
  return ends.toSorted((a, b) => a.players - b.players)[0] ?? null;
}

/** The next step, however long it takes; repeated where its number had no conclusion so far. */
function followUp(ladder: Ladder, options: SearchOptions): Planned | LadderResult {
  const { steps } = ladder;
  const { fullSeconds } = options;
  // A short trial with too few answers is no use; that one of them had too few says it of all.
  const tooShort = steps.some(
    ({ outcome, seconds, gaveOut, notShown }) =>
      outcome === 'invalid' && seconds < fullSeconds && gaveOut === null && notShown !== true,
  );
  const next = climb(ladder, tooShort ? { ...options, shortSeconds: fullSeconds } : options);
  if ('found' in next) return next;
  const own = steps.filter(({ players }) => players === next.players);
  const vain = own.slice(own.findLastIndex(({ outcome }) => outcome !== 'invalid') + 1);
  const last = vain.at(-1);
  if (last === undefined) return next;
  if (vain.length >= (last.exitCode === EXIT.stackFailed ? ATTEMPTS_AFTER_FAILURE : ATTEMPTS)) {
    const trials = `${vain.length} trials of ${counted(next.players, 'player')} had no conclusion`;
    return notFound(ladder, `${whoGaveOut(last.gaveOut)}${trials}: ${last.because}`, last.gaveOut);
  }
  return { ...next, seconds: fullSeconds, purpose: next.purpose === 'confirm' ? 'confirm' : 'again' };
}

const whoGaveOut = (who: GaveOut | null): string => (who === null ? '' : `the ${who} gave out first: `);

function climb(ladder: Ladder, options: SearchOptions): Planned | LadderResult {
  const { steps, precisionPercent } = ladder;
  const { from, least, most, grain, shortSeconds, fullSeconds, confirm } = options;
  const multiple = (players: number): number => Math.max(least, grain * Math.floor(players / grain));
  const short = (players: number, purpose: Planned['purpose']): Planned => ({
    ...{ players, purpose, seconds: shortSeconds },
  });
  const full = (players: number, purpose: Planned['purpose']): Planned => ({
    ...{ players, purpose, seconds: fullSeconds },
  });
  const { pass, fail } = standing(steps);
  const reach = outOfReach(steps);
  const beyond = reach !== null && reach.players <= (fail?.players ?? Number.POSITIVE_INFINITY);
  const top = beyond ? reach.players : (fail?.players ?? null);
  const generator = (): LadderResult =>
    notFound(
      ladder,
      `the generator gave out first, at ${counted(reach?.players ?? 0, 'player')}: ${reach?.because}`,
      'generator',
    );

  const floor = pass === null ? tooFewAt(steps, top, fullSeconds) : null;
  if (pass === null && top === null) {
    if (floor === null) return short(Math.min(most, multiple(from)), 'double');
    if (floor >= most)
      return notFound(ladder, `${tooFewText(floor, fullSeconds)}, the most that were tried`, null);
    return full(Math.min(most, Math.max(floor + grain, multiple(2 * floor))), 'double');
  }
  const precise = 1 + precisionPercent / 100;
  if (pass === null && floor !== null && top !== null) {
    if (top - floor > grain && top > floor * precise) return full(between(floor, top, grain), 'bisect');
    if (beyond) return generator();
    if (fail !== null && fail.seconds < fullSeconds) return full(fail.players, 'again');
    const fewest = `${counted(top, 'player')} are too many`;
    return notFound(ladder, `${fewest}, and ${tooFewText(floor, fullSeconds)}`, null);
  }
  if (pass === null) {
    if (top !== null && top > least) return short(Math.min(top - 1, multiple(top / 2)), 'halve');
    if (beyond) return generator();
    if (fail !== null && fail.seconds < fullSeconds) return full(fail.players, 'again');
    return notFound(ladder, `${counted(least, 'player')}, the fewest, are too many`, null);
  }
  if (top === null) {
    if (pass.players >= most) {
      if (pass.seconds < fullSeconds) return full(pass.players, 'again');
      return notFound(
        ladder,
        `${counted(most, 'player')}, the most that were tried, keep every budget`,
        null,
      );
    }
    // Beyond a failure that was overruled, the answer is near.
    const isNear = steps.some(({ outcome }) => outcome === 'fail');
    const higher = Math.max(pass.players + grain, multiple(pass.players * (isNear ? precise ** NEAR : 2)));
    return (isNear ? full : short)(Math.min(most, higher), 'double');
  }
  if (top - pass.players > grain && top > pass.players * precise) {
    const players = between(pass.players, top, grain);
    return (top <= pass.players * precise ** NEAR ? full : short)(players, 'bisect');
  }
  if (beyond) return pass.seconds < fullSeconds ? full(pass.players, 'again') : generator();
  if (fail === null) throw new Error('a number without a failure cannot be the upper end');
  if (fail.seconds < fullSeconds) return full(fail.players, 'again');
  const passed = confirmations(ladder, pass.players, fullSeconds);
  return passed < confirm
    ? full(pass.players, 'confirm')
    : foundAt(ladder, { pass, fail }, { passed, of: confirm }, null);
}

/** Between two numbers, by ratio. */
const between = (low: number, high: number, grain: number): number =>
  Math.min(high - grain, Math.max(low + grain, grain * Math.round(Math.sqrt(low * high) / grain)));

/**
 * The highest number below the first that failed whose trial of full length had too few answers for a conclusion, and nothing else against
 * it: fewer players have fewer still. Null where there is none.
 */
function tooFewAt(steps: readonly LadderStep[], top: number | null, fullSeconds: number): number | null {
  const own = steps.filter(
    ({ players, seconds, tooFew }) =>
      tooFew === true && seconds >= fullSeconds && players < (top ?? Number.POSITIVE_INFINITY),
  );
  return own.length === 0 ? null : Math.max(...own.map(({ players }) => players));
}

const tooFewText = (players: number, seconds: number): string =>
  `${counted(players, 'player')} give too few answers in ${seconds} s to be judged (a longer --duration)`;

/** Trials that were made because the number was the candidate: the one that made it one does not count. */
const confirmations = ({ steps }: Ladder, players: number, fullSeconds: number): number =>
  steps.filter(
    (one) =>
      one.players === players &&
      one.purpose === 'confirm' &&
      one.outcome === 'pass' &&
      one.seconds >= fullSeconds,
  ).length;

/** What is known when the search has to end. */
function known(ladder: Ladder, { confirm, fullSeconds }: SearchOptions, why: string): LadderResult {
  const { pass, fail } = standing(ladder.steps);
  if (pass === null || fail === null) {
    const last = ladder.steps.at(-1);
    if (last?.outcome !== 'invalid') return notFound(ladder, why, null);
    const vain = `the last step had no conclusion: ${last.because}`;
    return notFound(ladder, `${whoGaveOut(last.gaveOut)}${why}; ${vain}`, last.gaveOut);
  }
  const passed = confirmations(ladder, pass.players, fullSeconds);
  return foundAt(ladder, { pass, fail }, { passed, of: confirm }, why);
}

function foundAt(
  { steps }: Ladder,
  { pass, fail }: { readonly pass: Bound; readonly fail: Bound },
  confirmed: { readonly passed: number; readonly of: number },
  unfinished: string | null,
): LadderResult {
  const failed = steps.findLast(
    ({ players, seconds, outcome, notShown }) =>
      players === fail.players && seconds === fail.seconds && (outcome === 'fail' || notShown === true),
  );
  return {
    ...{ found: true, players: pass.players, lastPass: pass.players, firstFail: fail.players, confirmed },
    ...{ brokeFirst: failed?.brokeFirst ?? null, ranOut: failed?.ranOut ?? null, unfinished },
  };
}

function notFound({ steps }: Ladder, because: string, gaveOut: GaveOut | null): LadderResult {
  const { pass, fail } = standing(steps);
  return {
    ...{ found: false, because, gaveOut },
    ...{ lastPass: pass?.players ?? null, firstFail: fail?.players ?? null },
  };
}
