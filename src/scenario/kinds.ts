import { type Finding, findingAt, valueAt } from './finding.ts';
import { nearest } from './nearest.ts';
import type { OperationSpec } from './operations.ts';
import { type Path, shown, startsWith } from './problem.ts';

/** The name of a kind of operation, where a scenario names them itself. */
export const KIND = /^[a-z][A-Za-z0-9]{0,31}$/;
const A_KIND = "a kind's name: a lower-case letter, then at most 31 letters and digits";

/** A table has a row for each, and a run a histogram. */
const MOST_KINDS = 20;

const OPERATIONS = ['load', 'operations'];

/** A kind of operation that a scenario names. */
export type Kind = Pick<OperationSpec, 'id' | 'due'>;

/** The keys of `load.operations` that name a kind, in their order; none where it is not a map. */
export function kindsIn(scenario: object): readonly Kind[] {
  const operations = valueAt(scenario, OPERATIONS);
  if (typeof operations !== 'object' || operations === null || Array.isArray(operations)) return [];
  return Object.entries(operations)
    .filter(([id]) => KIND.test(id) && !Object.hasOwn(Object.prototype, id))
    .slice(0, MOST_KINDS + 1)
    .map(([id, value]) => ({ id, due: valueAt(value, ['due']) === 'answer' ? 'answer' : 'schedule' }));
}

/**
 * What is wrong with the kinds of a document, of whose operations the players' are named by it. `taken` says whether
 * report.json has another figure of this path.
 */
export function kindFindings(
  document: object,
  operations: readonly OperationSpec[],
  taken: (path: string) => boolean,
): readonly Finding[] {
  const given = valueAt(document, OPERATIONS);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return [];
  const others = operations.filter(({ actor }) => actor === 'other');
  const kinds = Object.keys(given).filter((key) => !others.some(({ id }) => id === key));
  if (kinds.length > MOST_KINDS) {
    return [findingAt(OPERATIONS, `got ${kinds.length} kinds of operations, expected ${MOST_KINDS} at most`)];
  }
  return kinds.flatMap((kind): Finding | readonly Finding[] => {
    const path = [...OPERATIONS, kind];
    const ofKey = (message: string, hint: string | null = null): Finding => ({
      ...{ path, of: 'key', message, hint },
    });
    if (!KIND.test(kind)) return ofKey(`got ${shown(kind)}, expected ${A_KIND}`);
    const spec = operations.find(({ id }) => id === kind);
    if (spec === undefined) return ofKey(`got ${kind}, expected another name: every object has this one`);
    const rate = `throughput.${spec.plural}PerSecond`;
    const isTwice = operations.some(({ id, plural }) => id !== kind && plural === kind);
    if (taken(rate) || isTwice) {
      return ofKey(`got ${kind}, expected another name: ${rate} is already another figure of report.json`);
    }
    const value: unknown = Reflect.get(given, kind);
    const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
    if (kinds.length > 1 && isEmpty) {
      return findingAt(
        path,
        'got neither a rate nor a weight, expected perSecond, weight or due: answer',
        'only a single kind has a rate by default: one a second for each player',
      );
    }
    return [];
  });
}

/** Kinds that a --set of one of their keys adds to those of the file: it is misspelled. One that sets the whole map may. */
export function addedKinds(
  file: unknown,
  operations: readonly OperationSpec[],
  set: readonly Path[],
): readonly Finding[] {
  const before = Object.keys(valueAt(file, OPERATIONS) ?? {});
  if (before.length === 0) return [];
  return operations.flatMap(({ id: kind, actor }) => {
    if (actor === 'other') return [];
    const path = [...OPERATIONS, kind];
    if (before.includes(kind) || !set.some((one) => startsWith(one, path))) return [];
    const meant = nearest(kind, before);
    const hint =
      meant === undefined ? `--set 'load.operations={..}' replaces them all` : `did you mean ${meant}?`;
    const message = `got ${shown(kind)}, expected a kind of the file: ${before.join(', ')}`;
    return { path, of: 'key', message, hint } as const;
  });
}
