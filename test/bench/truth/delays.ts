import { MULBERRY_STEP, mulberry32 } from '../../../src/rng.ts';

/** How long a server takes, as a law that is known. Times in microseconds. */
export interface DelayModel {
  /** `stall` */
  readonly name: string;
  /** In a sentence of the table's. */
  readonly says: string;
  /** Of a request that arrived at this moment of the host's monotonic clock, the next one in order. */
  delay(arrived: number): number;
  /**
   * The delay that `share` (0..1) of all requests do not exceed when they arrive evenly, whatever becomes of
   * the ones before them: the inverse of the law's distribution function.
   */
  quantile(share: number): number;
  /** The share at which the law bends upwards, if one of those that are asked: one slow request moves it there. */
  readonly bend: number | null;
}

const CONSTANT = 5_000;
const FAST = 2_000;
const SLOW = 50_000;
/** Not 0.9: where the distribution jumps, a percentile is decided by one request. */
const FAST_SHARE = 0.92;
const STALL = 200_000;
const EVERY = 2_000_000;
const TAIL_FROM = 3_000;
const TAIL_EXPONENT = 2;

/** The golden ratio's fraction: its multiples fill [0, 1) evenly at any length (Weyl). */
const GOLDEN = 0.618033988749895;

/** Shares 0..1 in a seeded order; every thousand of them hold each quantile, so a short run has no luck. */
function shares(seed: number): () => number {
  let at = mulberry32((seed + MULBERRY_STEP) | 0);
  return () => {
    at = (at + GOLDEN) % 1;
    return at;
  };
}

/** A delay drawn by its quantile function. */
function drawn(name: string, says: string, seed: number, quantile: (share: number) => number): DelayModel {
  const next = shares(seed);
  return { name, says, delay: () => quantile(next()), quantile, bend: null };
}

export function constant(): DelayModel {
  return { name: 'constant', says: '5 ms', delay: () => CONSTANT, quantile: () => CONSTANT, bend: null };
}

export function bimodal(seed: number): DelayModel {
  return drawn('bimodal', '92% take 2 ms, 8% 50 ms', seed, (share) => (share <= FAST_SHARE ? FAST : SLOW));
}

/**
 * Nothing is answered for 200 ms at the beginning of every 2 s; what arrives meanwhile is answered at the end, and
 * all else at once. Evenly arriving requests: a tenth waits, uniformly 0 .. 200 ms.
 */
export function stall(): DelayModel {
  return {
    name: 'stall',
    says: 'at once, but for 200 ms of every 2 s, in which all wait for its end',
    delay: (arrived) => Math.max(0, STALL - (arrived % EVERY)),
    quantile: (share) => Math.max(0, STALL - (1 - share) * EVERY),
    bend: 1 - STALL / EVERY,
  };
}

/** Pareto's law, P[delay > t] = (from / t)^2: from 3 ms up, and no longest one. */
export function slowTail(seed: number): DelayModel {
  return drawn(
    'tail',
    'Pareto, from 3 ms, exponent 2',
    seed,
    (share) => TAIL_FROM * (1 - share) ** (-1 / TAIL_EXPONENT),
  );
}

export const MODELS: Readonly<Record<string, (seed: number) => DelayModel>> = {
  constant,
  bimodal,
  stall,
  tail: slowTail,
};
