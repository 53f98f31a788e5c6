import type { OperationWorkload, Workload } from '../../scenario/workload.ts';

/** What the workers have to know of the monsters. */
export interface FluxWorkload {
  readonly monsters: number;
  readonly commandsPerPost: number;
  /** Posts a second, over all workers. */
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

/** What this system's own streams of random numbers are for, beside the load's (load/streams.ts): no number is in both. */
export const FLUX_STREAM = {
  /** When posts are due. */
  post: 3,
  /** What players say. */
  talk: 11,
  /** What posts hold, and which world server is next. */
  content: 21,
  turn: 22,
} as const;
