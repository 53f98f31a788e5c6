import type { Workload } from '../../scenario/workload.ts';

/** What a player says over a JSON WebSocket, so many times in `weight` of all. */
export interface JsonCommand {
  /** As the frame's `type`. */
  readonly type: string;
  /** As the frame's `command`. */
  readonly command: string;
  readonly weight: number;
}

/** What a player asks over HTTP, so many times in `weight` of all. */
export interface HttpRequest {
  readonly method: (typeof METHODS)[number];
  readonly path: string;
  readonly body?: string | undefined;
  readonly weight: number;
}

export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** JSON over WebSocket: `{type, command, id}`, and an answer that holds the same id. */
export interface JsonPlayers {
  readonly protocol: 'json';
  /** Of the WebSocket, behind the target's address. `{player}` is the player's number. */
  readonly path: string;
  readonly commands: readonly JsonCommand[];
  /** Where the id stands in an answer: a key, or keys with dots between them. */
  readonly idAt: string;
  /** An answer with anything but null, false or an empty text there is a rejection. */
  readonly errorAt: string;
}

/** Plain HTTP: 2xx is ok, 4xx rejected, anything else has failed. */
export interface HttpPlayers {
  readonly protocol: 'http';
  readonly requests: readonly HttpRequest[];
}

/** A module of the user's own. */
export interface ModulePlayers {
  readonly protocol: 'module';
  /** As the scenario names it: from its own folder on. */
  readonly module: string;
}

/** How the players of a scenario talk. */
export type Players = JsonPlayers | HttpPlayers | ModulePlayers;

/** What the workers have to know. */
export interface OwnWorkload {
  readonly playing: Players;
}

export const ownWorkload = ({ own }: Pick<Workload, 'own'>): OwnWorkload => own as OwnWorkload;

/** The text with the player's number in it. */
export const withPlayer = (text: string, player: number): string =>
  text.replaceAll('{player}', String(player));
