import type { Measurements } from '../measurement/measurements.ts';
import { growthOf } from '../measurement/readings.ts';
import { probeOf } from '../measurement/series.ts';

/** Their own account is told by the second, and not read. */
const OWN = /^(?:load|generator)\./;
/** Less is not worth a word. */
const LEAST_PERCENT = 1;

/** Which probes were not read when the measure phase began or ended, and how well what they counted is known, in one note. */
export function unreadEdges({
  series,
  measured,
}: Pick<Measurements, 'series' | 'measured'>): readonly string[] {
  if (measured === null) return [];
  const length = measured.to - measured.from;
  const unread = new Map<string, number>();
  for (const [name, one] of Object.entries(series)) {
    if (one.kind !== 'counter' || OWN.test(name)) continue;
    const seconds = growthOf(one, measured)?.unreadSeconds ?? 0;
    if ((100 * seconds) / length < LEAST_PERCENT) continue;
    const probe = probeOf(name) ?? name;
    unread.set(probe, Math.max(seconds, unread.get(probe) ?? 0));
  }
  if (unread.size === 0) return [];
  const most = Math.max(...unread.values());
  return [
    `not read when the measure phase began or ended: ${[...unread.keys()].toSorted().join(', ')}; the nearest readings are ${most.toFixed(1)} s off, so that what they counted in ${Number(length.toFixed(1))} s is known to ${((100 * most) / length).toFixed(1)}%`,
  ];
}
