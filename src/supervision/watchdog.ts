import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { execPath, kill } from 'node:process';
import type { Writable } from 'node:stream';
import { messageOf, stackFailed } from '../errors.ts';
import { bundleFile } from './bundle-file.ts';
import type { Cleanup } from './cleanup.ts';
import { signal, startTime } from './process-tree.ts';
import { settlesWithin } from './time-limit.ts';

/**
 * How a guarded process group is ended: `kill` at once; `tree` at once, with descendants that lead groups of their own;
 * `marked` as `tree`, with everything that it or they have started, by a marker in the environment (process-tree.ts);
 * `postmaster` with SIGQUIT first, so that it ends its backends and releases its shared memory.
 */
export type EndMethod = 'kill' | 'tree' | 'marked' | 'postmaster';

/** One line of the pipe to the watchdog, as JSON. */
export type WatchdogOrder =
  | {
      readonly order: 'guard';
      readonly pid: number;
      /** startTime of process-tree.ts. */
      readonly startedAt: string;
      readonly endMethod: EndMethod;
      readonly cleanup: Cleanup | null;
      /** Of `marked`. */
      readonly marker: string | null;
    }
  | { readonly order: 'release'; readonly pid: number }
  /** A process that is not capbench's, and that a fault stops: it is continued. */
  | { readonly order: 'guardStopped'; readonly pid: number; readonly startedAt: string }
  | { readonly order: 'releaseStopped'; readonly pid: number }
  | { readonly order: 'guardFolder'; readonly path: string }
  | { readonly order: 'releaseFolder'; readonly path: string }
  | { readonly order: 'guardGroup'; readonly path: string }
  | { readonly order: 'releaseGroup'; readonly path: string };

/**
 * A shell that keeps the same orders as the watchdog. When its pipe ends, it waits for the watchdog to finish, 30 s at
 * most, and then starts another one with these orders. It covers `killall node`, which would leave PostgreSQL, its
 * folder and suspended processes behind. Its command line names neither Node nor capbench.
 */
const SUBSTITUTE = `
  trap '' INT TERM HUP QUIT PIPE
  orders=$(cat)
  for i in $(seq 150); do
    kill -0 "$WATCHDOG" 2>/dev/null || break
    ! grep -q '^State:.Z' "/proc/$WATCHDOG/status" 2>/dev/null || break
    sleep 0.2
  done
  printf '%s\\n' "$orders" | exec "$PROGRAM" "$MODULE"`;

/**
 * A separate process that outlives capbench just long enough to end what capbench started. It holds a pipe to capbench:
 * when the pipe ends, for any reason, everything that is still guarded is killed and removed. One watchdog serves a
 * whole run: it is opened first, passed to the stack and to the fleet, and closed last.
 */
export interface Watchdog {
  readonly pid: number;
  /** The part of capbench's environment that every process of the run inherits. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Settles (never rejects) when the watchdog ended without being closed; stays pending otherwise. The run has to end
   * then: if capbench were killed, nothing would end its processes.
   */
  readonly lost: Promise<StackFailure>;
  /** Resolves once the order has reached the watchdog's pipe, where it outlives capbench. */
  guard(pid: number, endMethod: EndMethod, cleanup: Cleanup | null, marker?: string | null): Promise<void>;
  release(pid: number): void;
  /** Continues the process and its descendants in the end, unless it is released. Call it before they are stopped. */
  guardStopped(pid: number): Promise<void>;
  releaseStopped(pid: number): void;
  /** Call it before the folder is made. */
  guardFolder(path: string): Promise<void>;
  releaseFolder(path: string): void;
  /** A control group. Call it before the group is made. */
  guardGroup(path: string): Promise<void>;
  releaseGroup(path: string): void;
  /** Ends the watchdog. Resolves to a warning if it had to be killed, else to null. Idempotent. */
  close(): Promise<string | null>;
}

const START_LIMIT_MS = 20_000;
/** The first limit is for a watchdog with nothing left to do, the second for one that ends everything it guards. */
const IDLE_CLOSE_LIMIT_MS = 4_000;
const CLOSE_LIMIT_MS = 20_000;
const INHERITED = /^(PATH|HOME|TMPDIR|LANG|LC_[A-Z]+|NODE_USE_SYSTEM_CA)$/;
/** The load's processes trust the same additional CA certificates as this one. */
const EXTRA_CA = 'NODE_EXTRA_CA_CERTS';

/** The variables that a child process needs: no token, no PG*, no NODE_OPTIONS. */
export function inheritedFrom(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment))
    if (value !== undefined && INHERITED.test(name)) kept[name] = value;
  const authorities = environment[EXTRA_CA];
  // Made absolute, since a child has another working directory.
  if (authorities) kept[EXTRA_CA] = resolve(authorities);
  return kept;
}

