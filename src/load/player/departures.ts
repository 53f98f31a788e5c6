import type { Comeback } from './crowd-plan.ts';

const NONE: readonly number[] = [];

/**
 * Who of a worker's players is about to leave, who is away, and what was unanswered when a connection ended. As long as
 * nobody is about to leave, no operation has to do with it.
 */
export class Departures {
  /** Null: who is lost stays lost, and nobody leaves. */
  comeback: Comeback | null = null;
  /** Players who left by themselves, and who joined again. */
  leaves = 0;
  joins = 0;
  /** Players who connected again after their connection had ended. */
  reconnects = 0;
  /** Who leaves once nothing is unanswered, and for how long. */
  private readonly leaving = new Map<number, number>();
  private readonly away = new Set<number>();
  /** What was unanswered when its connection ended, by player. */
  private readonly unanswered = new Map<number, readonly number[]>();

  /** Somebody is about to leave. */
  get isPending(): boolean {
    return this.leaving.size > 0;
  }

  isLeaving(player: number): boolean {
    return this.leaving.size > 0 && this.leaving.has(player);
  }

  /** It is to leave, and to join again after `away` microseconds. */
  ask(player: number, away: number): void {
    this.leaving.set(player, away);
  }

  /** It leaves now, with so much unanswered: late answers may still be under way. Says how long it is away. */
  leave(player: number, unanswered: readonly number[]): number {
    const away = this.leaving.get(player) ?? 0;
    this.leaving.delete(player);
    this.leaves += 1;
    this.away.add(player);
    this.unanswered.set(player, unanswered);
    return away;
  }

  /** Its connection has ended: it has no time to leave any more. */
  lose(player: number, unanswered: readonly number[]): void {
    this.leaving.delete(player);
    this.unanswered.set(player, unanswered);
  }

  /** It is connected again. Says what was unanswered when its last connection ended. */
  back(player: number): readonly number[] {
    if (this.away.delete(player)) this.joins += 1;
    else this.reconnects += 1;
    const unanswered = this.unanswered.get(player) ?? NONE;
    this.unanswered.delete(player);
    return unanswered;
  }
}
