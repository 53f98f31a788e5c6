import { MULBERRY_STEP, mulberry32, streamSeed } from '../rng.ts';
import type { Timeline, Workload } from '../scenario/workload.ts';
import { OperationalTime } from './operational-time.ts';
import { STREAM } from './streams.ts';

/**
 * When each operation is due, in integer microseconds after GO. HOT.
 *
 * Arrivals are jittered and exact in rate: of a stream with rate r, one arrival falls into each interval of
 * length 1/r of *operational time*, uniformly. So every window of a second holds r arrivals, give or take one.
 * Operational time runs at full speed after the ramp and proportionally slower within it; in a stage of the measure
 * phase as many times faster as the stage says (operational-time.ts).
 */

export const toMicros = (seconds: number): number => Math.round(seconds * 1e6);

/**
 * One stream of due times for each player of a worker, all at one rate, each seeded by (seed, player id, operation).
 * An operation's streams are the same whatever else the players do: what is due of it is exact, and nothing is drawn.
 */
export class PlayerPacer {
  private readonly rate: number;
  private readonly time: OperationalTime;
  private readonly end: number;
  private readonly state: Int32Array;
  /** Where the stream's intervals begin, as a share of one, so that players do not march in step. */
  private readonly phase: Float64Array;
  private readonly interval: Float64Array;

  /** `operation`: its index in the workload's. */
  constructor(seed: number, playerIds: ArrayLike<number>, rate: number, timeline: Timeline, operation = 0) {
    this.rate = rate;
    this.time = new OperationalTime(timeline);
    this.end = timeline.end;
    this.state = new Int32Array(playerIds.length);
    this.phase = new Float64Array(playerIds.length);
    this.interval = new Float64Array(playerIds.length);
    for (let i = 0; i < playerIds.length; i++) {
      const of = operation === 0 ? [playerIds[i]!] : [playerIds[i]!, operation];
      this.state[i] = streamSeed(seed, STREAM.arrival, ...of);
      this.phase[i] = mulberry32(streamSeed(seed, STREAM.phase, ...of));
    }
  }

  /** The next due time of the worker's i-th player; Infinity when none is left before the end. */
  next(i: number): number {
    if (this.rate <= 0) return Number.POSITIVE_INFINITY;
    for (;;) {
      const state = (this.state[i]! + MULBERRY_STEP) | 0;
      this.state[i] = state;
      const interval = this.interval[i]!;
      this.interval[i] = interval + 1;
      const tau = (interval + mulberry32(state) - this.phase[i]!) / this.rate;
      // The first interval began before GO: what falls there is never due.
      if (tau < 0) continue;
      const due = toMicros(this.time.wallAt(tau));
      return due < this.end ? due : Number.POSITIVE_INFINITY;
    }
  }
}

/** A player belongs to one worker. */
export const workerOfPlayer = (player: number, workers: number): number => player % workers;

/** How many operations are due to each player a second, of all that players do, at the level of the ramp's end. */
export const playerRate = ({ operations, players }: Pick<Workload, 'operations' | 'players'>): number =>
  players === 0
    ? 0
    : operations.reduce((sum, { actor, perSecond }) => sum + (actor === 'player' ? perSecond : 0), 0) /
      players;
