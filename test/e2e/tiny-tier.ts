import { writeFileSync } from 'node:fs';
import { availableParallelism, platform } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../src/supervision/program.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** Whether a stack can be held to one CPU here, and another one is left for the load. */
export const canBind =
  platform() === 'linux' &&
  (await findProgram('taskset', process.env)) !== null &&
  availableParallelism() > 1;

/** The options of a machine with one CPU. */
export function tinyTier(): readonly string[] {
  const path = join(temporaryFolder(), 'tiers.yaml');
  writeFileSync(path, 'version: 1\ntiers: [{ id: tiny, cpus: 1, kind: shared, memory: 1GB }]\n');
  return ['--tiers', path, '--tier', 'tiny'];
}

/** What is said of each number that was measured so. */
export const AS_TINY = "as a 1-vCPU, 1-GB box, with this host's cores";
