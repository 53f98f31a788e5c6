import type { Workload } from '../../scenario/workload.ts';

/** The system's own part of the workload. */
export interface RealmWorkload {
  /** The relay is sent what has changed this often. */
  readonly syncSeconds: number;
  /** It is known which agents are in one world; a proxy in front of several decides that by itself. */
  readonly isDealt: boolean;
}

export const realmWorkload = ({ own }: Pick<Workload, 'own'>): RealmWorkload => own as RealmWorkload;

/** The path of the agents' WebSocket; the agent's number is the query `agent`. */
export const PLAY_PATH = '/play';
/** What a world has in its memory, as JSON; needs the run's token. */
export const STATE_PATH = '/state';
/** The path of the relay's WebSocket. */
export const RELAY_PATH = '/';