/** Starts the watchdog of a run. Rejects with exit code 93 when it does not come up. */
export async function openWatchdog(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Watchdog> {
  const inherited = inheritedFrom(environment);
  // In its own session, so that a terminal's Ctrl-C and hang-up do not reach it.
  const child = spawn(execPath, ['--max-old-space-size=64', bundleFile('watchdog')], {
    cwd: '/',
    detached: true,
    env: inherited,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const { stdin, stdout, pid } = child;
  // Every write reports its own error.
  stdin.on('error', () => {});
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  let up = false;
  const answered = once(stdout, 'data').then(() => {
    up = true;
  });
  await settlesWithin(Promise.race([answered, ended]), START_LIMIT_MS);
  stdout.destroy();
  if (pid === undefined || !up) {
    child.kill('SIGKILL');
    throw didNotStart();
  }

  const substitute = await startSubstitute(pid, inherited);
  const send = async (order: WatchdogOrder): Promise<void> => {
    const line = `${JSON.stringify(order)}\n`;
    // A run does not depend on the substitute.
    await Promise.all([write(stdin, line), write(substitute.stdin, line).catch(() => {})]);
  };
  // A lost release does no harm: the watchdog finds that the process has ended.
  const sendRelease = (order: WatchdogOrder): void => void send(order).catch(() => {});
  const left = new Set<number | string>();
  const end = async (): Promise<string | null> => {
    const warning = await endFirst();
    await endSubstitute(substitute);
    return warning;
  };
  const endFirst = async (): Promise<string | null> => {
    stdin.end();
    const limit = left.size === 0 ? IDLE_CLOSE_LIMIT_MS : CLOSE_LIMIT_MS;
    if (await settlesWithin(ended, limit)) return null;
    child.kill('SIGKILL');
    await ended;
    return `the watchdog (process ${pid}) did not end within ${limit / 1e3} s and was killed, probably because something on this host had stopped it${
      left.size === 0 ? '' : `; end or remove what it left: ${[...left].join(', ')}`
    }`;
  };
  let ending: Promise<string | null> | undefined;
  const lost = new Promise<StackFailure>((settle) => {
    void ended.then(() => {
      if (ending === undefined) settle(lostWatchdog(child.exitCode, child.signalCode));
    });
  });
  return {
    pid,
    environment: inherited,
    lost,
    guard: async (guarded, endMethod, cleanup, marker = null) => {
      const startedAt = startTime(guarded);
      // It has ended already.
      if (startedAt === null) return;
      left.add(guarded);
      await send({ order: 'guard', pid: guarded, startedAt, endMethod, cleanup, marker });
    },
    release: (guarded) => {
      left.delete(guarded);
      sendRelease({ order: 'release', pid: guarded });
    },
    guardStopped: async (stopped) => {
      const startedAt = startTime(stopped);
      if (startedAt !== null) await send({ order: 'guardStopped', pid: stopped, startedAt });
    },
    releaseStopped: (stopped) => sendRelease({ order: 'releaseStopped', pid: stopped }),
    guardFolder: (path) => {
      left.add(path);
      return send({ order: 'guardFolder', path });
    },
    releaseFolder: (path) => {
      left.delete(path);
      sendRelease({ order: 'releaseFolder', path });
    },
    guardGroup: (path) => {
      left.add(path);
      return send({ order: 'guardGroup', path });
    },
    releaseGroup: (path) => {
      left.delete(path);
      sendRelease({ order: 'releaseGroup', path });
    },
    close: () => {
      ending ??= end();
      return ending;
    },
  };
}

type Substitute = ChildProcess & { readonly stdin: Writable };

async function startSubstitute(
  watchdog: number,
  inherited: Readonly<Record<string, string>>,
): Promise<Substitute> {
  const child = spawn('/bin/sh', ['-c', SUBSTITUTE], {
    cwd: '/',
    detached: true,
    env: {
      ...inherited,
      ...{ WATCHDOG: String(watchdog), PROGRAM: execPath, MODULE: bundleFile('watchdog') },
    },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // stdin is missing where no descriptor was free.
  child.stdin?.on('error', () => {});
  try {
    await once(child, 'spawn');
  } catch (error) {
    kill(watchdog, 'SIGKILL');
    throw didNotStart(error);
  }
  return child;
}

async function endSubstitute(child: Substitute): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, 'exit');
  signal(-child.pid, 'SIGKILL');
  await ended;
}

const didNotStart = (cause?: unknown) =>
  stackFailed('the watchdog did not start', 'check how many processes this user may start: ulimit -u', cause);

const lostWatchdog = (code: number | null, signal: NodeJS.Signals | null): StackFailure => ({
  component: 'watchdog',
  message: `the process that cleans up if capbench is killed ended unexpectedly: ${
    signal === null ? `exit code ${code}` : `killed by ${signal}`
  }`,
  hint: 'start the run again; if it happens again, find out what kills processes on this host',
});

/** Resolves when the kernel has the line: the watchdog reads it even if capbench has ended by then. */
function write(pipe: Writable, line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    pipe.write(line, (error) => {
      if (error === null || error === undefined) resolve();
      else reject(stackFailed(`the watchdog has ended: ${messageOf(error)}`, 'start the run again', error));
    });
  });
}

/** A component ended unexpectedly. */
export interface StackFailure {
  /** `postgres`, `world-2`, `watchdog`. */
  readonly component: string;
  readonly message: string;
  readonly hint: string;
}
