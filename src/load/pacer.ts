import { MULBERRY_STEP, mulberry32, streamSeed } from '../rng.ts';
import type { Timeline, Workload } from '../scenario/workload.ts';
import { OperationalTime } from './operational-time.ts';
import { STREAM } from './streams.ts';

/**
 * When each operation is due, in integer microseconds after GO. HOT.
 *
 * Arrivals are jittered and exact in rate: in a stream with rate r, one arrival falls uniformly into each interval of length
 * 1/r of operational time (operational-time.ts). So every second has r arrivals, plus or minus one. Operational time runs at
 * normal speed after the ramp, proportionally slower within it, and faster by the rate of a stage.
 */

export const toMicros = (seconds: number): number => Math.round(seconds * 1e6);

/** Whether the worker's i-th player is meant to be there at a time, microseconds after GO. */
interface WhenPresent {
  includes(i: number, time: number): boolean;
}

/**
 * One stream of due times for each player of a worker, all at one rate, each seeded by (seed, player id, operation). So an
 * operation's due times do not depend on the other operations.
 */
export class PlayerPacer {
  private readonly rate: number;
  private readonly time: OperationalTime;
  private readonly end: number;
  private readonly state: Int32Array;
  /** Phase of each stream's intervals, from 0 to 1, so that players are not synchronised. */
  private readonly phase: Float64Array;
  private readonly interval: Float64Array;
  private readonly presence: WhenPresent | null;

  /** `operation`: the index in the workload's operations. `presence`: null where all players are there all the time. */
  constructor(
    seed: number,
    playerIds: ArrayLike<number>,
    rate: number,
    timeline: Timeline,
    operation = 0,
    presence: WhenPresent | null = null,
  ) {
    this.presence = presence;
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
      // The first interval starts before GO; arrivals before GO do not count.
      if (tau < 0) continue;
      const due = toMicros(this.time.wallAt(tau));
      if (due >= this.end) return Number.POSITIVE_INFINITY;
      // What falls into the absence of a player is due for nobody.
      if (this.presence === null || this.presence.includes(i, due)) return due;
    }
  }
}

/** The worker of a player: groups of consecutive players take turns. */
export const workerOfPlayer = (player: number, workers: number, group = 1): number =>
  Math.floor(player / group) % workers;

/** The player's number within its worker, where numbers ascend as the players' own do. */
export const numberInWorker = (player: number, workers: number, group = 1): number =>
  Math.floor(Math.floor(player / group) / workers) * group + (player % group);

/** The rate of all operations of one player, at the end of the ramp. */
export const playerRate = ({ operations, players }: Pick<Workload, 'operations' | 'players'>): number =>
  players === 0
    ? 0
    : operations.reduce((sum, { actor, perSecond }) => sum + (actor === 'player' ? perSecond : 0), 0) /
      players;
