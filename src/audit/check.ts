import type { Figure, Plan } from '../scenario/plan.ts';

/** What a check found about one subject. */
export interface Found {
  /** Which entry of the plan; empty for a check that the plan has once. */
  readonly subject: string;
  readonly holds: boolean;
  /** On one line, with every number and unit. */
  readonly arithmetic: string;
  /** All figures that took part. */
  readonly figures: readonly (Figure | undefined)[];
  /** Those that follow from the others, or promise something of them: where it does not hold, their claims are contradicted. */
  readonly disputes: readonly (Figure | undefined)[];
}

/** One way in which the figures of a plan can contradict each other. */
export interface Check {
  /** In findings and in `--json`. */
  readonly id: string;
  readonly title: string;
  /** The keys of the plan without which it says nothing. */
  readonly needs: readonly string[];
  /** Of ranges it takes the end that is worse for the plan, unless the check says otherwise. */
  rule(plan: Plan): readonly Found[];
}
