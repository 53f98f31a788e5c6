/** The percentiles of the table. */
export const PERCENTS = [50, 90, 95, 99] as const;
export type Percent = (typeof PERCENTS)[number];

/** Milliseconds; null where a tool does not report it. */
export type Percentiles = Readonly<Record<Percent, number | null>>;

/** Of what the figures of each percent are. */
export const percentilesOf = (figure: (percent: Percent) => number | null): Percentiles => ({
  50: figure(50),
  90: figure(90),
  95: figure(95),
  99: figure(99),
});
