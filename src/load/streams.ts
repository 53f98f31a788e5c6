/**
 * The purpose of each stream of random numbers: the first coordinate of its seed (rng.ts), different for every stream;
 * those of a system's own have other numbers. The k6 script has a copy of those that it needs, and its tests compare what
 * is drawn.
 */
export const STREAM = {
  /** When operations are due (pacer.ts). */
  arrival: 1,
  phase: 2,
  /** Jitter of the backoff; and whose connection is cut. */
  reconnect: 31,
  cut: 32,
  /** The seed of a planned fault's or storm's draw. */
  drops: 33,
  /** Weighted choices of a scenario's own players. */
  choice: 41,
  /** When players leave, and which player is the first. */
  leave: 51,
  firstLeaver: 52,
} as const;
