/**
 * `npm run torture`: 100 kills of PostgreSQL at full rate, of which none may lose an acknowledged write; then the
 * negative control, the same without waiting for the disk, in which every kill must be caught losing some. Ends
 * with 0 when both are so. KILLS and CONTROLS change how many.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../../src/errors.ts';
import type { Report } from '../../src/report/report.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const root = fileURLToPath(new URL('..', import.meta.url));
const kills = Number(process.env.KILLS ?? 100);
const controls = Number(process.env.CONTROLS ?? 20);
const EVERY_SECONDS = 3;

interface Tortured {
  readonly code: number | null;
  readonly report: Report;
}

function torture(out: string, times: number, settings: readonly string[]): Promise<Tortured> {
  const set = [`faults.0.times=${times}`, ...settings].flatMap((one) => ['--set', one]);
  const child = spawn(
    process.execPath,
    [
      ...[join(root, 'bin', 'capbench.js'), 'run', join(root, 'test', 'torture', 'torture.yaml')],
      ...['--duration', `${times * EVERY_SECONDS + 1}s`, '--out', out, '--quiet', ...set],
    ],
    { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      try {
        resolve({ code, report: JSON.parse(readFileSync(join(out, 'latest', 'report.json'), 'utf8')) });
      } catch (error) {
        reject(new Error(`the run ended with ${code} and left no report`, { cause: error }));
      }
    });
  });
}

/** The faults that were found; empty when there are none. */
function problemsOf({ code, report }: Tortured, times: number, expected: 'kept' | 'lost'): string[] {
  const problems: string[] = [];
  const check = (holds: boolean, what: string) => {
    if (!holds) problems.push(what);
  };
  const { faults, integrity } = report;
  check(faults.length === times, `${faults.length} of ${times} kills were made`);
  check(
    faults.every(({ error, downSeconds }) => error === null && downSeconds !== null),
    `PostgreSQL did not come back: ${faults.find(({ error }) => error !== null)?.error}`,
  );
  check((integrity.acked ?? 0) > 0, 'nothing was acknowledged');
  const missed = faults.filter(({ lost, holes }) => (lost ?? 0) + (holes ?? 0) === 0).length;
  const wrong = (integrity.phantom ?? 1) + (integrity.duplicated ?? 1);
  if (expected === 'kept') {
    check(code === EXIT.pass, `the run ended with ${code}: ${report.invalidBecause.join('; ')}`);
    check(missed === times, `${times - missed} kills lost acknowledged writes`);
    check(
      integrity.lost === 0 && integrity.holes === 0 && wrong === 0,
      'the rows do not hold what was acknowledged',
    );
  } else {
    check(code === EXIT.dataLost, `the negative control ended with ${code}, and must with ${EXIT.dataLost}`);
    check(missed === 0, `${missed} kills of the negative control were not caught losing`);
    check((integrity.lost ?? 0) > 0, 'the negative control lost nothing');
  }
  return problems;
}

function tell(name: string, { report }: Tortured, problems: readonly string[]): void {
  const { faults, integrity, load } = report;
  const sorted = (of: (fault: Report['faults'][number]) => number | null): number[] =>
    faults
      .map(of)
      .filter((value) => value !== null)
      .toSorted((a, b) => a - b);
  const at = (values: readonly number[], share: number): string =>
    values[Math.floor(share * (values.length - 1))]?.toFixed(2) ?? '-';
  const [down, recovery] = [sorted((one) => one.downSeconds), sorted((one) => one.recoverySeconds)];
  const due = Object.values(load.wholeRun).reduce((sum, { scheduled }) => sum + scheduled, 0);
  say(`${name}: ${faults.length} kills, ${due} operations due, ${integrity.acked} acknowledged`);
  say(
    `  lost ${integrity.lost}, phantom ${integrity.phantom}, duplicated ${integrity.duplicated}, holes ${integrity.holes}`,
  );
  say(`  down: median ${at(down, 0.5)} s, longest ${at(down, 1)} s`);
  say(
    `  recovered: ${recovery.length} of ${faults.length}, median ${at(recovery, 0.5)} s, longest ${at(recovery, 1)} s`,
  );
  for (const problem of problems) say(`  NOT AS IT MUST BE: ${problem}`);
}

async function main(): Promise<number> {
  const out = mkdtempSync(join(tmpdir(), 'capbench-torture-'));
  const kept = await torture(join(out, 'kept'), kills, []);
  const keptProblems = problemsOf(kept, kills, 'kept');
  tell('synchronous_commit = on', kept, keptProblems);
  const lost = await torture(join(out, 'lost'), controls, [
    'postgres.settings.synchronous_commit=off',
    // Otherwise earlier commits would have reached the disk, and a kill at a quiet moment would lose nothing.
    'postgres.settings.wal_writer_delay=10s',
    'postgres.settings.wal_writer_flush_after=1GB',
  ]);
  const lostProblems = problemsOf(lost, controls, 'lost');
  tell('negative control, synchronous_commit = off', lost, lostProblems);
  if (keptProblems.length + lostProblems.length > 0) {
    say(`the bundles are in ${out}`);
    return 1;
  }
  rmSync(out, { recursive: true, force: true });
  // No loss in n kills bounds the loss in one at 3/n, with 95% confidence (the rule of three).
  say(
    `no kill lost anything: at most ${((100 * 3) / kills).toFixed(1)}% of kills would, with 95% confidence`,
  );
  return 0;
}

process.exitCode = await main();
