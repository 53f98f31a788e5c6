import { GOLDEN, mulberry32, streamSeed } from '../../rng.ts';
import type { ChurnWindow } from '../../scenario/stages.ts';
import type { Workload } from '../../scenario/workload.ts';
import type { WorkerSetup } from '../fleet/messages.ts';
import { numberInWorker, workerOfPlayer } from '../pacer.ts';
import { STREAM } from '../streams.ts';
import type { PlayerPool } from './player-pool.ts';

/**
 * When players leave: one seeded schedule for all players, at the rate of the window, of which a worker applies that of its
 * own players. As with arrivals, one player leaves in each interval of 1/rate, at a random time in it. Each player leaves once
 * before any leaves twice, so that players who are away are not asked to leave.
 */
export class Churn {
  /** When the next player leaves; Infinity when none is left. */
  due = Number.POSITIVE_INFINITY;
  private readonly workload: Pick<Workload, 'seed' | 'players' | 'group'>;
  private readonly share: Pick<WorkerSetup, 'worker' | 'workers'>;
  private readonly windows: readonly ChurnWindow[];
  private readonly offset: number;
  private readonly stride: number;
  private window = 0;
  /** Number of the departure within the window, and in total. */
  private number = -1;
  private total = -1;
  private player = 0;

  constructor(workload: Pick<Workload, 'seed' | 'players' | 'churn' | 'group'>, share: Churn['share']) {
    const { seed, players, churn = [] } = workload;
    this.workload = workload;
    this.share = share;
    this.windows = churn;
    this.offset = Math.floor(mulberry32(streamSeed(seed, STREAM.firstLeaver)) * players);
    this.stride = strideOf(players);
    if (players > 0) this.advance();
  }

  /** Makes the players leave who are due by now. */
  send(now: number, leaver: Pick<PlayerPool, 'leave'>): void {
    while (this.due <= now) {
      const away = this.windows[this.window]?.away ?? 0;
      leaver.leave(numberInWorker(this.player, this.share.workers, this.workload.group), away);
      this.advance();
    }
  }

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
      const jitter = mulberry32(streamSeed(this.workload.seed, STREAM.leave, this.window, this.number));
      const due = Math.round(window.from + ((this.number + jitter) / window.perSecond) * 1e6);
      if (due >= window.to) {
        this.window += 1;
        this.number = -1;
        continue;
      }
      this.total += 1;
      this.player = (this.offset + this.total * this.stride) % this.workload.players;
      if (workerOfPlayer(this.player, this.share.workers, this.workload.group) !== this.share.worker)
        continue;
      this.due = due;
      return;
    }
  }
}

/** A step, coprime to the number of players, that visits every player once, in an order that looks random. */
function strideOf(players: number): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  let stride = Math.max(1, Math.round(players * GOLDEN));
  while (divisor(stride, players) !== 1 && stride < 2 * players) stride += 1;
  return stride;
}
