import type { Side } from './arm.ts';
import type { Trial } from './trial.ts';

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
  const names = new Set([...base, ...head].flatMap(({ identity }) => Object.keys(identity)));
  return [...names].flatMap((what) => {
    const of = (trials: readonly Trial[]): readonly string[] => [
      ...new Set(trials.map(({ identity }) => identity[what] ?? 'not recorded')),
    ];
    const [b, h] = [of(base), of(head)];
    return new Set([...b, ...h]).size === 1 ? [] : [{ what, base: b.join(' and '), head: h.join(' and ') }];
  });
}
