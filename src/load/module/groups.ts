import type { Context } from '../../player.d.ts';

interface GroupsOptions {
  /** Number of all players, and of those in a group. */
  readonly players: number;
  readonly group: number;
}

/** The groups of a worker's players that anybody asked for. */
export class Groups {
  private readonly plan: GroupsOptions;
  private readonly shared = new Map<number, Record<string, unknown>>();

  constructor(plan: GroupsOptions) {
    this.plan = plan;
  }

  /** The group of a player, by its number among all players. */
  of(player: number): Context['group'] {
    const { players, group } = this.plan;
    const index = Math.floor(player / group);
    const shared = this.shared.get(index) ?? {};
    this.shared.set(index, shared);
    return { index, size: Math.min(group, players - index * group), shared };
  }
}
