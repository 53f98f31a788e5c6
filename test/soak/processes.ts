import { readdirSync, readFileSync } from 'node:fs';
import { processesIn } from '../stack/leftovers.ts';

/** One process at one moment, as the kernel reports it. */
export interface Reading {
  /** Seconds since 1970. */
  readonly at: number;
  readonly pid: number;
  /** `capbench`, `world-1`, `load worker`, `postgres: walwriter`. */
  readonly name: string;
  /** Only private memory, because shared memory of PostgreSQL counts for every process that touched it. */
  readonly anonymousBytes: number;
  readonly descriptors: number;
  readonly threads: number;
}

const NAMES: readonly (readonly [RegExp, string])[] = [
  [/bin\/capbench\.js/, 'capbench'],
  [/\/watchdog\.js/, 'watchdog'],
  [/\/fleet-worker\.js/, 'load worker'],
  [/\/flux-server\.js/, 'world server'],
  [/\/postgres -D /, 'postmaster'],
];

/** All processes whose TMPDIR is the run's, now. */
export function readProcesses(tmp: string): Reading[] {
  const at = Date.now() / 1e3;
  return processesIn(tmp).flatMap(({ pid, command }) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'latin1');
      const figure = (name: string): number =>
        Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN);
      return [
        {
          at,
          pid,
          name: nameOf(command),
          anonymousBytes: figure('RssAnon') * 1024,
          descriptors: readdirSync(`/proc/${pid}/fd`).length,
          threads: figure('Threads'),
        },
      ];
    } catch {
      return [];
    }
  });
}

function nameOf(command: string): string {
  const backend = /^postgres: (\S+( \S+)?)/.exec(command.trim());
  if (backend !== null) return `postgres: ${backend[1]}`;
  return NAMES.find(([pattern]) => pattern.test(command))?.[1] ?? command.slice(0, 40);
}
