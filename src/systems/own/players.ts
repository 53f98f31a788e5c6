import { LARGEST_FRAME } from '../../load/frame-bytes.ts';
import type { Workload } from '../../scenario/workload.ts';
import { parseBytes } from '../../units.ts';
import type { Players, SocketPlayers } from './players-schema.ts';

/** The system's own part of the workload. */
export interface OwnWorkload {
  readonly playing: Players;
}

export const ownWorkload = ({ own }: Pick<Workload, 'own'>): OwnWorkload => own as OwnWorkload;

/** The longest message that players accept, in bytes. */
export const largestFrameOf = ({ largestFrame }: SocketPlayers): number =>
  (largestFrame === undefined ? undefined : parseBytes(largestFrame)) ?? LARGEST_FRAME;
