import { ratePieces } from '../scenario/stages.ts';
import type { Timeline } from '../scenario/workload.ts';

/**
 * The wall time at which `tau` operational seconds have passed, under a linear ramp of `ramp` seconds:
 * tau(t) = t^2 / 2R for t < R, and t - R/2 afterwards; this is the inverse.
 */
export function afterRamp(tau: number, ramp: number): number {
  return tau < ramp / 2 ? Math.sqrt(2 * ramp * tau) : tau + ramp / 2;
}

/**
 * Operational time (a term of point processes): time in which the load has a constant rate. Within a stage it runs faster by
 * the stage's rate, and where the rate changes linearly, so does its speed. So it is piecewise linear or quadratic in wall
 * time, and its inverse is exact. HOT: nothing is allocated.
 */
export class OperationalTime {
  private readonly ramp: number;
  /** The rate until the first stage. */
  private readonly before: number;
  /** Start of the first stage, in operational seconds; Infinity without stages. */
  private readonly staged: number;
  /** By piece, in seconds: its start in operational and wall time, its rate there, and the growth of the rate per second. */
  private readonly tau: Float64Array;
  private readonly wall: Float64Array;
  private readonly rate: Float64Array;
  private readonly slope: Float64Array;
  private readonly end: number;

  /** `players`: of the load, for a stream whose rate follows the players that are there; absent: a player's own. */
  constructor({ rampEnd, measureStart, stages = [] }: Timeline, players?: number) {
    this.ramp = rampEnd / 1e6;
    const there = players === undefined ? undefined : stages[0]?.players?.before;
    this.before = there === undefined ? 1 : there / (players ?? 1);
    const pieces: { tau: number; wall: number; rate: number; slope: number }[] = [];
    let tau = this.before * (measureStart / 1e6 - this.ramp / 2);
    this.staged = stages.length === 0 ? Number.POSITIVE_INFINITY : tau;
    for (const { from, to, before, after } of stages.flatMap((stage) => ratePieces(stage, players))) {
      const span = (to - from) / 1e6;
      pieces.push({ tau, wall: from / 1e6, rate: before, slope: (after - before) / span });
      tau += ((before + after) / 2) * span;
    }
    this.end = tau;
    this.tau = Float64Array.from(pieces, (piece) => piece.tau);
    this.wall = Float64Array.from(pieces, (piece) => piece.wall);
    this.rate = Float64Array.from(pieces, (piece) => piece.rate);
    this.slope = Float64Array.from(pieces, (piece) => piece.slope);
  }

  /** Seconds after GO at which `tau` operational seconds have passed; Infinity when they never do. */
  wallAt(tau: number): number {
    if (tau < this.staged) return afterRamp(tau / this.before, this.ramp);
    if (tau >= this.end) return Number.POSITIVE_INFINITY;
    // Pieces with rate 0 take no operational time, so the search skips them.
    let [low, high] = [0, this.tau.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.tau[middle]! <= tau) low = middle;
      else high = middle;
    }
    const rest = tau - this.tau[low]!;
    const rate = this.rate[low]!;
    // rest = rate x + slope/2 x^2, solved in the form without cancellation for small slopes.
    const root = Math.sqrt(Math.max(0, rate * rate + 2 * this.slope[low]! * rest));
    return rest === 0 ? this.wall[low]! : this.wall[low]! + (2 * rest) / (rate + root);
  }
}
