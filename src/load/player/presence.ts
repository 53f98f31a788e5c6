import { GOLDEN } from '../../rng.ts';
import type { Workload } from '../../scenario/workload.ts';

type PresencePlan = Pick<Workload, 'players' | 'connectsPerSecond' | 'timeline' | 'group'>;

/** The players of a worker, by their numbers within it. */
interface Attendance {
  join(player: number): void;
  retire(player: number): void;
}

/**
 * When each player of a worker is meant to be connected, where stages have fewer players than the load. Every player has a
 * rank, and a stage with n players has those whose rank is below n: who joins last leaves first. Ranks are the order of the
 * multiples of the golden ratio, so that the servers, which have consecutive players, always have nearly equal shares. From
 * one number to the next, one player joins or leaves in each 1/connectsPerSecond. So it is a function of the player's number
 * only, and the same for any number of workers.
 */
export class Presence {
  /** When the next player joins or leaves, microseconds after GO; Infinity when none is left. */
  due: number;
  /** By player of the worker: whether it is there before the first stage. */
  private readonly first: Uint8Array;
  /** By player: when it joins or leaves, in turn and ascending; the same object for all that never do. */
  private readonly changes: readonly (readonly number[])[];
  /** All of these times in order, with their players. */
  private readonly order: readonly (readonly [at: number, player: number])[];
  private next = 0;

  constructor({ players, connectsPerSecond, timeline, group = 1 }: PresencePlan, ids: ArrayLike<number>) {
    const { stages = [] } = timeline;
    const ranks = ranksOf(players, group);
    const atStart = stages[0]?.players?.before ?? players;
    this.first = new Uint8Array(ids.length);
    const changes: (readonly number[])[] = [];
    const order: (readonly [number, number])[] = [];
    for (let player = 0; player < ids.length; player++) {
      const rank = ranks[ids[player]!]!;
      this.first[player] = rank < atStart ? 1 : 0;
      const own: number[] = [];
      for (const { start, players: there } of stages) {
        if (there === undefined || rank < there.before === rank < there.at) continue;
        const turn = there.at > there.before ? rank - there.before : there.before - 1 - rank;
        const at = Math.round(start + ((turn + 0.5) / connectsPerSecond) * 1e6);
        own.push(at);
        order.push([at, player]);
      }
      changes.push(own.length === 0 ? NEVER : own);
    }
    this.changes = changes;
    this.order = order.sort(([a, one], [b, other]) => a - b || one - other);
    this.due = this.order[0]?.[0] ?? Number.POSITIVE_INFINITY;
  }

  /** Whether the player is there before the first stage. */
  isFirst(player: number): boolean {
    return this.first[player] === 1;
  }

  /** Whether the player is meant to be there at this time. HOT. */
  includes(player: number, time: number): boolean {
    const changes = this.changes[player]!;
    let isThere = this.first[player]!;
    for (let i = 0; i < changes.length && changes[i]! <= time; i++) isThere ^= 1;
    return isThere === 1;
  }

  /** Makes the players join and leave who are due by now. */
  send(now: number, players: Attendance): void {
    while (this.due <= now) {
      const player = this.order[this.next]![1];
      if (this.includes(player, this.due)) players.join(player);
      else players.retire(player);
      this.next += 1;
      this.due = this.order[this.next]?.[0] ?? Number.POSITIVE_INFINITY;
    }
  }

  stop(): void {
    this.due = Number.POSITIVE_INFINITY;
  }
}

const NEVER: readonly number[] = [];

/** Null where all players are there all the time. */
export const presenceOf = (plan: PresencePlan, ids: ArrayLike<number>): Presence | null =>
  plan.timeline.stages?.[0]?.players === undefined ? null : new Presence(plan, ids);

/** The rank of each player, from 0; those of a group follow one another. */
function ranksOf(players: number, group: number): Int32Array {
  const groups = Math.ceil(players / group);
  const fraction = Float64Array.from({ length: groups }, (_, one) => (one * GOLDEN) % 1);
  const order = Int32Array.from({ length: groups }, (_, one) => one);
  order.sort((a, b) => fraction[a]! - fraction[b]!);
  const ranks = new Int32Array(players);
  let rank = 0;
  for (const one of order) {
    const end = Math.min(players, (one + 1) * group);
    for (let player = one * group; player < end; player++) ranks[player] = rank++;
  }
  return ranks;
}
