import type { Workload } from '../../scenario/workload.ts';
import type { Players } from './players-schema.ts';

/** The system's own part of the workload. */
export interface OwnWorkload {
  readonly playing: Players;
}

export const ownWorkload = ({ own }: Pick<Workload, 'own'>): OwnWorkload => own as OwnWorkload;

/** Replaces {player} by the player's number. */
export const withPlayer = (text: string, player: number): string =>
  text.replaceAll('{player}', String(player));
