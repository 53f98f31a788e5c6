import type { PlayerPacer } from '../pacer.ts';
import { INTENT } from '../recorder.ts';
import type { ScheduleHash } from '../schedule-hash.ts';
import { WakeHeap } from '../wake-heap.ts';

/** What the players of one worker are to do, in the order of the due times; players are numbered 0 .. n-1. HOT. */
export class Agenda {
  private readonly ids: Int32Array;
  private readonly pacer: PlayerPacer;
  private readonly hash: ScheduleHash;
  private readonly wakes: WakeHeap;
  /** Operations that have come due, by player. */
  private readonly planned: Uint32Array;

  constructor(ids: Int32Array, pacer: PlayerPacer, hash: ScheduleHash) {
    this.ids = ids;
    this.pacer = pacer;
    this.hash = hash;
    this.wakes = new WakeHeap(ids.length);
    this.planned = new Uint32Array(ids.length);
  }

  /** Draws everybody's first due time. */
  start(): void {
    for (let player = 0; player < this.ids.length; player++) {
      const due = this.pacer.next(player);
      if (due !== Number.POSITIVE_INFINITY) this.wakes.push(player, due);
    }
  }

  /** Of the next operation; Infinity when none is left. */
  get due(): number {
    return this.wakes.topKey;
  }

  /** Whose operation is next. */
  get player(): number {
    return this.wakes.topId;
  }

  /** The next operation has come due, and is hashed. False when it was its player's last. */
  advance(): boolean {
    const { wakes } = this;
    const player = wakes.topId;
    this.planned[player]! += 1;
    this.hash.add(INTENT, this.ids[player]!, this.planned[player]!, wakes.topKey);
    const next = this.pacer.next(player);
    wakes.replaceTop(next);
    return next !== Number.POSITIVE_INFINITY;
  }

  /** Hashes what was planned and never came due; at most `most` operations. True when nothing is left. */
  hashRest(most: number): boolean {
    for (let n = 0; n < most && this.wakes.size > 0; n++) this.advance();
    return this.wakes.size === 0;
  }
}
