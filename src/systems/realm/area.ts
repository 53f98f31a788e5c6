/** The plain on which agents stand, and what they see of it. Lengths have no unit in the document. */

/** It goes from 0 to SIZE in both directions, edges included. */
export const SIZE = 100;
/** An agent sees the others that stand at most so far from it. */
export const RADIUS = 40;

/** Where somebody stands. */
export interface Spot {
  readonly x: number;
  readonly z: number;
}

export const isSame = (one: Spot, other: Spot): boolean => one.x === other.x && one.z === other.z;

export const isInside = ({ x, z }: Spot): boolean => x >= 0 && x <= SIZE && z >= 0 && z <= SIZE;

export const isInSight = (one: Spot, other: Spot): boolean =>
  (one.x - other.x) ** 2 + (one.z - other.z) ** 2 <= RADIUS ** 2;

/** So many agents have a start of their own. */
export const MOST_AGENTS = SIZE * SIZE;
/** It has no factor in common with MOST_AGENTS, so that each agent is dealt another spot, far from the one before. */
const STRIDE = 3_571;

/** Where an agent stands before it has moved: each at another spot, spread over the plain. */
export function startOf(agent: number): Spot {
  const index = (agent * STRIDE) % MOST_AGENTS;
  return { x: index % SIZE, z: Math.floor(index / SIZE) };
}
