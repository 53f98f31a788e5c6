import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BenchRun } from './bench-run.ts';
import type { Comparison } from './comparison.ts';

const ROUNDS = 10;
const LIMIT_MS = 20_000;
const CAPBENCH = fileURLToPath(new URL('../bin/capbench.js', import.meta.url));

/** `capbench --help` beside a Node that does nothing: wall time from start to end. */
export async function compareStartUp({ signal, watchdog, progress }: BenchRun): Promise<Comparison[]> {
  const timed = async (...args: readonly string[]): Promise<number> => {
    const start = performance.now();
    await promisify(execFile)(process.execPath, args, {
      signal,
      timeout: LIMIT_MS,
      env: { ...watchdog.environment },
    });
    return performance.now() - start;
  };
  const ours: number[] = [];
  const theirs: number[] = [];
  progress(`capbench --help, ${ROUNDS} times`);
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(await timed(CAPBENCH, '--help'));
    theirs.push(await timed('-e', '0'));
  }
  return [{ measure: 'capbench --help', unit: 'ms', yardstick: 'node -e 0', ours, theirs, aim: null }];
}
