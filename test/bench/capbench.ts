import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT, type ExitCode, messageOf } from '../../src/errors.ts';
import { STOP_SIGNALS } from '../../src/host.ts';

/** The bundles of benches are in dist. */
export const root = fileURLToPath(new URL('..', import.meta.url));

export const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** Runs the built CLI to its end; an abort interrupts it as Ctrl-C does. Resolves with its exit code and its last words. */
export async function capbench(
  args: readonly string[],
  signal: AbortSignal,
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [join(root, 'bin', 'capbench.js'), ...args], {
    cwd: root,
    env: { ...env, CAPBENCH_WORKERS: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C in a terminal reaches this process, which passes it on once.
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-2000);
    });
  const stop = (): void => void child.kill('SIGINT');
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', resolve);
  });
  signal.removeEventListener('abort', stop);
  return { code, output };
}

/** The last lines of its output, in one. */
export const lastWords = (output: string): string => output.trim().split('\n').slice(-3).join(' | ');

/**
 * Runs a bench that measures in slices, until its end or Ctrl-C, and sets the exit code of this process.
 * @param work the exit code that its results lead to
 */
export async function runBench(work: (stop: AbortSignal) => Promise<ExitCode>): Promise<void> {
  const stop = new AbortController();
  for (const name of STOP_SIGNALS) process.on(name, () => stop.abort());
  try {
    const code = await work(stop.signal);
    process.exitCode = stop.signal.aborted ? EXIT.interrupted : code;
  } catch (thrown) {
    say(messageOf(thrown));
    process.exitCode = EXIT.bug;
  }
}
