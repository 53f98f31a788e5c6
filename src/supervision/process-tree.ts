import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { platform } from 'node:os';
import { kill } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { readProcess } from './proc.ts';

const POLL_MS = 2;
/** All processes of the host are read each time. */
const MARKED_POLL_MS = 20;
/** A process handles a signal only when it is next scheduled on a CPU. */
const STOP_LIMIT_MS = 2_000;
const GONE_LIMIT_MS = 10_000;

/**
 * The children of a process, their children, and so on. PostgreSQL's backends lead sessions of their own, so a signal to
 * the postmaster's process group does not reach them.
 */
export function descendantsOf(pid: number): readonly number[] {
  const children = platform() === 'linux' ? childrenFromProc() : childrenFromPs();
  const found: number[] = [];
  for (let next: readonly number[] = [pid]; next.length > 0; ) {
    next = next.flatMap((parent) => children.get(parent) ?? []);
    found.push(...next);
  }
  return found;
}

/** The living direct children of a process. */
export function childrenOf(pid: number): readonly number[] {
  if (platform() === 'linux') {
    try {
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
      return children.split(' ').filter(Boolean).map(Number);
    } catch {
      // The kernel lacks that file, or the process has just ended.
    }
  }
  return (platform() === 'linux' ? childrenFromProc() : childrenFromPs()).get(pid) ?? [];
}

/** Sends SIGSTOP to the process first, so that it cannot start another child, then to its descendants. */
export async function stopTree(pid: number): Promise<void> {
  for (const member of await stoppedTree(pid)) signal(member, 'SIGSTOP');
}

/** Sends SIGCONT to the descendants and last to the process, so that all its children run before it does. */
export function continueTree(pid: number): void {
  for (const member of descendantsOf(pid)) signal(member, 'SIGCONT');
  signal(pid, 'SIGCONT');
}

/**
 * Kills the stopped processes together, so that none of them can write or react to the end of another. Resolves when
 * all are gone.
 */
export async function killTree(pid: number): Promise<void> {
  const stopped = await stoppedTree(pid);
  // The stopped root is killed last, so that no child sees its parent end.
  const tree = stopped.toReversed().map((member) => ({ pid: member, startedAt: startTime(member) }));
  for (const member of tree) {
    // A child that has just started is still in its parent's group; later it may lead its own.
    signal(-member.pid, 'SIGKILL');
    signal(member.pid, 'SIGKILL');
  }
  const alive = () => tree.some((it) => it.startedAt !== null && startTime(it.pid) === it.startedAt);
  await until(() => !alive(), GONE_LIMIT_MS);
}

/** A process, by its pid and its start: a reused pid is another process. */
export interface FamilyMember {
  readonly pid: number;
  readonly startedAt: string | null;
}

/** The descendants of a process, which may lead groups and sessions of their own. */
export const familyOf = (pid: number): readonly FamilyMember[] =>
  descendantsOf(pid).map((member) => ({ pid: member, startedAt: startTime(member) }));

/** Kills those that have not ended. */
export function killFamily(family: readonly FamilyMember[]): void {
  for (const { pid, startedAt } of family)
    if (startedAt !== null && startTime(pid) === startedAt) signal(pid, 'SIGKILL');
}

/** In the environment of a process and of all that it starts, which inherit it. */
export const TREE_VARIABLE = 'CAPBENCH_TREE';

/**
 * Kills every process whose environment has the marker, also those that no living process has started and that lead sessions
 * of their own. Resolves when none is left. Without /proc, and of other users, none is found.
 */
export async function killMarked(marker: string): Promise<void> {
  if (platform() !== 'linux') return;
  const entry = `${TREE_VARIABLE}=${marker}`;
  const noneLeft = (): boolean => {
    const found = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && isMarked(pid, entry));
    for (const pid of found) signal(Number(pid), 'SIGKILL');
    return found.length === 0;
  };
  // A process may have started another one while the others were read.
  await until(noneLeft, GONE_LIMIT_MS, MARKED_POLL_MS);
}

function isMarked(pid: string, entry: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(entry);
  } catch {
    // It has ended, or belongs to another user.
    return false;
  }
}

/** Stops the process and returns it with its descendants. */
async function stoppedTree(pid: number): Promise<readonly number[]> {
  signal(pid, 'SIGSTOP');
  await until(() => isStopped(pid), STOP_LIMIT_MS);
  return [pid, ...descendantsOf(pid)];
}

/** Resolves when the condition is true or the limit has passed. */
async function until(condition: () => boolean, limit: number, poll = POLL_MS): Promise<void> {
  const end = performance.now() + limit;
  while (!condition() && performance.now() < end) await sleep(poll);
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    kill(pid, name);
  } catch {
    // It has just ended.
  }
}

/** Whether the process is stopped or has ended. */
function isStopped(pid: number): boolean {
  const state = platform() === 'linux' ? readProcess(pid)?.state : stateFromPs(pid);
  return state === undefined || /^[TtZX]/.test(state);
}

type Children = ReadonlyMap<number, readonly number[]>;

function childrenFromProc(): Children {
  const pairs: (readonly [number, number])[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const found = readProcess(Number(entry));
    if (found !== null) pairs.push([found.parent, found.pid]);
  }
  return byParent(pairs);
}

function childrenFromPs(): Children {
  const pairs = ps(['-axo', 'ppid=,pid=']).split('\n');
  return byParent(
    pairs.map((line) => {
      const [parent = Number.NaN, pid = Number.NaN] = line.trim().split(/\s+/).map(Number);
      return [parent, pid];
    }),
  );
}

const stateFromPs = (pid: number): string | undefined => {
  const state = ps(['-o', 'stat=', '-p', String(pid)]).trim();
  return state === '' ? undefined : state;
};

function ps(args: readonly string[]): string {
  try {
    return execFileSync('ps', args, {
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return '';
  }
}

function byParent(pairs: readonly (readonly [number, number])[]): Children {
  const children = new Map<number, number[]>();
  for (const [parent, pid] of pairs) {
    const known = children.get(parent);
    if (known === undefined) children.set(parent, [pid]);
    else known.push(pid);
  }
  return children;
}

/**
 * When a process was started, as an opaque text, which tells a reused pid from the process that had it before. Null when
 * there is no such process, or only a zombie.
 * Linux: field 22 of /proc/<pid>/stat, in clock ticks after the boot. Elsewhere: `ps -o lstart=`, in seconds.
 */
export function startTime(pid: number): string | null {
  return platform() === 'linux' ? fromProc(pid) : fromPs(pid);
}

function fromProc(pid: number): string | null {
  const found = readProcess(pid);
  return found === null || isDead(found.state) ? null : String(found.started);
}

function fromPs(pid: number): string | null {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    const [state, ...started] = line.split(/\s+/);
    return isDead(state) ? null : started.join(' ');
  } catch {
    return null;
  }
}

const isDead = (state: string | undefined): boolean => state === undefined || /^[ZXx]/.test(state);
