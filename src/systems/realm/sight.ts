import { isInSight, isInside, type Spot } from './area.ts';
import type { Frame, Moved, Position } from './wire.ts';

/** The longest step of a command in each direction. Steps are multiples of 1/2. */
export const LONGEST_STEP = 2;

type Update = Extract<Frame, { readonly type: 'update' }>;

/** What an agent has been told of another one. */
interface Known extends Spot {
  /** The number of the command that brought it there; null where that was not said. */
  readonly seq: number | null;
  /** It was not said since that it went out of sight. */
  readonly isSeen: boolean;
}

/** What an agent knows of the others, and what it may be told next. */
export interface Sight {
  /** What is wrong with a snapshot; empty when nothing is. It is the first that is told over a connection. */
  snapshot(here: Spot, agents: readonly Position[]): readonly string[];
  /** What is wrong with an update; `here`: where the agent stands after the moves that it acknowledges. */
  update(here: Spot, update: Update): readonly string[];
}

/**
 * The sight of one agent over one connection. All agents are load of this run, so that it is known how far they go with a
 * command: whoever has gone farther than its numbers allow was moved by nobody. `isOther` says whether there may be such an
 * agent in the same world.
 */
export function openSight(isOther: (agent: number) => boolean): Sight {
  const known = new Map<number, Known>();
  let lastTick = 0;

  /** What is wrong with the place of an agent, whenever it is told of it. */
  const placeProblem = (here: Spot, agent: number, spot: Spot): string | null => {
    if (!isOther(agent)) return `agent ${agent} is none of the others of this world`;
    if (!isInside(spot)) return `agent ${agent} is outside of the world`;
    return isInSight(here, spot) ? null : `agent ${agent} is out of sight`;
  };
  const moveProblem = (here: Spot, [agent, x, z, seq]: Moved): string | null => {
    const problem = placeProblem(here, agent, { x, z });
    const before = known.get(agent);
    if (problem !== null || before === undefined || before.seq === null) return problem;
    const commands = seq - before.seq;
    // One that has come in again is told again, though it stands where it stood.
    if (commands < 0) return `agent ${agent} is where it was before`;
    const farthest = Math.max(Math.abs(x - before.x), Math.abs(z - before.z));
    return farthest <= LONGEST_STEP * commands
      ? null
      : `agent ${agent} went ${farthest} with ${commands} commands`;
  };

  return {
    snapshot(here, agents) {
      const problems = agents.flatMap(([agent, x, z]) => {
        const again = known.has(agent) ? `agent ${agent} is there twice` : null;
        const problem = again ?? placeProblem(here, agent, { x, z });
        known.set(agent, { x, z, seq: null, isSeen: true });
        return problem ?? [];
      });
      return problems;
    },
    update(here, { tick, acks, agents, gone }) {
      const problems: string[] = [];
      if (tick <= lastTick) problems.push(`tick ${tick} after tick ${lastTick}`);
      lastTick = Math.max(lastTick, tick);
      if (acks.length + agents.length + gone.length === 0) problems.push('an update of nothing');
      for (const moved of agents) {
        const problem = moveProblem(here, moved);
        if (problem !== null) problems.push(problem);
        const [agent, x, z, seq] = moved;
        known.set(agent, { x, z, seq, isSeen: true });
      }
      for (const agent of gone) {
        const before = known.get(agent);
        if (before?.isSeen === true) known.set(agent, { ...before, isSeen: false });
        else problems.push(`agent ${agent} is gone, and was not there`);
      }
      return problems;
    },
  };
}
