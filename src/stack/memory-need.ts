import { freemem, totalmem } from 'node:os';
import { constrainedMemory } from 'node:process';
import { type CapbenchError, stackFailed } from '../errors.ts';
import { memoryAvailable } from '../supervision/proc.ts';

/** The memory without which a stack must not be started, since the host would swap or kill. */
export interface MemoryNeed {
  readonly memoryBytes: number;
  /** What it is for: `400 worker processes of 46 MB`. */
  readonly because: string;
  /** Options that need less: `--set world.workers=100`. */
  readonly less: string;
}

/** The container's memory limit where there is one, else the host's memory. */
export function usableMemory(): number {
  const limit = constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** Bytes that processes may still use: those of the host that are not in use, or the container's limit where it is lower. */
export const availableMemory = (): number => Math.min(memoryAvailable() ?? freemem(), usableMemory());

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/** `needs 18.4 GB for 400 worker processes of 46 MB; 9.8 GB are available` */
export const memoryText = ({ memoryBytes, because }: MemoryNeed, available: number): string =>
  `needs ${gigabytes(memoryBytes)} for ${because}; ${gigabytes(available)} are available`;

/** Why a stack must not be started with so much memory (exit code 93); null where it may. */
export const memoryShortage = (need: MemoryNeed, available: number): CapbenchError | null =>
  need.memoryBytes <= available
    ? null
    : stackFailed(
        `the stack ${memoryText(need, available)}`,
        `use a machine with more memory, or ${need.less}`,
      );
