import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { platform } from 'node:os';
import { kill } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { readProcess } from './proc.ts';

const LOOK_EVERY_MS = 2;
/** A process takes a signal when it is next given a CPU. */
const STOP_LIMIT_MS = 2_000;
const GONE_LIMIT_MS = 10_000;

/**
 * Everything that a process started, and that those started. PostgreSQL's backends lead sessions of their own: no
 * signal to the postmaster's group reaches them.
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

/** Those that it started itself and that still are. */
export function childrenOf(pid: number): readonly number[] {
  if (platform() === 'linux') {
    try {
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
      return children.split(' ').filter(Boolean).map(Number);
    } catch {
      // A kernel without that file, or the process has just ended.
    }
  }
  return (platform() === 'linux' ? childrenFromProc() : childrenFromPs()).get(pid) ?? [];
}

/** SIGSTOP, first to the process itself, so that it starts nobody in between, then to all that it started. */
export async function stopTree(pid: number): Promise<void> {
  for (const member of await stoppedTree(pid)) signal(member, 'SIGSTOP');
}

/** SIGCONT to all of them, to the process itself last: it finds its children as they were. */
export function continueTree(pid: number): void {
  for (const member of descendantsOf(pid)) signal(member, 'SIGCONT');
  signal(pid, 'SIGCONT');
}

/**
 * SIGKILL to all of them in one go: nobody is left who could still write, or tell of the others' end. Resolves
 * when they are gone.
 */
export async function killTree(pid: number): Promise<void> {
  const held = await stoppedTree(pid);
  // The process itself last: it stands still, and no child sees it end.
  const family = held.toReversed().map((member) => ({ pid: member, startedAt: startTime(member) }));
  for (const member of family) {
    // A process that it started a moment ago may still be of its group; others lead one.
    signal(-member.pid, 'SIGKILL');
    signal(member.pid, 'SIGKILL');
  }
  const alive = () => family.some((it) => it.startedAt !== null && startTime(it.pid) === it.startedAt);
  await until(() => !alive(), GONE_LIMIT_MS);
}

/** The process, stopped, and its descendants. */
async function stoppedTree(pid: number): Promise<readonly number[]> {
  signal(pid, 'SIGSTOP');
  await until(() => isStopped(pid), STOP_LIMIT_MS);
  return [pid, ...descendantsOf(pid)];
}

/** The condition comes true, or nobody waits for it any longer. */
async function until(condition: () => boolean, limit: number): Promise<void> {
  const end = performance.now() + limit;
  while (!condition() && performance.now() < end) await sleep(LOOK_EVERY_MS);
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    kill(pid, name);
  } catch {
    // It has just ended.
  }
}

/** Stopped, or no more. */
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
 * When a process was started, as an opaque text, so that a reused pid is told from the process that had it
 * before. Null when there is no such process, or only what is left of it until its parent notices.
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
