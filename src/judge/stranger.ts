import type { Measurements } from '../measurement/measurements.ts';

/** What of a report comes from a world server's own metrics, and what from its database. */
const OF_METRICS =
  /^(world\.|throughput\.(operationsPerServer|serverShare|rowWrites|batches|rowsPer|operationsPerBatch|largest|flushed|coalescing))/;
const OF_DATABASE = /^(database|integrity)\./;

/** Whether a figure is one that a server of the flux world tells of itself. */
export const isOfWorld = (metric: string): boolean => OF_METRICS.test(metric);

/**
 * Why a figure cannot be known of a target that is no world of ours: nobody watched it, and what the scenario says of
 * its own world is not true of that one. Null where it can.
 */
export function strangeness(
  metric: string,
  { stackKind, probes, measured }: Pick<Measurements, 'stackKind' | 'probes' | 'measured'>,
): string | null {
  const watched = (name: RegExp): boolean => probes.some((probe) => name.test(probe.name));
  // Where nothing at all was watched, the run was another tool's.
  if (stackKind !== 'target' || measured === null || probes.length === 0 || watched(/^world/)) return null;
  if (isOfWorld(metric)) return 'the target has no metrics of a world server';
  if (OF_DATABASE.test(metric) && !watched(/^postgres/))
    return 'the target has no database that capbench reads';
  return null;
}
