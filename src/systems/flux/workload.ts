import type { OperationWorkload, Workload } from '../../scenario/workload.ts';

/** The system's own part of the workload. */
export interface FluxWorkload {
  readonly monsters: number;
  readonly commandsPerPost: number;
  /** Posts a second over all workers. */
  readonly postRate: number;
}

export const fluxWorkload = ({ own }: Pick<Workload, 'own'>): FluxWorkload => own as FluxWorkload;

/** The table with a row for each entity. */
export const TABLE = 'entity';

/** Indexes in the workload's operations. */
export const [INTENT, MONSTER_COMMAND] = [0, 1];

/** One of a workload's operations. */
export const operationOf = ({ operations }: Pick<Workload, 'operations'>, index: number): OperationWorkload =>
  operations[index]!;

/** The system's own streams of random numbers; no number may be in load/streams.ts. */
export const FLUX_STREAM = {
  /** When posts are due. */
  post: 3,
  /** Intents of players. */
  talk: 11,
  /** Contents of posts, and the choice of world servers. */
  content: 21,
  turn: 22,
} as const;
