import { counted } from '../units.ts';
import type { Design } from './change.ts';
import { isValid, type Trial } from './trial.ts';

/** The trials of one version. Where they are paired, in the order of the pairs. */
export interface Arm {
  /** Of a version, for sentences and heads of tables: `main`, or a folder. */
  readonly name: string;
  readonly trials: readonly Trial[];
}

/** A trial as comparison.json lists it. */
export interface ComparedTrial
  extends Pick<Trial, 'name' | 'outcome' | 'exitCode' | 'headline' | 'startedAt' | 'commit' | 'seed'> {
  /** Why it has no part in the figures; null: it has. */
  readonly leftOut: string | null;
}

/** One side of a comparison. */
export interface Side {
  readonly name: string;
  readonly trials: readonly ComparedTrial[];
  /** How many of them have a part in the figures. */
  readonly counted: number;
}

/** `other`: the trials of the other version, of which one belongs to each where they are paired. */
export function sideOf({ name, trials }: Arm, other: Arm, design: Design): Side {
  const listed = trials.map((trial, i): ComparedTrial => {
    const { outcome, exitCode, headline, startedAt, commit, seed } = trial;
    const partner = design === 'paired' ? other.trials[i] : undefined;
    const leftOut = !isValid(trial)
      ? headline
      : partner !== undefined && !isValid(partner)
        ? `the other trial of its pair has no conclusion`
        : null;
    return { name: trial.name, outcome, exitCode, headline, startedAt, commit, seed, leftOut };
  });
  return { name, trials: listed, counted: listed.filter(({ leftOut }) => leftOut === null).length };
}

/** The trials that have a part in the figures. */
export const countedOf = ({ trials }: Arm, side: Side): readonly Trial[] =>
  trials.filter((_, i) => side.trials[i]?.leftOut === null);

/** A sentence where some have none. */
export const leftOutNote = ({ name, trials, counted: of }: Side): readonly string[] =>
  of === trials.length
    ? []
    : [`${name}: ${trials.length - of} of ${counted(trials.length, 'trial')} left out, without a conclusion`];
