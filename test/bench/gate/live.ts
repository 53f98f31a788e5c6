import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Comparison } from '../../../src/compare/comparison.ts';
import { readDuet } from '../../../src/compare/duet.ts';
import { pairsOf } from '../../../src/compare/next-trial.ts';
import { EXIT } from '../../../src/errors.ts';
import { capbench, lastWords } from '../capbench.ts';
import { type Arm, BASE, commandOf, SAME, SLOWER } from './arm.ts';
import { type Bench, scenarioFile } from './measure.ts';

/** A decision that `capbench duet` made. */
export interface LiveDecision {
  readonly arm: string;
  readonly exitCode: number;
  readonly pairs: number;
  /** Of all trials, those without a conclusion included. */
  readonly minutes: number;
  readonly withoutConclusion: number;
  readonly because: string;
  readonly metrics: readonly Pick<
    Comparison['metrics'][number],
    'metric' | 'ruling' | 'changePercent' | 'detectablePercent' | 'gated'
  >[];
}

/** Percent slower, of the decisions that have to find it. */
export const LIVE_PERCENT = 10;
export const MOST_LIVE_MINUTES = 5;
const slower = SLOWER.find(({ slowerPercent }) => slowerPercent === LIVE_PERCENT) ?? SAME;
/** In the order in which they are made. */
const DECISIONS: readonly Arm[] = Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? SAME : slower));

const fileOf = (folder: string, number: number): string => join(folder, 'live', `${number}.json`);
const missingOf = (folder: string): readonly number[] =>
  DECISIONS.map((_, i) => i + 1).filter((number) => !existsSync(fileOf(folder, number)));

export const liveMissing = (folder: string): number => missingOf(folder).length;

/** The decisions that there are. */
export const readLive = (folder: string): readonly LiveDecision[] =>
  DECISIONS.flatMap((_, i) => {
    const file = fileOf(folder, i + 1);
    return existsSync(file) ? [JSON.parse(readFileSync(file, 'utf8')) as LiveDecision] : [];
  });

/** Makes the decisions that are missing, until the time is over; one that is interrupted is resumed. */
export async function decideLive(bench: Bench): Promise<void> {
  const { folder, foreignPercent, signal, say } = bench;
  const scenario = await scenarioFile(folder);
  mkdirSync(join(folder, 'live'), { recursive: true });
  for (const number of missingOf(folder)) {
    if (signal.aborted) return;
    const arm = DECISIONS[number - 1] ?? SAME;
    const out = join(folder, 'live', `duet-${number}`);
    const made = join(out, 'latest');
    const isBegun = existsSync(join(made, 'duet.json'));
    const { code, output } = await capbench(
      [
        ...[
          'duet',
          scenario,
          '--allow-start',
          '--quiet',
          '--base',
          commandOf(BASE),
          '--head',
          commandOf(arm),
        ],
        ...['--time-limit', `${MOST_LIVE_MINUTES}m`, '--seed', String(1000 + number)],
        ...['--set', `rules.foreignCpuPercent=${foreignPercent}`],
        ...(isBegun ? ['--resume', made] : ['--out', out]),
      ],
      bench.signal,
    );
    if (code === EXIT.interrupted) {
      say(`decision ${number}, ${arm.name}: interrupted; the finished trials are kept`);
      return;
    }
    const facts = join(made, 'duet.json');
    if ((code !== EXIT.pass && code !== EXIT.regression && code !== EXIT.invalid) || !existsSync(facts)) {
      // The next attempt begins anew.
      rmSync(out, { recursive: true, force: true });
      say(`decision ${number}, ${arm.name}: nothing (${code}): ${lastWords(output)}`);
      continue;
    }
    const decision = decisionIn(made, arm, code);
    const file = fileOf(folder, number);
    writeFileSync(`${file}.part`, `${JSON.stringify(decision, null, 1)}\n`);
    renameSync(`${file}.part`, file);
    say(
      `decision ${number}, ${arm.name}: ${code} after ${decision.pairs} pairs in ${decision.minutes.toFixed(1)} min: ${decision.because}; ${liveMissing(folder)} decisions to go`,
    );
  }
}

function decisionIn(made: string, { name }: Arm, exitCode: number): LiveDecision {
  const facts = join(made, 'duet.json');
  const duet = readDuet(readFileSync(facts, 'utf8'), facts);
  const compared = join(made, 'comparison.json');
  const comparison = existsSync(compared) ? (JSON.parse(readFileSync(compared, 'utf8')) as Comparison) : null;
  return {
    ...{ arm: name, exitCode, pairs: pairsOf(duet).length },
    minutes: duet.attempts.reduce((sum, { tookSeconds }) => sum + tookSeconds, 0) / 60,
    withoutConclusion: duet.attempts.filter(({ outcome }) => outcome === 'invalid').length,
    because: [comparison?.headline, duet.result?.because].filter(Boolean).join('; '),
    metrics: (comparison?.metrics ?? []).map((one) => ({
      ...{ metric: one.metric, ruling: one.ruling, gated: one.gated },
      ...{ changePercent: one.changePercent, detectablePercent: one.detectablePercent },
    })),
  };
}
