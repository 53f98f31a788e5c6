import { readFileSync } from 'node:fs';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { badInput, EXIT, type ExitCode, messageOf } from './errors.ts';
import { Redaction } from './redaction.ts';
import type { Systems } from './systems/system.ts';
import { withoutEscapes, withoutForeignEscapes } from './terminal-escapes.ts';

/** The signals that mean "stop now". */
export const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type StopSignal = (typeof STOP_SIGNALS)[number];

/** Results go to stdout, progress and warnings to stderr. No secret that the host's redaction knows goes through. */
export interface Output {
  /** Text: without secrets, and without anything that a terminal obeys. Never throws: when the reader has gone away, what is written is dropped. */
  write(text: string): void;
  /** The same for a text with capbench's own colours, made of data that had none (Redaction.data). */
  paint(text: string): void;
  readonly isTTY: boolean;
  /** Width now, in columns; 80 where nobody says. */
  readonly columns: number;
}

/** What a command may want to know of the machine and the process. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  /** `v22.12.0` */
  readonly node: string;
  /** Cores that this process may use. */
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Null where users have no number (Windows). */
  readonly uid: number | null;
  readonly tmp: string;
  readonly pid: number;
}

/** The process, as the CLI sees it: the one object through which commands meet the outside. */
export interface Host {
  /** The arguments alone, without node and the script. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Throws bad input where the working directory was removed. */
  readonly cwd: string;
  /** The folder of the installed package, where `scenarios/` and `fixtures/` stand. */
  readonly root: string;
  readonly version: string;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly machine: Machine;
  /** The systems that scenarios may name; loaded when a command asks for them. */
  systems(): Promise<Systems>;
  /** What must not be told: all that is printed passes it, and all that is written to a bundle. */
  readonly redaction: Redaction;
  /** With which cli.ts will end the process once the command has resolved. A command sets it when its result is not 0. */
  exitCode: ExitCode;
  /** From now on every stop signal goes to this listener, and to none before it. Returns what undoes that. */
  onSignal(listener: (signal: StopSignal) => void): () => void;
  /** From now on what nobody caught goes to this listener, and to none before it. Returns what undoes that. */
  onCrash(listener: (thrown: unknown) => void): () => void;
  /** Ends the process after stdout and stderr are written out. Only cli.ts calls it. */
  exit(code: ExitCode): void;
}

/** EPIPE: `capbench list | head`. EIO: the terminal was closed. Whoever left knows it. */
const LEFT: ReadonlySet<unknown> = new Set(['EPIPE', 'EIO']);

/**
 * @param clean takes the secrets out of what is written
 * @param onLost told once when what is written is lost for another reason than that its reader has left.
 */
function outputOf(
  stream: NodeJS.WriteStream,
  clean: (text: string) => string,
  onLost: (reason: string) => void,
): Output {
  let gone = false;
  // No reason to drop a run: its verdict is the exit code too, and its bundle says the same.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (!gone && !LEFT.has(error.code)) onLost(error.message);
    gone = true;
  });
  return {
    write(text) {
      if (!gone) stream.write(clean(withoutEscapes(text)));
    },
    paint(text) {
      if (!gone) stream.write(clean(withoutForeignEscapes(text)));
    },
    get isTTY() {
      return !gone && stream.isTTY === true;
    },
    get columns() {
      return stream.columns || 80;
    },
  };
}

/** Resolves when everything written so far has been handed over, or cannot be any more. */
const drained = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.destroyed || !stream.writable) return resolve();
    stream.once('error', () => resolve());
    stream.write('', () => resolve());
  });

/** How long the last words may take when whoever reads them does not. */
const FAREWELL_MS = 2000;

/** The first one stays: without any, a signal or an error would be swallowed. */
function takeOut<T>(listeners: T[], listener: T): void {
  const at = listeners.lastIndexOf(listener);
  if (at > 0) listeners.splice(at, 1);
}

function workingDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw badInput(
      `the working directory was removed: ${messageOf(error)}`,
      'change to a directory that is there',
    );
  }
}

/** The real one. */
export function processHost(systems: Host['systems']): Host {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const listeners: ((signal: StopSignal) => void)[] = [];
  const crashListeners: ((thrown: unknown) => void)[] = [];
  let cwd: string | undefined;
  const argv = process.argv.slice(2);
  // Nothing turns the check of a certificate off.
  delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  const redaction = Redaction.of(argv, process.env);
  const stderr = outputOf(
    process.stderr,
    (text) => redaction.text(text),
    () => {},
  );
  // JSON goes to stdout, and has to stay JSON.
  const stdout = outputOf(
    process.stdout,
    (text) => redaction.text(text, 'document'),
    (reason) => stderr.write(`warning: the results could not be written to stdout: ${reason}\n`),
  );
  return {
    argv,
    env: process.env,
    get cwd() {
      // One that is removed later changes no path.
      cwd ??= workingDirectory();
      return cwd;
    },
    root,
    get version() {
      const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { version: string };
      return version;
    },
    stdout,
    stderr,
    systems,
    redaction,
    machine: {
      platform: process.platform,
      arch: process.arch,
      node: process.version,
      cpus: availableParallelism(),
      memoryBytes: totalmem(),
      uid: process.getuid?.() ?? null,
      tmp: tmpdir(),
      pid: process.pid,
    },
    exitCode: EXIT.pass,
    onSignal(listener) {
      if (listeners.length === 0) {
        // One handler for good: taking it away for a moment would lose the signal that comes just then.
        for (const signal of STOP_SIGNALS) process.on(signal, () => listeners.at(-1)?.(signal));
      }
      listeners.push(listener);
      return () => takeOut(listeners, listener);
    },
    onCrash(listener) {
      if (crashListeners.length === 0) {
        for (const event of ['uncaughtException', 'unhandledRejection']) {
          process.on(event, (thrown: unknown) => crashListeners.at(-1)?.(thrown));
        }
      }
      crashListeners.push(listener);
      return () => takeOut(crashListeners, listener);
    },
    exit(code) {
      process.exitCode = code;
      setTimeout(() => process.exit(code), FAREWELL_MS).unref();
      void Promise.all([drained(process.stdout), drained(process.stderr)]).then(() => process.exit(code));
    },
  };
}
