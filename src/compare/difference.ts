import type { Side } from './arm.ts';
import { SECTION, type Trial, WHOLE_SCENARIO } from './trial.ts';

/** What trials cannot have different and still be compared. */
export interface Difference {
  /** `CPU`, `setting shared_buffers`, `scenario: load` */
  readonly what: string;
  /** Several values of one version are joined by "and". */
  readonly base: string;
  readonly head: string;
}

/** What differs between trials that are to be compared, also between those of one version. */
export function differencesOf(
  base: readonly Trial[],
  head: readonly Trial[],
  before: Side,
  after: Side,
): readonly Difference[] {
  if (base.length === 0 || head.length === 0) {
    const shown = ({ counted: of, trials }: Side): string => `${of} of ${trials.length}`;
    return [{ what: 'trials with a conclusion', base: shown(before), head: shown(after) }];
  }
  // Where one of them has only one hash of its whole scenario, those of sections say nothing.
  const isEarlier = [...base, ...head].some(({ identity }) => Object.hasOwn(identity, WHOLE_SCENARIO));
  const isOfSection = (what: string): boolean => isEarlier && what.startsWith(SECTION);
  const identities = (trials: readonly Trial[]) =>
    trials.map(({ identity }) =>
      Object.fromEntries(Object.entries(identity).filter(([what]) => !isOfSection(what))),
    );
  return differing(identities(base), identities(head));
}

/** A note for each version of a program that differs, though the trials are compared. */
export function versionNotes(base: readonly Trial[], head: readonly Trial[]): readonly string[] {
  const versions = (trials: readonly Trial[]) => trials.map((one) => one.versions);
  return differing(versions(base), versions(head)).map(
    ({ what, base: before, head: after }) => `${what}: ${before} in base, ${after} in head`,
  );
}

type Named = Readonly<Record<string, string>>;

/** The names whose values are not the same in all of both. */
export function differing(base: readonly Named[], head: readonly Named[]): readonly Difference[] {
  const names = new Set([...base, ...head].flatMap((one) => Object.keys(one)));
  return [...names].flatMap((what) => {
    const of = (all: readonly Named[]): readonly string[] => [
      ...new Set(all.map((one) => one[what] ?? 'not recorded')),
    ];
    const [b, h] = [of(base), of(head)];
    return new Set([...b, ...h]).size === 1 ? [] : [{ what, base: b.join(' and '), head: h.join(' and ') }];
  });
}
