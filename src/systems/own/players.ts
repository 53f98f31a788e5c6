import type { Workload } from '../../scenario/workload.ts';
import type { Players } from './players-schema.ts';

/** What the workers have to know. */
export interface OwnWorkload {
  readonly playing: Players;
}

export const ownWorkload = ({ own }: Pick<Workload, 'own'>): OwnWorkload => own as OwnWorkload;

/** The text with the player's number in it. */
export const withPlayer = (text: string, player: number): string =>
  text.replaceAll('{player}', String(player));
