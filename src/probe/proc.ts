import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second in /proc/<pid>/stat: USER_HZ, 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** `utime stime cutime cstime` are fields 14 to 17 of /proc/<pid>/stat, and ppid is field 4 (proc(5)). */
interface ProcessStat {
  readonly parent: number;
  readonly ownSeconds: number;
  readonly reapedSeconds: number;
}

function statOf(pid: number): ProcessStat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the command in parentheses, which may hold blanks: count from its end.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const field = (n: number): number => Number(fields[n - 3]);
    return {
      parent: field(4),
      ownSeconds: (field(14) + field(15)) / TICKS_PER_SECOND,
      reapedSeconds: (field(16) + field(17)) / TICKS_PER_SECOND,
    };
  } catch {
    return null;
  }
}

function statusKilobytes(pid: number, names: readonly string[]): number[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'latin1');
    return names.map((name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0));
  } catch {
    return null;
  }
}

export interface TreeUse {
  /** User and system CPU since the start, of the process, its living children and those it has reaped. */
  readonly cpuSeconds: number;
  /** Private memory of all, and the shared memory once: the largest any of them has touched. */
  readonly memoryBytes: number;
}

/** CPU and memory of a process and its children (a postmaster and its backends); null without /proc. */
export function treeUse(root: number): TreeUse | null {
  const rootStat = statOf(root);
  if (rootStat === null) return null;
  let cpuSeconds = rootStat.ownSeconds + rootStat.reapedSeconds;
  let privateKilobytes = 0;
  let sharedKilobytes = 0;
  const addMemory = (pid: number): void => {
    const memory = statusKilobytes(pid, ['RssAnon', 'RssShmem']);
    privateKilobytes += memory?.[0] ?? 0;
    sharedKilobytes = Math.max(sharedKilobytes, memory?.[1] ?? 0);
  };
  addMemory(root);
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const stat = statOf(pid);
    if (stat?.parent !== root) continue;
    cpuSeconds += stat.ownSeconds + stat.reapedSeconds;
    addMemory(pid);
  }
  return { cpuSeconds, memoryBytes: (privateKilobytes + sharedKilobytes) * 1024 };
}

/** Seconds over all CPUs since boot: busy is everything but idle and waiting for I/O. Null without /proc. */
export function cpuTimes(): { readonly busySeconds: number; readonly stealSeconds: number } | null {
  try {
    const [user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'latin1')
      .split('\n', 1)[0]!
      .trim()
      .split(/\s+/)
      .slice(1)
      .map((ticks) => Number(ticks) / TICKS_PER_SECOND);
    if (steal === undefined) return null;
    return {
      busySeconds: (user ?? 0) + (nice ?? 0) + (system ?? 0) + (irq ?? 0) + (softirq ?? 0),
      stealSeconds: steal,
    };
  } catch {
    return null;
  }
}

/** Bytes sent over all interfaces, loopback included; null without /proc. */
export function networkBytes(): number | null {
  try {
    return readFileSync('/proc/net/dev', 'latin1')
      .split('\n')
      .slice(2)
      .map((line) =>
        Number(
          line
            .slice(line.indexOf(':') + 1)
            .trim()
            .split(/\s+/)[8] ?? 0,
        ),
      )
      .reduce((sum, bytes) => sum + (Number.isFinite(bytes) ? bytes : 0), 0);
  } catch {
    return null;
  }
}

/** MemAvailable; null without /proc. */
export function memoryAvailable(): number | null {
  try {
    const kilobytes = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) * 1024;
  } catch {
    return null;
  }
}
