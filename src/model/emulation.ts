import type { EmulatedTier } from '../measurement/emulated-tier.ts';
import type { Box } from '../scenario/box.ts';
import { memoryForStack } from './prediction.ts';
import { coresOf } from './sizing.ts';
import type { Tier } from './tier.ts';

const MEGABYTE = 2 ** 20;
/** Of limits in a scenario. */
const [FEWEST_CPUS, LEAST_MEMORY] = [0.1, 16];

/**
 * What a stack may use that is run as on this machine: its cores in the long run, and the memory that the system leaves, which
 * is what predictions count with, too. In words where that is not known, or is no machine.
 */
export function boxOf(tier: Tier): Box | { readonly because: string } {
  const cpus = coresOf(tier);
  if (cpus === null)
    return {
      because: 'it is burstable, and its file does not say what it may use in the long run (baselinePercent)',
    };
  const memory = Math.floor(memoryForStack(tier.memoryBytes) / MEGABYTE);
  if (memory < LEAST_MEMORY) return { because: 'its system would leave no memory for a stack' };
  return { cpus: Math.max(FEWEST_CPUS, Number(cpus.toFixed(3))), memory };
}

/** What reports say of the machine. */
export const emulatedTier = ({ id, cpus, kind, baselinePercent, memoryBytes }: Tier): EmulatedTier => ({
  ...{ id, cpus, kind, baselinePercent, memoryBytes },
});
