import { type ChildProcess, type Serializable, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { execPath } from 'node:process';
import { Duplex, type Readable } from 'node:stream';
import { monotonic } from '../clock.ts';
import { stackFailed } from '../errors.ts';
import type { Micros } from '../units.ts';
import { type Cleanup, cleanUp } from './cleanup.ts';
import { openLogFile } from './log-file.ts';
import { lowerPriority } from './priority.ts';
import {
  continueTree,
  familyOf,
  killFamily,
  killMarked,
  killTree,
  signal,
  stopTree,
  TREE_VARIABLE,
} from './process-tree.ts';
import { settlesWithin } from './time-limit.ts';
import type { EndMethod, Watchdog } from './watchdog.ts';

/** A signal, and how many milliseconds to wait before the next one. */
export interface Rung {
  readonly signal: NodeJS.Signals;
  readonly patience: number;
}

/** The last rung needs no limit: nothing survives SIGKILL. */
export const KILL: Rung = { signal: 'SIGKILL', patience: Number.POSITIVE_INFINITY };
export const NODE_LADDER: readonly Rung[] = [{ signal: 'SIGTERM', patience: 5_000 }, KILL];
/** PostgreSQL's fast shutdown, its immediate shutdown, then SIGKILL. */
export const POSTGRES_LADDER: readonly Rung[] = [
  { signal: 'SIGINT', patience: 5_000 },
  { signal: 'SIGQUIT', patience: 6_000 },
  KILL,
];

/** An existing account that a process runs as instead of capbench's own. */
export interface ProcessUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Puts a process, which does not run its program yet, under limits that all its descendants inherit. Rejects with exit code 93.
 */
export type Confine = (pid: number) => Promise<void>;

interface ProcessSpecBase {
  /** `postgres`, `world-2`, `fleet-0`: in messages and file names. */
  readonly name: string;
  readonly args?: readonly string[];
  /** Added to the environment that every child inherits (the watchdog's `environment`). */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Where stdout and stderr go, up to a limit. */
  readonly log: string;
  readonly watchdog: Watchdog;
  readonly ladder?: readonly Rung[];
  readonly endMethod?: EndMethod;
  /**
   * Runs unless the process ended with exit code 0, before it counts as ended. An exit code other than 0 is enough: a
   * process may end with one because a child of its was killed.
   */
  readonly cleanup?: Cleanup;
  /** Asks the process to end, before the first signal of `stop`. Never rejects. */
  readonly stopFirst?: () => Promise<void>;
  readonly user?: ProcessUser | null;
  /** It is under test, and gets a lower priority than the generator. */
  readonly lowPriority?: boolean;
  readonly confine?: Confine | undefined;
}

/** Any program, by its absolute path. */
export interface CommandSpec extends ProcessSpecBase {
  readonly command: string;
}

/** A Node process with an IPC channel ('advanced' serialization: typed arrays arrive as such). */
interface ModuleSpec extends ProcessSpecBase {
  readonly module: string;
  readonly execArgv?: readonly string[];
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** When it ended. */
  readonly at: Micros;
}

/** A child process in a process group of its own. */
export interface SupervisedProcess {
  readonly name: string;
  readonly pid: number;
  readonly log: string;
  /** Settles (never rejects) when the process has ended and its last output is in the log. */
  readonly exited: Promise<Exit>;
  /** True once `stop` or `kill` was called: the end of the process is then no failure. */
  readonly stopping: boolean;
  /** True once the process has ended; `exited` settles when its last output is in the log. */
  readonly hasEnded: boolean;
  /** The last lines of its output. */
  tail(lines?: number): string;
  /** Receives every chunk of output. */
  onOutput(listener: (text: string) => void): void;
  /** Sends one signal after the other until the process has ended; resolves then. Idempotent. */
  stop(): Promise<Exit>;
  /**
   * Sends SIGKILL to the process and its descendants at once; resolves when all have ended. What they leave behind stays
   * guarded until `stop` cleans it up, or `forget` reports that a successor has taken it over.
   */
  kill(): Promise<Exit>;
  forget(): void;
  /** Sends SIGSTOP to the process and its descendants; resolves when all are stopped. */
  suspend(): Promise<void>;
  resume(): void;
}

export interface NodeProcess extends SupervisedProcess {
  /** Never throws: a message to a process that has ended is lost. */
  send(message: Serializable): void;
  /** No message is missed if it is attached in the turn of the event loop in which startProcess resolved. */
  onMessage(listener: (message: unknown) => void): void;
}

/**
 * The shell starts the program only once the watchdog guards the process. If capbench is killed before, the shell reads
 * the end of the pipe and ends by itself, so that an unguarded program never runs.
 */
const GATE = 'read -r go <&3 && exec "$@" 3<&-';
const GATE_DESCRIPTOR = 3;
const LAST_OUTPUT_MS = 250;

/**
 * Starts a child process in its own session (a terminal's Ctrl-C does not reach it), with a minimal environment, guarded
 * by the watchdog. Rejects with exit code 93 when the host refuses another process. A program that cannot be executed
 * ends with exit code 126 or 127, and the reason is in its log.
 */
export function startProcess(spec: ModuleSpec): Promise<NodeProcess>;
export function startProcess(spec: CommandSpec): Promise<SupervisedProcess>;
export async function startProcess(spec: ModuleSpec | CommandSpec): Promise<NodeProcess> {
  const { name, watchdog, ladder = NODE_LADDER } = spec;
  const marker = spec.endMethod === 'marked' ? randomUUID() : null;
  const program = 'module' in spec ? [execPath, ...(spec.execArgv ?? []), spec.module] : [spec.command];
  const child = spawn('/bin/sh', ['-c', GATE, name, ...program, ...(spec.args ?? [])], {
    cwd: spec.cwd ?? '/',
    detached: true,
    env: {
      ...watchdog.environment,
      ...spec.env,
      ...(marker === null ? {} : { [TREE_VARIABLE]: marker }),
    },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', ...('module' in spec ? ['ipc' as const] : [])],
    serialization: 'advanced',
    ...(spec.user ? { uid: spec.user.uid, gid: spec.user.gid } : {}),
  });
  const { pid } = child;
  if (pid === undefined) throw await refusal(child, name);
  // send() reports each error to its caller.
  child.on('error', () => {});

  const log = openLogFile(spec.log);
  const listeners: ((text: string) => void)[] = [];
  const pipes: readonly (Readable | null)[] = [child.stdout, child.stderr];
  for (const pipe of pipes)
    pipe?.on('data', (chunk: Buffer) => {
      log.write(chunk);
      for (const listener of listeners) listener(chunk.toString('utf8'));
    });

  let gone = false;
  let killed = false;
  let forgotten = false;
  let suspended = false;
  let stopping: Promise<Exit> | undefined;
  const signalGroup = (name: NodeJS.Signals): void => signal(-pid, name);
  const clean = async (): Promise<void> => {
    if (spec.cleanup !== undefined) await cleanUp(spec.cleanup, watchdog.environment);
    watchdog.release(pid);
  };
  const exited = new Promise<Exit>((resolve) => {
    const drained = new Promise<void>((done) => {
      child.once('close', () => done());
    });
    child.once('exit', async (code, signal) => {
      const at = monotonic();
      gone = true;
      // Children that it left in its group must not stay.
      signalGroup('SIGKILL');
      if (marker !== null) await killMarked(marker);
      if (code === 0) watchdog.release(pid);
      else if (!killed) await clean();
      await settlesWithin(drained, LAST_OUTPUT_MS);
      await log.end();
      resolve({ code, signal, at });
    });
  });
  const killAll = async (): Promise<Exit> => {
    if (!gone) {
      killed = true;
      await killTree(pid);
    }
    return exited;
  };
  const stop = async (): Promise<Exit> => {
    // A suspended process does not handle other signals.
    if (suspended && !gone) await killAll();
    if (killed) {
      const exit = await exited;
      if (!forgotten) await clean();
      return exit;
    }
    const hasFamily = spec.endMethod === 'tree' || spec.endMethod === 'marked';
    const family = hasFamily && !gone ? familyOf(pid) : [];
    if (!gone) await spec.stopFirst?.();
    for (const { signal: name, patience } of ladder) {
      if (gone) break;
      signalGroup(name);
      if (patience !== Number.POSITIVE_INFINITY) await settlesWithin(exited, patience);
    }
    const exit = await exited;
    killFamily(family);
    return exit;
  };
  const started: NodeProcess = {
    name,
    pid,
    log: spec.log,
    exited,
    get stopping() {
      return stopping !== undefined || killed;
    },
    get hasEnded() {
      return gone;
    },
    tail: (lines = 20) => log.tail(lines),
    onOutput: (listener) => void listeners.push(listener),
    stop() {
      stopping ??= stop();
      return stopping;
    },
    kill: killAll,
    forget() {
      forgotten = true;
      watchdog.release(pid);
    },
    async suspend() {
      suspended = true;
      if (!gone) await stopTree(pid);
    },
    resume() {
      suspended = false;
      if (!gone) continueTree(pid);
    },
    send(message) {
      if (child.connected) child.send(message, () => {});
    },
    onMessage: (listener) => void child.on('message', listener),
  };
  try {
    await watchdog.guard(pid, spec.endMethod ?? 'kill', spec.cleanup ?? null, marker);
    await spec.confine?.(pid);
  } catch (error) {
    signalGroup('SIGKILL');
    throw error;
  }
  // Set before the program runs, since its threads and children inherit it.
  if (spec.lowPriority === true) lowerPriority(pid);
  openGate(child);
  return started;
}

function openGate(child: ChildProcess): void {
  const gate = child.stdio[GATE_DESCRIPTOR];
  if (!(gate instanceof Duplex)) return;
  gate.on('error', () => {});
  gate.resume();
  gate.end('go\n');
}

async function refusal(child: ChildProcess, name: string): Promise<Error> {
  const error = await new Promise<Error>((resolve) => {
    child.once('error', resolve);
  });
  return stackFailed(
    `${name} could not be started: ${error.message}`,
    'check how many processes and open files this user may have: ulimit -u, ulimit -n',
    error,
  );
}

/** `exit code 1`, `killed by SIGKILL`. */
export const describeExit = ({ code, signal }: Omit<Exit, 'at'>): string =>
  signal === null ? `exit code ${code}` : `killed by ${signal}`;
