import type { HostLimits } from '../load/limits.ts';
import type { NeededProgram } from './needed-program.ts';

/** Why something is not as a run needs it, and what to do about it. */
export interface Obstacle {
  readonly problem: string;
  readonly hint: string | null;
}

export interface FoundProgram {
  readonly path: string;
  readonly version: string;
}

export const isObstacle = (found: object | null): found is Obstacle => found !== null && 'problem' in found;

/** What was found of one program: null where it is not on PATH. */
export type Program = FoundProgram | Obstacle | null;

/** The programs that capbench only needs for a part of what it does. */
export type OptionalProgram = 'k6' | 'redis' | 'nginx' | 'haproxy' | 'docker';

/** What `capbench doctor` found on this host. Null: this platform does not report it. */
export interface HostFacts {
  readonly platform: string;
  readonly arch: string;
  /** `v22.12.0` */
  readonly node: string;
  readonly isRoot: boolean;
  readonly packageManager: 'apt-get' | 'brew' | null;
  /** Logical CPUs that this process may use. */
  readonly cpus: number;
  readonly threadsPerCore: number | null;
  /** CPUs that the control group allows; null where there is no quota. */
  readonly cpuQuota: number | null;
  readonly memoryBytes: number;
  /** The same, or the control group's limit where it is lower. */
  readonly usableMemoryBytes: number;
  readonly availableMemoryBytes: number | null;
  /** /dev/shm */
  readonly sharedMemory: { readonly totalBytes: number; readonly freeBytes: number } | null;
  readonly clockSource: string | null;
  /** Whether the host reports these figures of its noise. */
  readonly reports: { readonly steal: boolean; readonly pressure: boolean; readonly waits: boolean };
  readonly limits: HostLimits;
  /** The temporary directory, or why no run can put its files there. */
  readonly temporary: { readonly path: string } | Obstacle;
  /** `account`: as whom it runs when capbench is root. Null: not tried, because no run can put its files anywhere. */
  readonly postgres:
    | (FoundProgram & { readonly embedded: boolean; readonly account: string | null })
    | Obstacle
    | null;
  readonly programs: Readonly<Record<OptionalProgram, Program>>;
  /** The scenarios that come with capbench, and the programs that their stacks need. Null: they could not be read. */
  readonly scenarios: readonly { readonly name: string; readonly needs: readonly NeededProgram[] }[] | null;
}
