import { type HistogramData, mergeHistograms } from '../../histogram.ts';
import { mapOperations, ofOperation, perOperation } from '../../scenario/operations.ts';
import type { Workload } from '../../scenario/workload.ts';
import { micros } from '../../units.ts';
import type { DeliveryTally } from '../deliveries.ts';
import {
  type Counts,
  type OperationTally,
  OUTCOMES,
  type StageTally,
  type Tally,
  TRAFFIC,
} from '../engine.ts';
import { ErrorCounts } from '../error-counts.ts';
import { SequenceLedger } from '../ledger.ts';
import type { PlayerFigureTally } from '../player-figures.ts';
import { assertConserved } from '../recorder.ts';
import { scheduleHashOf } from '../schedule-hash.ts';
import type { WorkerTally } from './messages.ts';

const MOST_ERRORS = 5;
/** Replaces a hash that would have taken too long after an early stop. */
export const NO_HASH = 'incomplete';

/**
 * Merges the workers' tallies by adding counts, sums and buckets. `deliveries` are joined already; errors about what players reported begin with `players`.
 * @throws when conservation does not hold, which is a bug
 */
export function mergeTallies(
  tallies: readonly WorkerTally[],
  workload: Pick<Workload, 'entities' | 'operations'>,
  deliveries: DeliveryTally | null = null,
  players = 'a player',
): Tally {
  const ledger = new SequenceLedger(workload.entities);
  const errors = new ErrorCounts();
  const hashes: (readonly [number, number])[] = [];
  for (const tally of tallies) {
    ledger.add(tally.ledger);
    errors.addAll(tally.errors);
    if (tally.hash !== null) hashes.push(tally.hash);
  }
  for (const key of deliveries?.twice ?? [])
    errors.add(`${players}: the key ${key} was expected by context.expectDelivery more than once`);
  const figures = mergeFigures(tallies, (what) => errors.add(`${players}: ${what}`));
  const [unseenTraffic] = tallies.flatMap((tally) => tally.unseenTraffic ?? []);
  const operations = perOperation(workload.operations, (id) => mergeOperation(id, tallies));
  mapOperations(operations, (tally, id) => assertConserved(id, tally));
  return {
    operations,
    ...sumOf([...TRAFFIC, 'strayAnswers'], tallies),
    ...mergeOf(['reconnect'], tallies),
    ...(unseenTraffic === undefined ? {} : { unseenTraffic }),
    ...(deliveries === null ? {} : { deliveries }),
    ...(Object.keys(figures).length === 0 ? {} : { figures }),
    errors: errors.top(MOST_ERRORS),
    ledger: ledger.toData(),
    endedAt: micros(Math.max(...tallies.map(({ endedAt }) => endedAt))),
    scheduleHash: hashes.length === tallies.length ? scheduleHashOf(hashes) : NO_HASH,
    stages: mergeStages(tallies.map(({ stages }) => stages)),
  };
}

function mergeOperation(id: string, tallies: readonly WorkerTally[]): OperationTally {
  const all = tallies.map(({ operations }) => ofOperation(operations, id));
  return {
    whole: addCounts(all.map(({ whole }) => whole)),
    measured: addCounts(all.map(({ measured }) => measured)),
    ...mergeOf(['due', 'rejected', 'net', 'service', 'lag', 'ownLag'], all),
  };
}

/** By name; one that has another unit in another worker is left out, and refused. */
function mergeFigures(
  tallies: readonly Pick<WorkerTally, 'figures'>[],
  refuse: (what: string) => void,
): Record<string, PlayerFigureTally> {
  const merged: Record<string, PlayerFigureTally> = {};
  for (const name of new Set(tallies.flatMap(({ figures }) => Object.keys(figures)))) {
    const parts = tallies.flatMap(({ figures }) => figures[name] ?? []);
    const [first] = parts;
    if (first === undefined) continue;
    const other = parts.find(({ unit }) => unit !== first.unit);
    if (other !== undefined) {
      refuse(
        `measured ${name} in ${first.unit ?? 'no unit'} and in ${other.unit ?? 'no unit'}: a name has one unit`,
      );
      continue;
    }
    const values = mergeHistograms(parts.flatMap((part) => part.values ?? []));
    merged[name] = {
      unit: first.unit,
      ...sumOf(['count', 'total'], parts),
      values: first.unit === null ? null : values,
    };
  }
  return merged;
}

/** The stages over all workers. */
function mergeStages(workers: readonly (readonly StageTally[])[]): readonly StageTally[] {
  const [first = []] = workers;
  return first.map((_, stage) => mergeStage(workers.flatMap((stages) => stages.slice(stage, stage + 1))));
}

function mergeStage(parts: readonly StageTally[]): StageTally {
  return {
    operations: mapOperations(parts[0]!.operations, (_, id) => {
      const all = parts.map(({ operations }) => ofOperation(operations, id));
      const counts = addCounts(all.map((one) => one.counts));
      return { counts, ...mergeOf(['due', 'rejected', 'service', 'lag'], all) };
    }),
    ...sumOf(['disconnects', 'reconnects', 'left', 'joined', 'cut'], parts),
    ...mergeOf(['connect', 'reconnect'], parts),
    fullStrength: fullStrength(parts),
  };
}

/** The latest time at which a worker was at full strength again; workers without cut players do not count. */
function fullStrength(parts: readonly StageTally[]): number | null {
  const cut = parts.filter((part) => part.cut > 0);
  const known = cut.flatMap((part) => (part.fullStrength === null ? [] : [part.fullStrength]));
  return cut.length === 0 || known.length < cut.length ? null : Math.max(...known);
}

/** Sums of some figures over all records. */
export function sumOf<K extends string>(
  figures: readonly K[],
  all: readonly Readonly<Record<K, number>>[],
): Record<K, number> {
  const sum = (figure: K): number => all.reduce((total, one) => total + one[figure], 0);
  return Object.fromEntries(figures.map((figure) => [figure, sum(figure)])) as Record<K, number>;
}

/** Growth of some figures. */
export const growthOf = <K extends string>(
  figures: readonly K[],
  before: Readonly<Record<K, number>>,
  now: Readonly<Record<K, number>>,
): Record<K, number> =>
  Object.fromEntries(figures.map((figure) => [figure, now[figure] - before[figure]])) as Record<K, number>;

/** Some histograms, merged over all records; null counts as empty. */
export function mergeOf<K extends string>(
  histograms: readonly K[],
  all: readonly Readonly<Record<K, HistogramData | null>>[],
): Record<K, HistogramData> {
  const merged = (name: K): HistogramData => mergeHistograms(all.flatMap((one) => one[name] ?? []));
  return Object.fromEntries(histograms.map((name) => [name, merged(name)])) as Record<K, HistogramData>;
}

const addCounts = (all: readonly Counts[]): Counts => sumOf(OUTCOMES, all);
