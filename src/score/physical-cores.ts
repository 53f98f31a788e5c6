import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readSmall } from '../supervision/proc.ts';
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
  if (platform !== 'darwin') return coresIn(CPUS, allowedCpus(readSmall('/proc/self/status') ?? ''));
  const asked = outputOf('/usr/sbin/sysctl', ['-n', 'hw.physicalcpu'], env, ANSWER_LIMIT_MS);
  const cores = Number.parseInt((await asked.catch(() => null))?.stdout ?? '', 10);
  return cores > 0 ? cores : null;
}

/** Of sysfs: CPUs with the same siblings are one core. @param allowed null: all of them */
export function coresIn(folder: string, allowed: ReadonlySet<number> | null): number | null {
  const cores = new Set<string>();
  for (const name of namesIn(folder)) {
    const cpu = /^cpu(\d+)$/.exec(name)?.[1];
    if (cpu === undefined || allowed?.has(Number(cpu)) === false) continue;
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

/** `Cpus_allowed_list: 0-3,8`; null where the text has none. */
export function allowedCpus(status: string): ReadonlySet<number> | null {
  const list = /^Cpus_allowed_list:\s*([\d,-]+)$/m.exec(status)?.[1];
  if (list === undefined) return null;
  return new Set(
    list.split(',').flatMap((part) => {
      const [first = 0, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    }),
  );
}
