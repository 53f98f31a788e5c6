import { GOLDEN, mulberry32, streamSeed } from '../../rng.ts';
import type { ChurnWindow } from '../../scenario/stage-timeline.ts';
import { workerOfPlayer } from '../pacer.ts';
import { STREAM } from '../streams.ts';

/** Who is told to leave. */
export interface Leaver {
  /** The worker's i-th player goes, and joins again after `away` microseconds. */
  leave(player: number, away: number): void;
}

/**
 * When players leave: one seeded schedule for all of them, so many a second as a window says, of which a worker
 * keeps its own players. As with arrivals, one leaves in each interval of 1/rate, somewhere in it. They take
 * turns: each of them leaves once before one leaves twice, so that nobody is asked to leave who is away, as long as
 * no more are away than there are.
 */
export class Churn {
  /** Of the next one; Infinity when none is left. */
  due = Number.POSITIVE_INFINITY;
  private readonly seed: number;
  private readonly windows: readonly ChurnWindow[];
  private readonly players: number;
  private readonly worker: number;
  private readonly workers: number;
  private readonly offset: number;
  private readonly stride: number;
  private window = 0;
  /** Within the window, and over all. */
  private number = -1;
  private total = -1;
  private player = 0;

  constructor(
    seed: number,
    windows: readonly ChurnWindow[],
    players: number,
    worker: number,
    workers: number,
  ) {
    this.seed = seed;
    this.windows = windows;
    this.players = players;
    this.worker = worker;
    this.workers = workers;
    this.offset = Math.floor(mulberry32(streamSeed(seed, STREAM.firstLeaver)) * players);
    this.stride = strideOf(players);
    if (players > 0) this.advance();
  }

  /** Everybody leaves who is to by now. */
  send(now: number, leaver: Leaver): void {
    while (this.due <= now) {
      const away = this.windows[this.window]?.away ?? 0;
      leaver.leave(Math.floor(this.player / this.workers), away);
      this.advance();
    }
  }

  /** Nobody leaves from now on. */
  stop(): void {
    this.due = Number.POSITIVE_INFINITY;
    this.window = this.windows.length;
  }

  private advance(): void {
    for (;;) {
      const window = this.windows[this.window];
      if (window === undefined) {
        this.due = Number.POSITIVE_INFINITY;
        return;
      }
      this.number += 1;
      const jitter = mulberry32(streamSeed(this.seed, STREAM.leave, this.window, this.number));
      const due = Math.round(window.from + ((this.number + jitter) / window.perSecond) * 1e6);
      if (due >= window.to) {
        this.window += 1;
        this.number = -1;
        continue;
      }
      this.total += 1;
      this.player = (this.offset + this.total * this.stride) % this.players;
      if (workerOfPlayer(this.player, this.workers) !== this.worker) continue;
      this.due = due;
      return;
    }
  }
}

/** A step that leads to every player once before it comes back, and far from the one before. */
function strideOf(players: number): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  let stride = Math.max(1, Math.round(players * GOLDEN));
  while (divisor(stride, players) !== 1 && stride < 2 * players) stride += 1;
  return stride;
}
