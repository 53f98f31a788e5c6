import { isInSight } from '../area.ts';
import type { Moved, Position } from '../wire.ts';
import type { Agent } from './agent.ts';

/** Who sees whom: everybody within the radius, or (`interest: off`) everybody. */
export class Sight {
  readonly #interest: boolean;
  /** Agents in the world, by number. */
  readonly #present = new Map<number, Agent>();
  /** Agents that came, moved or left since the last update. */
  readonly #changed = new Set<Agent>();

  constructor(interest: boolean) {
    this.#interest = interest;
  }

  get size(): number {
    return this.#present.size;
  }

  present(): Iterable<Agent> {
    return this.#present.values();
  }

  came(agent: Agent): void {
    this.#present.set(agent.id, agent);
    this.#changed.add(agent);
  }

  moved(agent: Agent): void {
    this.#changed.add(agent);
  }

  left(agent: Agent): void {
    this.#present.delete(agent.id);
    this.#changed.add(agent);
  }

  /** What an agent sees as it comes in. */
  snapshot(viewer: Agent): readonly Position[] {
    const seen = [...this.#present.values()].filter((other) => this.#isSeen(viewer, other));
    for (const { id } of seen) viewer.client?.sees.add(id);
    return seen.map(({ id, x, z }): Position => [id, x, z]);
  }

  /** What has changed for an agent since the last update. */
  changes(viewer: Agent): { readonly agents: readonly Moved[]; readonly gone: readonly number[] } {
    const agents: Moved[] = [];
    const gone: number[] = [];
    const { client } = viewer;
    if (client === null) return { agents, gone };
    // Whoever moved may have come near others that did not.
    const asked = this.#changed.has(viewer)
      ? new Set([...this.#changed, ...this.#present.values()])
      : this.#changed;
    for (const other of asked) {
      const { id, x, z } = other;
      if (this.#isSeen(viewer, other)) {
        if (client.sees.has(id) && !this.#changed.has(other)) continue;
        client.sees.add(id);
        agents.push([id, x, z, other.state.moved]);
      } else if (client.sees.delete(id)) gone.push(id);
    }
    return { agents, gone };
  }

  /** Every agent has its update. */
  updated(): void {
    this.#changed.clear();
  }

  #isSeen(viewer: Agent, other: Agent): boolean {
    if (viewer === other || other.client === null) return false;
    return !this.#interest || isInSight(viewer, other);
  }
}
