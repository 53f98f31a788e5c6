import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '../../../src/errors.ts';
import { stablePort } from '../../../src/supervision/stable-port.ts';
import { capbench, lastWords } from '../capbench.ts';
import { type Arm, commandOf, orderOf, ROUNDS, scenarioText } from './arm.ts';

/** Where all measurements are, and what each of them needs. */
export interface Bench {
  readonly folder: string;
  /** CPU of processes that are not of the run, percent of the host: a run beside more has no conclusion. */
  readonly foreignPercent: number;
  /** Aborted when the time is over, or by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** A trial without a conclusion is made again at once, so often; then it is left for the next slice. */
const ATTEMPTS = 4;

/** The file of the scenario, beside the measurements, with a port that stays. */
export async function scenarioFile(folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'gate.yaml');
  if (!existsSync(file)) writeFileSync(file, scenarioText(await stablePort('127.0.0.1')));
  return file;
}

/** `trials/07-slower-10.json`: report.json of a trial. */
const fileOf = (folder: string, round: number, { name }: Pick<Arm, 'name'>): string =>
  join(folder, 'trials', `${String(round).padStart(2, '0')}-${name}.json`);

const missingOf = (folder: string): (readonly [round: number, arm: Arm])[] =>
  Array.from({ length: ROUNDS }, (_, i) => i + 1).flatMap((round) =>
    orderOf(round)
      .filter((arm) => !existsSync(fileOf(folder, round, arm)))
      .map((arm) => [round, arm] as const),
  );

/** How many trials have not been made yet. */
export const trialsMissing = (folder: string): number => missingOf(folder).length;

/** Makes the trials that are missing, until the time is over. */
export async function measureTrials(bench: Bench): Promise<void> {
  const { folder, signal, say } = bench;
  const file = await scenarioFile(folder);
  mkdirSync(join(folder, 'trials'), { recursive: true });
  let left = trialsMissing(folder);
  for (const [round, arm] of missingOf(folder)) {
    for (let attempt = 1; attempt <= ATTEMPTS && !signal.aborted; attempt++) {
      const begin = performance.now();
      const { code, because } = await measureTrial(bench, file, round, arm);
      const took = `${((performance.now() - begin) / 1e3).toFixed(1)} s`;
      if (because === null) left -= 1;
      say(`round ${round}, ${arm.name}: ${because ?? `ended with ${code}`}; ${took}; ${left} trials to go`);
      if (because === null) break;
    }
    if (signal.aborted) return;
  }
}

/** One trial into its file; without a conclusion, into one of its own that is only counted. */
async function measureTrial(
  bench: Bench,
  scenario: string,
  round: number,
  arm: Arm,
): Promise<{ readonly code: number | null; readonly because: string | null }> {
  const { folder, foreignPercent } = bench;
  const out = join(folder, 'bundle');
  rmSync(out, { recursive: true, force: true });
  const sets = [`stack.start=${commandOf(arm)}`, `rules.foreignCpuPercent=${foreignPercent}`];
  const { code, output } = await capbench(
    [
      ...['run', scenario, '--allow-start', '--no-charts', '--quiet', '--seed', String(round), '--out', out],
      ...sets.flatMap((one) => ['--set', one]),
    ],
    bench.signal,
  );
  const report = join(out, 'latest', 'report.json');
  if (code === EXIT.pass || code === EXIT.breached) {
    // A file is whole or not there: it is renamed, within this folder.
    renameSync(report, fileOf(folder, round, arm));
    rmSync(out, { recursive: true, force: true });
    return { code, because: null };
  }
  if (code === EXIT.invalid && existsSync(report)) {
    const number = invalidTrials(folder).length + 1;
    renameSync(report, join(folder, 'trials', `invalid-${String(number).padStart(3, '0')}.json`));
  }
  return { code, because: `nothing (${code}): ${lastWords(output)}` };
}

/** The reports of the trials without a conclusion. */
export const invalidTrials = (folder: string): readonly string[] =>
  existsSync(join(folder, 'trials'))
    ? readdirSync(join(folder, 'trials')).filter((name) => name.startsWith('invalid-'))
    : [];

/** The text of report.json of a trial, and where it is; null where it is missing. */
export function trialText(
  folder: string,
  round: number,
  arm: Pick<Arm, 'name'>,
): { readonly text: string; readonly file: string } | null {
  const file = fileOf(folder, round, arm);
  return existsSync(file) ? { text: readFileSync(file, 'utf8'), file } : null;
}
