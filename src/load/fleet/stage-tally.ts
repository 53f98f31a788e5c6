import { mapOperations, ofOperation } from '../../scenario/operations.ts';
import type { StageConnectionTally, StageOperationTally, StageTally } from '../engine.ts';
import { addCounts, mergeOf, sumOf } from './sums.ts';

/** The stages over all workers, each of which has told all of them. */
export function mergeStages(workers: readonly (readonly StageTally[])[]): readonly StageTally[] {
  const [first = []] = workers;
  return first.map((_, stage) => mergeStage(workers.flatMap((stages) => stages.slice(stage, stage + 1))));
}

function mergeStage(parts: readonly StageTally[]): StageTally {
  const operation = (id: string): StageOperationTally => {
    const all = parts.map(({ operations }) => ofOperation(operations, id));
    return {
      counts: addCounts(all.map(({ counts }) => counts)),
      ...mergeOf(['due', 'rejected', 'service', 'lag'], all),
    };
  };
  return {
    operations: mapOperations(parts[0]!.operations, (_, id) => operation(id)),
    ...sumOf(['disconnects', 'reconnects', 'left', 'joined', 'cut'], parts),
    ...mergeOf(['connect', 'reconnect'], parts),
    fullStrength: fullStrength(parts),
  };
}

/** All are there when each worker has as many as before; a worker none of whose players were cut is not waited for. */
function fullStrength(parts: readonly StageConnectionTally[]): number | null {
  const cut = parts.filter((part) => part.cut > 0);
  const known = cut.flatMap((part) => (part.fullStrength === null ? [] : [part.fullStrength]));
  return cut.length === 0 || known.length < cut.length ? null : Math.max(...known);
}
