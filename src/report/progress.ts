/** What the progress line says; null is what is not known yet. */
export interface Progress {
  readonly phase: string;
  readonly elapsedSeconds: number;
  /** How long the run will take in all, about. */
  readonly expectedSeconds: number | null;
  readonly players: number | null;
  /** Acknowledged in the last second. */
  readonly operationsPerSecond: number | null;
  /** Of the first operation, answered in the last second, from due. */
  readonly p95Ms: number | null;
}

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');

/** One line, at most as wide as the terminal: phase, elapsed of about how much, players, operations a second, p95. */
export function progressLine(progress: Progress, columns: number): string {
  const { phase, elapsedSeconds, expectedSeconds, players, operationsPerSecond, p95Ms } = progress;
  const about = expectedSeconds === null ? '' : ` of about ${whole(expectedSeconds)} s`;
  const parts = [`${phase.padEnd(9)} ${whole(elapsedSeconds)} s${about}`];
  if (players !== null) parts.push(`${whole(players)} players`);
  if (operationsPerSecond !== null) parts.push(`${whole(operationsPerSecond)} operations/s`);
  if (p95Ms !== null) parts.push(`p95 ${p95Ms < 10 ? p95Ms.toFixed(1) : whole(p95Ms)} ms`);
  return parts.join('  ').slice(0, Math.max(10, columns - 1));
}
