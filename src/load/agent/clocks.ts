/** A question for the time of another host, in microseconds: of this clock, of the other one, and of this one. */
export interface Exchange {
  readonly asked: number;
  readonly at: number;
  readonly answered: number;
}

/** How another host's monotonic clock stands to this one's, in microseconds. */
export interface ClockReading {
  /** The other clock minus this one. */
  readonly offset: number;
  /** The offset is at most so far from the true one, whatever way the time of the round trip was divided: half of it. */
  readonly uncertainty: number;
  readonly roundTrip: number;
}

/** Of the fastest exchange: the others waited somewhere, and nobody knows on which way. Null without any. */
export function readingOf(exchanges: readonly Exchange[]): ClockReading | null {
  let best: ClockReading | null = null;
  for (const { asked, at, answered } of exchanges) {
    const roundTrip = answered - asked;
    if (best !== null && roundTrip >= best.roundTrip) continue;
    best = { offset: at - (asked + answered) / 2, uncertainty: roundTrip / 2, roundTrip };
  }
  return best;
}

/** What a run knows of the clock of an agent, in milliseconds. */
export interface ClockFacts {
  /** The agent's monotonic clock minus this host's, before GO. Each counts from the start of its machine. */
  readonly clockOffsetMs: number;
  /** Most by which an instant of the agent can be off at the end of the run: the larger of both readings, and the drift. */
  readonly clockUncertaintyMs: number;
  /** Of the offset, from before GO to after the run; null where it was not read again. */
  readonly driftMs: number | null;
  readonly roundTripMs: number;
}

export function clockFacts(before: ClockReading, after: ClockReading | null): ClockFacts {
  const drift = after === null ? null : after.offset - before.offset;
  const uncertainty = Math.max(before.uncertainty, after?.uncertainty ?? 0);
  return {
    clockOffsetMs: before.offset / 1e3,
    clockUncertaintyMs: (uncertainty + Math.abs(drift ?? 0)) / 1e3,
    driftMs: drift === null ? null : drift / 1e3,
    roundTripMs: Math.max(before.roundTrip, after?.roundTrip ?? 0) / 1e3,
  };
}
