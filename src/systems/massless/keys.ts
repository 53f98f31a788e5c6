/** Keys of Redis. Beside them Colyseus keeps its own: `roomcaches`, `roomcount`, and channels. */

/** The session of a player: JSON {token, zone, server}; expires after `SESSION_SECONDS`, and is written again meanwhile. */
export const sessionKey = (player: number): string => `session:${player}`;
export const SESSION_SECONDS = 60;

/** A sorted set: by player's number as text, how many trades it has given and taken. Rebuilt from PostgreSQL. */
export const LEADERBOARD = 'leaderboard';

/**
 * A stream in which a server (from 1) adds an entry `at` with its own time in milliseconds every `WRITES_EVERY_MS`: what Redis lost is seen
 * as the end of what is left of it. The latest `WRITES_KEPT`, about.
 */
export const writesKey = (server: number): string => `writes:${server}`;
export const WRITES_EVERY_MS = 100;
export const WRITES_KEPT = 10_000;

/** The id of the Colyseus process of a server (from 1). */
export const processKey = (server: number): string => `process:${server}`;
