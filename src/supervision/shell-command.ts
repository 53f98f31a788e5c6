import { interrupted, stackFailed } from '../errors.ts';
import { describeExit, startProcess } from './process.ts';
import { settlesWithin, unlessAborted } from './time-limit.ts';
import type { Watchdog } from './watchdog.ts';

/** A command of the user's that runs to its end. */
export interface ShellCommand {
  /** In messages and of its log. */
  readonly name: string;
  readonly command: string;
  readonly cwd: string;
  /** All that it gets: a command that the user types has the whole environment, since npm asks for its token there. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: string;
  readonly watchdog: Watchdog;
  /** Milliseconds. */
  readonly limit: number;
}

/** Resolves once it has ended with 0. Rejects with exit code 93 where it does not, and 105 when aborted; all of it has ended then. */
export async function runShellCommand(
  { name, command, cwd, env, log, watchdog, limit }: ShellCommand,
  signal: AbortSignal,
): Promise<void> {
  const known = Object.fromEntries(
    Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
  const child = await startProcess({
    ...{ name, command: '/bin/sh', args: ['-c', command], cwd, env: known, log, watchdog, endMethod: 'tree' },
  });
  const failed = (what: string) =>
    stackFailed(
      `${name} ${what}, in ${cwd}: ${child.tail(1).trim()}`,
      `see its log, and try it there: ${command}`,
    );
  try {
    const inTime = await unlessAborted(settlesWithin(child.exited, limit), signal).catch(() => {
      throw interrupted(`${name} was interrupted`);
    });
    if (!inTime) throw failed(`did not end within ${limit / 60e3} minutes`);
    const exit = await child.exited;
    if (exit.code !== 0) throw failed(`ended with ${describeExit(exit)}`);
  } finally {
    await child.stop();
  }
}
