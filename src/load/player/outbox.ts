import { INTENT, OUTCOME, type Outcome } from '../recorder.ts';
import type { Connection } from './connection.ts';
import type { CrowdPlan, CrowdTools } from './crowd-plan.ts';
import type { Departures } from './departures.ts';
import { Waiting } from './slots.ts';
import { Unanswered } from './unanswered.ts';

/** Over what the rate fills while an operation may wait. */
const WAITING_SPARE = 4;

/**
 * What the players of a worker have to send: what waits for a slot or a connection, and what is sent and unanswered.
 * HOT.
 */
export class Outbox {
  bytesOut = 0;
  readonly unanswered: Unanswered;
  private readonly plan: CrowdPlan;
  private readonly tools: CrowdTools;
  /** By player, as the crowd holds them. */
  private readonly connections: readonly (Connection | null)[];
  private readonly departures: Departures;
  private readonly waiting: Waiting;
  /** Last sequence number used. */
  private readonly sequence: Float64Array;
  /** Whose waiting operations are being sent: what is answered meanwhile must not begin that again. */
  private pumping = -1;

  constructor(
    plan: CrowdPlan,
    tools: CrowdTools,
    connections: readonly (Connection | null)[],
    departures: Departures,
  ) {
    const players = plan.ids.length;
    this.plan = plan;
    this.tools = tools;
    this.connections = connections;
    this.departures = departures;
    this.unanswered = new Unanswered(plan.ids, plan.outstanding, plan.timeout, tools);
    const waiting = Math.ceil((plan.intentRate * plan.skipAfter) / 1e6) + WAITING_SPARE;
    this.waiting = new Waiting(players, waiting);
    this.sequence = new Float64Array(players);
  }

  /** Nothing waits or is unanswered. */
  get isEmpty(): boolean {
    return this.unanswered.total === 0 && this.waiting.total === 0;
  }

  /** The last number that a player has used. */
  lastOf(player: number): number {
    return this.sequence[player]!;
  }

  /** The player goes on with the number after this one. */
  goOnAfter(player: number, last: number): void {
    this.sequence[player] = last;
  }

  /** An operation has come due, of a player that is not lost; true when it was sent. */
  offer(player: number, due: number, now: number): boolean {
    const { waiting, unanswered } = this;
    const { recorder } = this.tools;
    const able = waiting.of(player) === 0 && this.isAble(player);
    if (now - due > this.plan.skipAfter) {
      if (able) recorder.ownLag(INTENT, 1, due, now - unanswered.sendable(player, due));
      recorder.settle(INTENT, OUTCOME.skipped, 1, due, due, now);
      return false;
    }
    if (able) {
      this.send(player, due);
      return true;
    }
    if (waiting.isFull(player)) this.pump(player, now);
    if (waiting.isFull(player)) recorder.settle(INTENT, OUTCOME.skipped, 1, due, due, now);
    else waiting.push(player, due);
    return false;
  }

  /** The player is connected again: on with what waits. */
  resume(player: number, now: number): void {
    this.unanswered.able(player, now);
    this.pump(player, now);
  }

  /** Something was answered: slots may be free. */
  freed(player: number, now: number): void {
    if (this.waiting.of(player) > 0 && this.pumping !== player) this.pump(player, now);
  }

  /** Times out what is unanswered for too long, skips what waits for too long. */
  sweep(player: number, now: number): void {
    this.unanswered.expire(player, now);
    if (this.waiting.of(player) > 0) this.pump(player, now);
  }

  /** Ends all that the player has waiting. */
  settleWaiting(player: number, outcome: Outcome, now: number): void {
    while (this.waiting.of(player) > 0) {
      const due = this.waiting.shift(player);
      this.tools.recorder.settle(INTENT, outcome, 1, due, due, now);
    }
  }

  /** A slot is free, and a connection is there. */
  private isAble(player: number): boolean {
    if (this.unanswered.isFull(player)) return false;
    if (this.departures.isLeaving(player)) return false;
    // Without a way back, what meets a connection that is just ending fails at once.
    return this.departures.comeback === null || this.connections[player]?.isOpen === true;
  }

  /** Sends what waits as far as there are slots; skips what is too late. */
  private pump(player: number, now: number): void {
    const { waiting, tools, plan, pumping } = this;
    this.pumping = player;
    while (waiting.of(player) > 0) {
      if (now - waiting.first(player) > plan.skipAfter) {
        const due = waiting.shift(player);
        tools.recorder.settle(INTENT, OUTCOME.skipped, 1, due, due, now);
      } else if (!this.isAble(player)) {
        break;
      } else {
        this.send(player, waiting.shift(player));
      }
    }
    this.pumping = pumping;
  }

  private send(player: number, due: number): void {
    const { recorder, ledger, now } = this.tools;
    const connection = this.connections[player];
    const sent = now();
    if (!connection?.isOpen) {
      // The end of the connection is known to itself, and its event is on the way.
      recorder.settle(INTENT, OUTCOME.failedUnsent, 1, due, due, sent);
      return;
    }
    const sequence = this.sequence[player]! + 1;
    this.sequence[player] = sequence;
    recorder.ownLag(INTENT, 1, due, this.unanswered.take(player, sequence, due, sent));
    ledger.sent(this.plan.ids[player]!, sequence);
    // What it may tell meanwhile is added as well: the sum is taken afterwards.
    const bytes = connection.send(sequence, due);
    this.bytesOut += bytes;
  }
}
