import { mapOperations, ofOperation, perOperation } from '../../scenario/operations.ts';
import type { Workload } from '../../scenario/workload.ts';
import { micros } from '../../units.ts';
import type { OperationTally, Tally } from '../engine.ts';
import { ErrorCounts } from '../error-counts.ts';
import { SequenceLedger } from '../ledger.ts';
import { assertConserved } from '../recorder.ts';
import { scheduleHashOf } from '../schedule-hash.ts';
import { TRAFFIC, type WorkerTally } from './messages.ts';
import { mergeStages } from './stage-tally.ts';
import { addCounts, mergeOf, sumOf } from './sums.ts';

const MOST_ERRORS = 5;
/** In the place of a hash that would have taken too long after an early stop. */
export const NO_HASH = 'incomplete';

/**
 * The run over all workers: counts, sums and buckets are added.
 * @throws when conservation (R4) does not hold over the fleet: a bug of ours
 */
export function mergeTallies(
  tallies: readonly WorkerTally[],
  workload: Pick<Workload, 'entities' | 'operations'>,
): Tally {
  const ledger = new SequenceLedger(workload.entities);
  const errors = new ErrorCounts();
  const hashes: (readonly [number, number])[] = [];
  for (const tally of tallies) {
    ledger.add(tally.ledger);
    errors.addAll(tally.errors);
    if (tally.hash !== null) hashes.push(tally.hash);
  }
  const operations = perOperation(workload.operations, (id) => mergeOperation(id, tallies));
  mapOperations(operations, (tally, id) => assertConserved(id, tally));
  return {
    operations,
    ...sumOf([...TRAFFIC, 'strayAnswers'], tallies),
    ...mergeOf(['reconnect'], tallies),
    ...unseenIn(tallies),
    errors: errors.top(MOST_ERRORS),
    ledger: ledger.toData(),
    endedAt: micros(Math.max(...tallies.map(({ endedAt }) => endedAt))),
    scheduleHash: hashes.length === tallies.length ? scheduleHashOf(hashes) : NO_HASH,
    stages: mergeStages(tallies.map(({ stages }) => stages)),
  };
}

function unseenIn(tallies: readonly WorkerTally[]): Pick<Tally, 'unseenTraffic'> {
  const because = tallies.find(({ unseenTraffic }) => unseenTraffic !== null)?.unseenTraffic ?? null;
  return because === null ? {} : { unseenTraffic: because };
}

function mergeOperation(id: string, tallies: readonly WorkerTally[]): OperationTally {
  const all = tallies.map(({ operations }) => ofOperation(operations, id));
  return {
    whole: addCounts(all.map(({ whole }) => whole)),
    measured: addCounts(all.map(({ measured }) => measured)),
    ...mergeOf(['due', 'rejected', 'net', 'service', 'lag', 'ownLag'], all),
  };
}
