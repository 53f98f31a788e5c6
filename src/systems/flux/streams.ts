/** What this system's own streams of random numbers are for, beside the load's (load/streams.ts): no number is in both. */
export const FLUX_STREAM = {
  /** When posts are due. */
  post: 3,
  /** What players say. */
  talk: 11,
  /** What posts hold, and which world server is next. */
  content: 21,
  turn: 22,
} as const;
