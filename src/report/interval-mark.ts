import type { MetricComparison } from '../compare/metric-comparison.ts';

const [WIDTH, HEIGHT] = [130, 16];
const MIDDLE = HEIGHT / 2;
const RADIUS = 3;

/** How far a row of intervals reaches to both sides, in percent: twice the threshold, or the farthest end, within reason. */
export function reachOf(
  metrics: readonly Pick<MetricComparison, 'lowPercent' | 'highPercent'>[],
  thresholdPercent: number,
): number {
  const ends = metrics.flatMap(({ lowPercent, highPercent }) => [lowPercent ?? 0, highPercent ?? 0]);
  const farthest = Math.max(...ends.map(Math.abs), 2 * thresholdPercent);
  // One interval that is much wider must not make points of all others.
  return Math.min(farthest, 6 * thresholdPercent);
}

/** The interval of a change as a line with its estimate, beside zero and the thresholds; empty without an interval. */
export function intervalMark(
  { changePercent, lowPercent, highPercent }: MetricComparison,
  thresholdPercent: number,
  reach: number,
): string {
  if (changePercent === null || lowPercent === null || highPercent === null) return '';
  const x = (percent: number): string => {
    const within = Math.max(-reach, Math.min(reach, percent));
    return ((WIDTH / 2) * (1 + within / reach)).toFixed(1);
  };
  const [from, to] = [x(-thresholdPercent), x(thresholdPercent)];
  return [
    `<svg class="interval" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" aria-hidden="true">`,
    `<rect x="${from}" y="0" width="${(Number(to) - Number(from)).toFixed(1)}" height="${HEIGHT}"/>`,
    `<line class="zero" x1="${x(0)}" x2="${x(0)}" y1="0" y2="${HEIGHT}"/>`,
    `<line x1="${x(lowPercent)}" x2="${x(highPercent)}" y1="${MIDDLE}" y2="${MIDDLE}"/>`,
    `<circle cx="${x(changePercent)}" cy="${MIDDLE}" r="${RADIUS}"/></svg>`,
  ].join('');
}
