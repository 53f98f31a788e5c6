import type { Workload } from '../../scenario/workload.ts';

/** The system's own part of the workload. */
export interface MudWorkload {
  /** Number of rooms. */
  readonly rooms: number;
  /** States are saved to PostgreSQL this often. */
  readonly saveSeconds: number;
}

export const mudWorkload = ({ own }: Pick<Workload, 'own'>): MudWorkload => own as MudWorkload;

/** The table with a row for each player. */
export const TABLE = 'game';

/** The path of the players' WebSocket; the player's number is the query `player`. */
export const PLAY_PATH = '/play';
