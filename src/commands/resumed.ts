import { badInput } from '../errors.ts';

/** What must be as it was, and how it was and is. */
export type Condition = readonly [what: string, got: string, expected: string];

/**
 * Refuses to go on with a search or a duet that was begun under other conditions.
 * @param of what was begun
 * @param shown the folder, as given with --resume
 * @param same what has to be given again
 * @throws CapbenchError (104) that names the first condition that differs
 */
export function refuseOtherConditions(
  of: 'search' | 'duet',
  shown: string,
  conditions: readonly Condition[],
  same: string,
): void {
  const other = conditions.find(([, got, expected]) => got !== expected);
  if (other === undefined) return;
  const [what, got, expected] = other;
  throw badInput(
    `--resume ${shown}: that ${of} has another ${what}: ${got}, expected ${expected}`,
    `give the same ${same} on the same host, or begin a new ${of} without --resume`,
  );
}
