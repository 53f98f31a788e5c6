/**
 * What each stream of random numbers is for: the first coordinate of its seed (rng.ts), and no two streams have the same;
 * those of a system's own have other numbers. The k6 script has a copy of those that it needs, and its tests compare what
 * is drawn.
 */
export const STREAM = {
  /** When operations are due (pacer.ts). */
  arrival: 1,
  phase: 2,
  /** How long who lost a connection waits; and whose is cut. */
  reconnect: 31,
  cut: 32,
  /** What the draw of a planned fault or storm is seeded with. */
  drops: 33,
  /** What players of a scenario's own draw. */
  choice: 41,
  /** When players leave, and with whom the turns begin. */
  leave: 51,
  firstLeaver: 52,
} as const;
