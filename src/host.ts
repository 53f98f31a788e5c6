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

/** Results go to stdout, progress and warnings to stderr. Secrets that the host's redaction knows are removed. */
export interface Output {
  /** Removes secrets and terminal escapes from the text. Never throws: output is dropped once its reader has gone away. */
  write(text: string): void;
  /** The same, but keeps capbench's own colours; the data in the text has passed Redaction.data. */
  paint(text: string): void;
  readonly isTTY: boolean;
  /** Width now, in columns: of the terminal; without one, of COLUMNS, or 100. */
  readonly columns: number;
}

/** Facts about the machine and the process. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  /** `v22.12.0` */
  readonly node: string;
  /** Cores available to this process. */
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Null on Windows, where users have no number. */
  readonly uid: number | null;
  readonly tmp: string;
  readonly pid: number;
}

/** The process as the CLI sees it: commands reach everything outside through this object. */
export interface Host {
  /** The arguments, without node and the script. */
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
  /** The line that the user types after the question; null where there is no terminal, or no answer. */
  ask(question: string): Promise<string | null>;
  /** The systems that scenarios may name; loaded on demand. */
  systems(): Promise<Systems>;
  /** Removes secrets from everything that is printed or written to a bundle. */
  readonly redaction: Redaction;
  /** cli.ts ends the process with this code once the command has resolved. A command sets it when its result is not 0. */
  exitCode: ExitCode;
  /** Stop signals go to the newest listener only. Returns a function that removes it. */
  onSignal(listener: (signal: StopSignal) => void): () => void;
  /** Uncaught errors go to the newest listener only. Returns a function that removes it. */
  onCrash(listener: (thrown: unknown) => void): () => void;
  /** Ends the process once stdout and stderr are flushed. Only cli.ts calls it. */
  exit(code: ExitCode): void;
}

/** A log has no width of its own. */
const COLUMNS_OF_A_LOG = 100;

/** The reader closed the output on purpose. EPIPE: `capbench list | head`. EIO: the terminal was closed. */
const READER_GONE: ReadonlySet<unknown> = new Set(['EPIPE', 'EIO']);

/**
 * @param clean removes the secrets
 * @param onLost called once when output is lost for any other reason than READER_GONE
 */
function outputOf(
  stream: NodeJS.WriteStream,
  clean: (text: string) => string,
  onLost: (reason: string) => void,
): Output {
  let gone = false;
  // The run goes on without its output: the exit code and the bundle hold the verdict, too.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (!gone && !READER_GONE.has(error.code)) onLost(error.message);
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
      return stream.columns || Number.parseInt(process.env.COLUMNS ?? '', 10) || COLUMNS_OF_A_LOG;
    },
  };
}

/** Resolves when everything written so far is flushed, or cannot be flushed any more. */
const drained = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.destroyed || !stream.writable) return resolve();
    stream.once('error', () => resolve());
    stream.write('', () => resolve());
  });

/** A reader that has stopped reading delays the exit by no more than this. */
const FLUSH_LIMIT_MS = 2000;

/** The first listener stays, since a signal or an error would be swallowed without any. */
function removeListener<T>(listeners: T[], listener: T): void {
  const at = listeners.lastIndexOf(listener);
  if (at > 0) listeners.splice(at, 1);
}

function workingDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw badInput(
      `the working directory was removed: ${messageOf(error)}`,
      'change to an existing directory',
    );
  }
}

async function ask(question: string): Promise<string | null> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return null;
  const { createInterface } = await import('node:readline');
  // Without a terminal of its own, so that Ctrl-C is a signal as everywhere.
  const lines = createInterface({ input: process.stdin, terminal: false });
  process.stderr.write(question);
  return new Promise((resolve) => {
    lines.once('line', (line) => {
      resolve(line);
      lines.close();
    });
    lines.once('close', () => resolve(null));
  });
}

export function processHost(systems: Host['systems']): Host {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const listeners: ((signal: StopSignal) => void)[] = [];
  const crashListeners: ((thrown: unknown) => void)[] = [];
  let cwd: string | undefined;
  const argv = process.argv.slice(2);
  // Certificates are always checked.
  delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  const redaction = Redaction.of(argv, process.env);
  const stderr = outputOf(
    process.stderr,
    (text) => redaction.text(text),
    () => {},
  );
  // JSON on stdout has to stay valid JSON.
  const stdout = outputOf(
    process.stdout,
    (text) => redaction.text(text, 'document'),
    (reason) => stderr.write(`warning: the results could not be written to stdout: ${reason}\n`),
  );
  return {
    argv,
    env: process.env,
    get cwd() {
      // Read once: a directory that is removed later changes no path.
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
    ask,
    exitCode: EXIT.pass,
    onSignal(listener) {
      if (listeners.length === 0) {
        // The handler is never removed: a signal in between would be lost.
        for (const signal of STOP_SIGNALS) process.on(signal, () => listeners.at(-1)?.(signal));
      }
      listeners.push(listener);
      return () => removeListener(listeners, listener);
    },
    onCrash(listener) {
      if (crashListeners.length === 0) {
        for (const event of ['uncaughtException', 'unhandledRejection']) {
          process.on(event, (thrown: unknown) => crashListeners.at(-1)?.(thrown));
        }
      }
      crashListeners.push(listener);
      return () => removeListener(crashListeners, listener);
    },
    exit(code) {
      process.exitCode = code;
      setTimeout(() => process.exit(code), FLUSH_LIMIT_MS).unref();
      void Promise.all([drained(process.stdout), drained(process.stderr)]).then(() => process.exit(code));
    },
  };
}
