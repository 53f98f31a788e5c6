import type { NumberSets } from '../../../load/number-sets.ts';

/**
 * The row of one entity in a LedgerReport: the numbers that it used, and of those the ones that were acknowledged.
 * `stated` is 1 + what the server stated last of the entity, 0 where it stated nothing.
 */
export const ledgerRow = (
  id: number,
  acked: NumberSets,
  entity: number,
  last: number,
  stated: number,
): number[] => [
  ...[id, acked.base[entity] ?? 0, last, stated, acked.max[entity] ?? 0],
  ...acked.gapsOf(entity),
];
