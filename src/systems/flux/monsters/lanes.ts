import type { Range } from '../../../load/fleet/messages.ts';
import { GOLDEN, MULBERRY_STEP, mulberry32, streamSeed } from '../../../rng.ts';
import { FLUX_STREAM } from '../workload.ts';

/**
 * Monsters are partitioned into lanes: lane = monster index mod LANES. Each lane belongs to one worker, so that a monster's
 * commands come from one worker in sequence, with any number of workers.
 */
export const LANES = 8;

/** Number of lanes; fewer if there are fewer monsters. */
export const lanesOf = (monsters: number): number => Math.min(LANES, monsters);

/** The worker of a lane. */
export const workerOfLane = (lane: number, workers: number): number => lane % workers;

const MOVES = ['go north', 'go east', 'go south', 'go west'] as const;
/** The commands of monsters. Moves are often rejected, since the generator does not know where walls are. */
export const MONSTER_TEXTS = [...MOVES, 'guard', ...MOVES, 'look'] as const;

/**
 * Draws the contents of each lane's posts. The commands of a post are for monsters of one lane and one world server. Servers
 * are chosen in proportion to their monsters, and monsters uniformly. Each lane has its own random streams, so its posts do
 * not depend on the number of workers. HOT.
 */
export class Lanes {
  readonly count: number;
  private readonly servers: number;
  private readonly state: Int32Array;
  private readonly turn: Float64Array;
  /** By lane and server: the first monster, and their number. */
  private readonly first: Int32Array;
  private readonly size: Int32Array;

  constructor(seed: number, monsters: number, ranges: readonly Range[]) {
    this.count = lanesOf(monsters);
    this.servers = ranges.length;
    this.state = new Int32Array(this.count);
    this.turn = new Float64Array(this.count);
    this.first = new Int32Array(this.count * this.servers);
    this.size = new Int32Array(this.count * this.servers);
    for (let lane = 0; lane < this.count; lane++) {
      this.state[lane] = streamSeed(seed, FLUX_STREAM.content, lane);
      this.turn[lane] = mulberry32(streamSeed(seed, FLUX_STREAM.turn, lane));
      for (const [server, { from, to }] of ranges.entries()) {
        const first = from + ((lane - (from % this.count) + this.count) % this.count);
        this.first[lane * this.servers + server] = first;
        this.size[lane * this.servers + server] = Math.max(0, Math.ceil((to - first) / this.count));
      }
    }
  }

  /** The server of the lane's next post. */
  nextServer(lane: number): number {
    const turn = (this.turn[lane]! + GOLDEN) % 1;
    this.turn[lane] = turn;
    const row = lane * this.servers;
    let total = 0;
    for (let server = 0; server < this.servers; server++) total += this.size[row + server]!;
    let left = turn * total;
    let server = 0;
    while (server < this.servers - 1 && left >= this.size[row + server]!) {
      left -= this.size[row + server]!;
      server += 1;
    }
    return server;
  }

  /** Draws a post's monsters (by index) and texts (by index in MONSTER_TEXTS) into `n` places from `at`. */
  draw(lane: number, server: number, n: number, monsters: Int32Array, texts: Uint8Array, at: number): void {
    const first = this.first[lane * this.servers + server]!;
    const size = this.size[lane * this.servers + server]!;
    let state = this.state[lane]!;
    for (let k = at; k < at + n; k++) {
      state = (state + MULBERRY_STEP) | 0;
      monsters[k] = first + this.count * Math.floor(mulberry32(state) * size);
      state = (state + MULBERRY_STEP) | 0;
      texts[k] = Math.floor(mulberry32(state) * MONSTER_TEXTS.length);
    }
    this.state[lane] = state;
  }
}
