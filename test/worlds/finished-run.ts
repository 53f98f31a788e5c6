import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Measurements } from '../../src/measurement/measurements.ts';
import type { Report } from '../../src/report/report.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** How a shipped scenario is run. */
export interface Plan {
  /** In the folder scenarios, without its ending. */
  readonly scenario: string;
  /** `path=value`, as for --set. */
  readonly set?: readonly string[];
  readonly flags?: readonly string[];
  /** A run that lasts longer is ended, and is not as expected. */
  readonly mostSeconds: number;
}

/** A run that has ended. */
export interface FinishedRun {
  readonly code: number | null;
  readonly seconds: number;
  /** Null where it left no bundle. */
  readonly report: Report | null;
  readonly measurements: Pick<Measurements, 'faults'> | null;
  /** Its last lines, for a run that left nothing else. */
  readonly output: string;
  readonly bundle: string;
}

const LAST_CHARACTERS = 2000;

/** Runs the built CLI; its bundle is in a folder of its own below `out`. Never rejects. */
export async function runScenario(plan: Plan, out: string): Promise<FinishedRun> {
  const { scenario, set = [], flags = [], mostSeconds } = plan;
  const folder = mkdtempSync(join(out, `${scenario}-`));
  const begin = performance.now();
  const child = spawn(
    process.execPath,
    [
      ...[join(root, 'bin', 'capbench.js'), 'run', join(root, 'scenarios', `${scenario}.yaml`)],
      ...['--out', folder, '--no-charts', ...set.flatMap((one) => ['--set', one]), ...flags],
    ],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-LAST_CHARACTERS);
    });
  const stop = (): void => void child.kill('SIGTERM');
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, stop);
  const timer = setTimeout(stop, mostSeconds * 1e3);
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', resolve);
  });
  clearTimeout(timer);
  for (const signal of signals) process.off(signal, stop);
  const bundle = join(folder, 'latest');
  const read = <T>(name: string): T | null => {
    try {
      return JSON.parse(readFileSync(join(bundle, name), 'utf8')) as T;
    } catch {
      return null;
    }
  };
  return {
    ...{ code, output, bundle, seconds: (performance.now() - begin) / 1e3 },
    ...{ report: read<Report>('report.json'), measurements: read<Measurements>('measurements.json') },
  };
}
