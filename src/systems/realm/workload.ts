import type { Workload } from '../../scenario/workload.ts';

/** The system's own part of the workload. */
export interface RealmWorkload {
  /** Agents are told what has changed this often. */
  readonly updateSeconds: number;
  /** Each agent thinks this often. */
  readonly thinkSeconds: number;
  /** The relay is sent what has changed this often. */
  readonly syncSeconds: number;
  /** Of one agent; more are refused. */
  readonly commandsPerSecond: number;
}

export const realmWorkload = ({ own }: Pick<Workload, 'own'>): RealmWorkload => own as RealmWorkload;

/** The path of the agents' WebSocket; the agent's number is the query `agent`. */
export const PLAY_PATH = '/play';
/** What a world has in its memory, as JSON; needs the run's token. */
export const STATE_PATH = '/state';
/** The path of the relay's WebSocket. */
export const RELAY_PATH = '/';
