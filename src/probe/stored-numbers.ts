import type { Ledger } from '../load/engine.ts';
import { NumberSets } from '../load/number-sets.ts';
import type { IntegrityFindings } from './counted-rows.ts';
import type { ExcusableNumbers } from './excuses.ts';

/** What the stores have of the operations, number by number, by entity id. */
export interface StoredNumbers {
  /** In any store, in any order; one that several stores have may be listed several times. */
  readonly kept: ReadonlyMap<number, readonly number[]>;
  /** In the last level. One that is listed twice was applied twice. */
  readonly saved: ReadonlyMap<number, readonly number[]>;
  /** Whatever else contradicts what was acknowledged: one sentence for each, which counts as one lost operation. */
  readonly wrong: readonly string[];
}

const EXAMPLES = 10;
const NONE: readonly number[] = [];

/**
 * The integrity check of stores that have every number. Of each entity, A is the set of acknowledged numbers, S the set of sent
 * ones; numbers up to the entity's base are not of this run.
 *
 *   LOST        in A and in no store, and not excusable; or reported as saved, and not in the last level; or `wrong`
 *   IN WINDOW   in A and in no store, and excusable
 *   PHANTOM     in a store and not in S; or of an entity that is none of the run's; or no number at all, since they begin with 1
 *   DUPLICATED  twice in the last level
 *
 * There are no holes, and nothing is left open, unless so much was unanswered that the ledger has only sums (number-sets.ts).
 */
export function compareNumbers(
  ledger: Ledger,
  { kept, saved, wrong }: StoredNumbers,
  excusable: ExcusableNumbers | null,
): IntegrityFindings {
  const total = { sent: 0, acked: 0, applied: 0, lost: 0, phantom: 0, duplicated: 0, holes: 0, open: 0 };
  let [lostInWindow, unreported] = [0, 0];
  const examples: string[] = [];
  const found = (kind: 'lost' | 'phantom' | 'duplicated', entity: number, what: string): void => {
    total[kind] += 1;
    if (examples.length < EXAMPLES) examples.push(`entity ${entity}: ${what}`);
  };
  const sentNumbers = NumberSets.from(ledger.base, ledger.sent);
  const ackedNumbers = NumberSets.from(ledger.base, ledger.acked);
  const savedNumbers = ledger.levels && NumberSets.from(ledger.base, ledger.levels.saved);

  for (let id = 0; id < ledger.base.length; id++) {
    const ofRun = (number: number): boolean => number > ledger.base[id]! || number < 1;
    const stored = new Set((kept.get(id) ?? NONE).filter(ofRun));
    const last = (saved.get(id) ?? NONE).filter(ofRun);
    const inLast = new Set(last);
    for (const number of inLast) stored.add(number);
    total.sent += sentNumbers.count(id);
    total.acked += ackedNumbers.count(id);
    total.applied += stored.size;
    if (sentNumbers.isBlurred(id) || ackedNumbers.isBlurred(id)) total.open += 1;
    ackedNumbers.each(id, (number) => {
      if (savedNumbers?.has(id, number)) {
        if (!inLast.has(number)) found('lost', id, `number ${number} was reported as saved, and is not`);
      } else if (inLast.has(number)) unreported += 1;
      else if (!stored.has(number)) {
        if (excusable?.get(id)?.has(number)) lostInWindow += 1;
        else found('lost', id, `number ${number} was acknowledged, and no store has it`);
      }
    });
    for (const number of stored) {
      if (!sentNumbers.has(id, number) && !sentNumbers.isBlurred(id))
        found('phantom', id, `a store has number ${number}, which was never sent`);
    }
    const seen = new Set<number>();
    for (const number of last) {
      if (seen.has(number)) found('duplicated', id, `number ${number} is saved more than once`);
      seen.add(number);
    }
  }
  for (const id of new Set([...kept.keys(), ...saved.keys()])) {
    if (ledger.base[id] !== undefined) continue;
    for (const number of new Set([...(kept.get(id) ?? NONE), ...(saved.get(id) ?? NONE)]))
      found('phantom', id, `a store has its number ${number}, and the run has no such entity`);
  }
  total.lost += wrong.length;
  return {
    ...total,
    ...(excusable === null ? {} : { lostInWindow }),
    ...(ledger.levels === undefined ? {} : { saved: ledger.levels.savedCount, unreported }),
    ...{ entities: ledger.base.length, hashed: true },
    examples: [...wrong, ...examples].slice(0, EXAMPLES),
  };
}
