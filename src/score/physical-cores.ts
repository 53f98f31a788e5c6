import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { allowedCpus, readSmall } from '../supervision/proc.ts';
import { outputOf } from '../supervision/program.ts';

const ANSWER_LIMIT_MS = 5_000;
const CPUS = '/sys/devices/system/cpu';

/**
 * How many physical cores the CPUs that this process may use belong to: two CPUs of one core share it (SMT). Null where
 * the system does not say.
 */
export async function physicalCores(
  platform: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number | null> {
  if (platform !== 'darwin') return coresIn(CPUS, allowedCpus());
  const asked = outputOf('/usr/sbin/sysctl', ['-n', 'hw.physicalcpu'], env, ANSWER_LIMIT_MS);
  const cores = Number.parseInt((await asked.catch(() => null))?.stdout ?? '', 10);
  return cores > 0 ? cores : null;
}

/** Of sysfs: CPUs with the same siblings are one core. @param allowed empty: all of them */
export function coresIn(folder: string, allowed: readonly number[]): number | null {
  const cores = new Set<string>();
  for (const name of namesIn(folder)) {
    const cpu = /^cpu(\d+)$/.exec(name)?.[1];
    if (cpu === undefined || (allowed.length > 0 && !allowed.includes(Number(cpu)))) continue;
    const siblings = readSmall(join(folder, name, 'topology', 'thread_siblings_list'))?.trim();
    // A CPU that is off has none.
    if (siblings) cores.add(siblings);
  }
  return cores.size === 0 ? null : cores.size;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
