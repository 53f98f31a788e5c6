import type { Workload } from '../../scenario/workload.ts';

/** When a trade is acknowledged: once it is committed, or before; `torn`: the item is copied, not moved. */
export type Trade = 'committed' | 'early' | 'torn';

/** The system's own part of the workload: what its players need. */
export interface MasslessWorkload {
  readonly zones: number;
  readonly servers: number;
  /** Side of a zone, in units. */
  readonly zoneSize: number;
  readonly itemsPerCharacter: number;
  /** One player in so many decodes the state. */
  readonly decodesOneOf: number;
  /** Ticks of a zone per second. */
  readonly tickRate: number;
  /** Places are saved this often. */
  readonly saveSeconds: number;
}

export const masslessWorkload = ({ own }: Pick<Workload, 'own'>): MasslessWorkload => own as MasslessWorkload;

/** Kinds of operations, in the order of the system's operations. */
export const KINDS = ['input', 'trade', 'zone'] as const;
export type Kind = (typeof KINDS)[number];

/** The system's own streams of random numbers; no number may be in load/streams.ts. */
export const MASSLESS_STREAM = {
  /** Steps. */
  step: 71,
  /** Which item goes to whom. */
  trade: 72,
  /** Which zone is next. */
  zone: 73,
} as const;
