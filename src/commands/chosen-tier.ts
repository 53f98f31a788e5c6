import { badInput, type CapbenchError } from '../errors.ts';
import type { EmulatedTier } from '../measurement/emulated-tier.ts';
import type { Box } from '../scenario/box.ts';

/** A machine as which the stack is to run, and what of this host it gets for that. */
export interface ChosenTier {
  readonly tier: EmulatedTier;
  readonly box: Box;
}

/** The error (104) of a run that starts nothing that could be confined. */
export const nothingToConfine = (name: string): CapbenchError =>
  badInput(
    `--tier ${name}: capbench starts nothing here that it could confine to a machine of that size`,
    'a tier is for a stack that capbench starts: leave out --target, or give the scenario a stack.start',
  );
