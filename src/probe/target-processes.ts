import { readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import { type ProcessAddress, shownProcess } from '../address/process-address.ts';
import { monotonic } from '../clock.ts';
import { badInput, messageOf, stackFailed } from '../errors.ts';
import {
  ancestorsOf,
  type ProcessReading,
  parseStat,
  readProcess,
  readSmall,
  sizesOf,
} from '../supervision/proc.ts';
import { type Owner, openCpuAccount } from './cpu-account.ts';
import { listenersOn } from './listeners.ts';
import type { Absence, PartialProbe, Probe, Sample } from './probe.ts';
import { openProcessTable } from './process-table.ts';

/** A named process of a target: it, its children and theirs, read once a second. */
export interface ProcessProbe extends Probe, PartialProbe {
  /** The pids at which the tree begins, as of the last reading. */
  roots(): readonly number[];
}

/** The process of a component that capbench has started; null where there is none now. */
type ComponentPid = (name: string) => number | null;

/** Where more threads than this live in one tree, they are not read one by one. */
const MOST_THREADS = 1_000;

/**
 * Watches the named processes. A process that ends leaves gaps; one that is started again under the same port or pid file
 * is followed. Each process of the host counts for the nearest named one above it. Rejects with exit code 93 where one
 * cannot be found, and without /proc; with 104 as refuseProcesses.
 */
export async function openProcessProbes(
  addresses: readonly ProcessAddress[],
  pidOf: ComponentPid = () => null,
): Promise<readonly ProcessProbe[]> {
  if (addresses.length === 0) return [];
  if (readProcess(process.pid) === null) {
    throw stackFailed(
      `the processes of a target cannot be watched on this platform (${os.platform()}): it has no /proc`,
      'run without --probe-process; the CPU of the host is measured anyway',
    );
  }
  const table = openProcessTable();
  const account = openCpuAccount();
  const named = addresses.map((address) => ({ address, roots: openRoots(address, pidOf) }));
  refuseRoots(named.map(({ address, roots }) => ({ address, pids: roots.known() })));
  let lastScan = monotonic();
  let scanning: Promise<readonly ProcessReading[]> | null = null;

  const read = async (): Promise<readonly ProcessReading[]> => {
    const scan = await table.scan();
    const owners = new Map<number, Owner>([[process.pid, 'run']]);
    for (const { address, roots } of named)
      for (const pid of roots.living(scan)) owners.set(pid, `process ${address.name}`);
    const now = monotonic();
    account.add(scan, owners, (os.cpus().length * (now - lastScan)) / 1e6);
    lastScan = now;
    return scan;
  };
  /** The probes are read together, so one scan serves all of them. */
  const scanned = (): Promise<readonly ProcessReading[]> => {
    scanning ??= read().finally(() => {
      scanning = null;
    });
    return scanning;
  };

  return named.map(({ address, roots }): ProcessProbe => {
    const { name } = address;
    const threads = openBusiestThread();
    let unreadable: string | null = null;
    return {
      name: `process-${name}`,
      async sample() {
        const scan = await scanned();
        const pids = new Set(account.pids(`process ${name}`));
        const living = scan.filter(({ pid, state }) => pids.has(pid) && state !== 'Z');
        if (living.length === 0) throw new Error(`${shownProcess(address)} has ended: ${roots.missing()}`);
        const of = living.map(({ pid }) => pid);
        const { residentBytes, threads: count } = sizesOf(of);
        const descriptors = descriptorsOf(of);
        if (descriptors === null)
          unreadable ??= 'they belong to another user, and are visible to that user and root';
        const busiest = count > MOST_THREADS ? null : threads(of);
        const values = {
          gauge: { memoryBytes: residentBytes, threads: count, descriptors, processes: of.length },
          counter: { cpuSeconds: account.seconds(`process ${name}`), busiestThreadSeconds: busiest },
        };
        return (['gauge', 'counter'] as const).flatMap((kind) =>
          Object.entries(values[kind]).flatMap(([series, value]): readonly Sample[] =>
            value === null ? [] : [{ series: `process.${name}.${series}`, kind, value }],
          ),
        );
      },
      absences: (): readonly Absence[] =>
        unreadable === null ? [] : [{ of: `target.process.${name}.descriptors`, because: unreadable }],
      roots: () => roots.known(),
      close: async () => undefined,
    };
  });
}

/**
 * Refuses addresses of what is there already, before anything is started: two names for one process, and capbench or what
 * started it, whose children are the whole run. @throws CapbenchError (104)
 */
export function refuseProcesses(addresses: readonly ProcessAddress[]): void {
  refuseRoots(
    addresses.flatMap((address) => {
      const found = address.by === 'component' ? [] : rootsOf(address, () => null);
      return typeof found === 'string' ? [] : [{ address, pids: found.map(({ pid }) => pid) }];
    }),
  );
}

interface Rooted {
  readonly address: ProcessAddress;
  readonly pids: readonly number[];
}

function refuseRoots(all: readonly Rooted[]): void {
  const above = ancestorsOf(process.pid);
  for (const [i, { address, pids }] of all.entries()) {
    const own = pids.find((pid) => pid === 1 || above.includes(pid));
    if (own !== undefined) {
      throw badInput(
        `--probe-process: ${shownProcess(address)}: process ${own} is capbench, or started it`,
        'name the process that serves the target; its children are watched with it',
      );
    }
    const other = all.slice(0, i).find((one) => one.pids.some((pid) => pids.includes(pid)));
    if (other !== undefined) {
      throw badInput(
        `--probe-process: ${shownProcess(other.address)} and ${shownProcess(address)} are the same process ${pids.find((pid) => other.pids.includes(pid))}, expected one name for each`,
        'name it once',
      );
    }
  }
}

/** Where a tree of processes begins. Throws exit code 93 where nothing is there. */
function openRoots(address: ProcessAddress, pidOf: ComponentPid) {
  const first = rootsOf(address, pidOf);
  if (typeof first === 'string') {
    throw stackFailed(
      `--probe-process: ${shownProcess(address)} is not there: ${first}`,
      'start it, or correct what --probe-process names: a pid, :PORT, or the path of a pid file',
    );
  }
  let known = first;
  let missing = 'it is there no more';
  return {
    known: () => known.map(({ pid }) => pid),
    /** What was looked for when it was not there. */
    missing: () => missing,
    /** The pids among the scanned processes; where one has ended, they are looked up again. */
    living(scan: readonly ProcessReading[]): readonly number[] {
      const isLiving = (one: ProcessReading): boolean =>
        scan.some(({ pid, started, state }) => pid === one.pid && started === one.started && state !== 'Z');
      if (!known.every(isLiving)) {
        const again =
          address.by === 'pid' ? `there is no process ${address.pid} any more` : rootsOf(address, pidOf);
        if (typeof again === 'string') missing = again;
        else known = again;
      }
      return known.filter(isLiving).map(({ pid }) => pid);
    },
  };
}

/** The processes that an address names; a sentence where there is none. */
function rootsOf(address: ProcessAddress, pidOf: ComponentPid): readonly ProcessReading[] | string {
  switch (address.by) {
    case 'component':
      return livingOf(pidOf(address.name) ?? -1, 'it is not running');
    case 'pid':
      return livingOf(address.pid, `there is no process ${address.pid}`);
    case 'file':
      return rootsInFile(address.path);
    case 'port':
      return rootsAtPort(address.port);
  }
}

function livingOf(pid: number, missing: string): readonly ProcessReading[] | string {
  const reading = readProcess(pid);
  if (reading === null || reading.state === 'Z') return missing;
  return reading.kernelThread ? `process ${pid} is a thread of the kernel` : [reading];
}

function rootsInFile(path: string): readonly ProcessReading[] | string {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (error) {
    return `the pid file cannot be read: ${messageOf(error)}`;
  }
  // PostgreSQL's has more lines.
  const [, pid] = /^\s*(\d{1,9})\s*(?:\n|$)/.exec(text) ?? [];
  if (pid === undefined) return 'the first line of the file is no pid';
  return livingOf(Number(pid), `there is no process ${pid}, which the file names`);
}

function rootsAtPort(port: number): readonly ProcessReading[] | string {
  const { pids, hiddenUsers } = listenersOn(new Set([port]), 'local');
  const others = pids.filter((pid) => pid !== process.pid);
  // Init holds the sockets of services that it starts on demand, and every process of the host is its child.
  const found = others.filter((pid) => pid !== 1).flatMap((pid) => readProcess(pid) ?? []);
  if (found.length > 0) return found;
  const [user] = hiddenUsers;
  if (user !== undefined) {
    return `a process of the user ${user} listens on port ${port}, and only that user and root may see which: run capbench as one of them, or name the process by its pid`;
  }
  return others.length > 0
    ? `only process 1 listens on port ${port}: name the process that serves it by its pid`
    : `nothing listens on port ${port} of a loopback address`;
}

/** The open descriptors of all processes; null where those of one are not visible. */
function descriptorsOf(pids: readonly number[]): number | null {
  let sum = 0;
  for (const pid of pids) {
    try {
      sum += readdirSync(`/proc/${pid}/fd`).length;
    } catch {
      // One that has ended in between has none.
      if (readProcess(pid) !== null) return null;
    }
  }
  return sum;
}

/**
 * The CPU seconds of the busiest thread: in each interval of the thread that used most in it. A server with one thread is
 * full at one core, and one with many is not. A process counts from its second reading on.
 */
function openBusiestThread(): (pids: readonly number[]) => number {
  let before: ReadonlyMap<number, ReadonlyMap<string, number>> = new Map();
  let seconds = 0;
  return (pids) => {
    const now = new Map(pids.map((pid) => [pid, new Map(threadsOf(pid))]));
    const grown = [...now].flatMap(([pid, threads]) => {
      const earlier = before.get(pid);
      return earlier === undefined ? [] : [...threads].map(([id, used]) => used - (earlier.get(id) ?? 0));
    });
    seconds += Math.max(0, ...grown);
    before = now;
    return seconds;
  };
}

/** The CPU seconds of each thread, since it was started. */
function threadsOf(pid: number): readonly (readonly [id: string, seconds: number])[] {
  let threads: readonly string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  return threads.flatMap((thread) => {
    const text = readSmall(`/proc/${pid}/task/${thread}/stat`);
    if (text === null || text === '') return [];
    const { started, ownSeconds } = parseStat(text);
    return [[`${thread} ${started}`, ownSeconds] as const];
  });
}
