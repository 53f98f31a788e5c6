import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** Clock ticks a second in /proc/stat and /proc/<pid>/stat: USER_HZ, 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
/** Reused by every read; a stat line with its command has some 300 bytes. */
const SMALL = Buffer.alloc(4096);

/** Reads a small file of /proc at a third of the cost of `readFileSync`; null where it is missing or not readable. */
export function readSmall(path: string): string | null {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch {
    return null;
  }
  try {
    return SMALL.toString('latin1', 0, readSync(descriptor, SMALL, 0, SMALL.length, 0));
  } catch {
    // The process ended between open and read.
    return null;
  } finally {
    closeSync(descriptor);
  }
}

/** One process, from /proc/<pid>/stat (proc(5)). */
export interface ProcessReading {
  readonly pid: number;
  /** `R`, `S`, `T`, `Z` .. */
  readonly state: string;
  readonly parent: number;
  /** Clock ticks after the boot; identifies the process together with the pid, which may be reused. */
  readonly started: number;
  readonly command: string;
  readonly kernelThread: boolean;
  /** User and system CPU of all its threads, which the kernel measures in nanoseconds and reports in ticks of 10 ms. */
  readonly ownSeconds: number;
  /** The same of its ended children that were waited for, including their own. */
  readonly reapedSeconds: number;
}

/** PF_KTHREAD of the kernel's `flags`. */
const KERNEL_THREAD = 0x00200000;

export function parseStat(text: string): ProcessReading {
  // The second field is the command in parentheses, which may hold blanks, so fields are counted from its end.
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  const fields = text.slice(close + 2).split(' ', 20);
  const field = (n: number): number => Number(fields[n - 3]);
  return {
    pid: Number(text.slice(0, open)),
    state: fields[0] ?? '',
    parent: field(4),
    started: field(22),
    command: text.slice(open + 1, close),
    kernelThread: (field(9) & KERNEL_THREAD) !== 0,
    ownSeconds: (field(14) + field(15)) / TICKS_PER_SECOND,
    reapedSeconds: (field(16) + field(17)) / TICKS_PER_SECOND,
  };
}

/** Null when the process has ended, or without /proc. */
export function readProcess(pid: number): ProcessReading | null {
  const text = readSmall(`/proc/${pid}/stat`);
  return text === null || text === '' ? null : parseStat(text);
}

/** The process and those above it. */
export function ancestorsOf(pid: number): readonly number[] {
  const found: number[] = [];
  for (let at = pid; at > 0 && !found.includes(at); at = readProcess(at)?.parent ?? 0) found.push(at);
  return found;
}

/**
 * Seconds for which a process's main thread was runnable and waited for a CPU (the second field of schedstat). Node's
 * event loop and a PostgreSQL backend run on that thread. Null where the kernel does not count it.
 */
export function waitedSeconds(pid: number): number | null {
  const waited = readSmall(`/proc/${pid}/schedstat`)?.split(' ')[1];
  return waited === undefined ? null : Number(waited) / 1e9;
}

/** Resident memory of a process; null when it has ended, or without /proc. */
export function residentBytes(pid: number): number | null {
  const kilobytes = kilobytesIn(readSmall(`/proc/${pid}/status`) ?? '', 'VmRSS');
  return kilobytes === null ? null : kilobytes * 1024;
}

function kilobytesIn(text: string, name: string): number | null {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1];
  return found === undefined ? null : Number(found);
}

/** The private memory of all processes, plus the shared memory once (the largest share that any of them has touched). Bytes. */
export function memoryOf(pids: readonly number[]): number {
  let privateKilobytes = 0;
  let sharedKilobytes = 0;
  for (const pid of pids) {
    const text = readSmall(`/proc/${pid}/status`) ?? '';
    privateKilobytes += kilobytesIn(text, 'RssAnon') ?? 0;
    sharedKilobytes = Math.max(sharedKilobytes, kilobytesIn(text, 'RssShmem') ?? 0);
  }
  return (privateKilobytes + sharedKilobytes) * 1024;
}

/**
 * The resident memory and the threads of several processes together. Memory is the private memory of all, plus the largest
 * shared part once (files, shared memory): of one process that is its VmRSS.
 */
export function sizesOf(pids: readonly number[]): {
  readonly residentBytes: number;
  readonly threads: number;
} {
  let [ownKilobytes, sharedKilobytes, threads] = [0, 0, 0];
  for (const pid of pids) {
    const text = readSmall(`/proc/${pid}/status`) ?? '';
    const kilobytes = (name: string): number => kilobytesIn(text, name) ?? 0;
    ownKilobytes += kilobytes('RssAnon');
    sharedKilobytes = Math.max(sharedKilobytes, kilobytes('RssFile') + kilobytes('RssShmem'));
    threads += Number(/^Threads:\s+(\d+)$/m.exec(text)?.[1] ?? 0);
  }
  return { residentBytes: (ownKilobytes + sharedKilobytes) * 1024, threads };
}

/** Seconds over all CPUs since the boot, sampled at the kernel's tick. */
export interface CpuTimes {
  /** User, nice and system; guest time is part of user. */
  readonly processSeconds: number;
  /** The same plus interrupts: everything except idle, iowait and steal. */
  readonly busySeconds: number;
  readonly stealSeconds: number;
}

/** Null without /proc. */
export function cpuTimes(): CpuTimes | null {
  const line = readSmall('/proc/stat')?.split('\n', 1)[0];
  if (line === undefined || !line.startsWith('cpu ')) return null;
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
    .trim()
    .split(/\s+/)
    .slice(1)
    .map((ticks) => Number(ticks) / TICKS_PER_SECOND);
  const processSeconds = user + nice + system;
  return { processSeconds, busySeconds: processSeconds + irq + softirq, stealSeconds: steal };
}

/** `0-3,8` as numbers. */
export const cpuNumbers = (list: string): readonly number[] =>
  list.split(',').flatMap((part) => {
    const [, from, to = from] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part) ?? [];
    if (from === undefined) return [];
    return Array.from({ length: Number(to) - Number(from) + 1 }, (_, i) => Number(from) + i);
  });

/** The CPUs that this process may use, by number; empty where the system does not say. */
export const allowedCpus = (): readonly number[] =>
  cpuNumbers(/^Cpus_allowed_list:\s*(.*)$/m.exec(readSmall('/proc/self/status') ?? '')?.[1] ?? '');

/** Bytes sent by each interface, loopback included; null without /proc. */
export function networkBytes(): readonly (readonly [name: string, bytes: number])[] | null {
  try {
    return readFileSync('/proc/net/dev', 'latin1')
      .split('\n')
      .slice(2)
      .filter((line) => line.includes(':'))
      .map((line) => {
        const colon = line.indexOf(':');
        const columns = line
          .slice(colon + 1)
          .trim()
          .split(/\s+/);
        return [line.slice(0, colon).trim(), Number(columns[8])] as const;
      });
  } catch {
    return null;
  }
}

/** MemAvailable, in bytes; null without /proc. */
export function memoryAvailable(): number | null {
  const kilobytes = kilobytesIn(readSmall('/proc/meminfo') ?? '', 'MemAvailable');
  return kilobytes === null ? null : kilobytes * 1024;
}
