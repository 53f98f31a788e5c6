/**
 * `npm run bench:history`: how often a history reports a change that is not there, and how soon one that is, by simulated series; as the
 * tables of src/compare/README.md. It takes seconds, and the same numbers come out everywhere.
 */
import { changePoints, type Detection } from '../../src/compare/change-points.ts';
import { DEFAULT_GATE } from '../../src/compare/gate.ts';
import { HISTORY_RULES } from '../../src/compare/history.ts';
import { random } from '../../src/rng.ts';
import { steps } from '../compare/noisy-steps.ts';

const NOISE = 2000;
const STEPS = 1000;
const CV_PERCENT = 2.66;
const { window } = HISTORY_RULES;
/** Of one of seven metrics that are gated together. */
const SHIPPED: Detection = {
  ...{ window, significance: (100 - DEFAULT_GATE.confidencePercent) / 100 / 7 },
  leastPercent: DEFAULT_GATE.thresholdPercent,
};

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const row = (cells: readonly (string | number)[]): void => say(`| ${cells.join(' | ')} |`);

/** Percent of series in which a change is reported. */
function reported(series: (seed: number) => readonly number[], count: number, detection: Detection): number {
  let found = 0;
  for (let seed = 1; seed <= count; seed++) if (changePoints(series(seed), detection).length > 0) found += 1;
  return (100 * found) / count;
}

function head(cells: readonly string[]): void {
  row(cells);
  row(cells.map(() => '---'));
}

head([
  'runs',
  'at 5%, any size',
  'at 1%, any size',
  'as shipped: 1% of 7 metrics together, from 5% on, each',
]);
for (const runs of [12, 20, 35, 50, 80]) {
  const series = (seed: number) => steps([[runs, 100]], CV_PERCENT, seed);
  const at = (significance: number): string =>
    `${reported(series, NOISE, { window, significance, leastPercent: 0 }).toFixed(1)}%`;
  row([
    runs > window ? `${runs}, two windows` : runs,
    at(0.05),
    at(0.01),
    `${reported(series, NOISE, SHIPPED).toFixed(2)}%`,
  ]);
}

const AFTER = [3, 4, 5, 7, 10];
say('');
head([
  'step, coefficient of variation',
  ...AFTER.map((runs, i) => (i === 0 ? `${runs} runs` : String(runs))),
]);
for (const [percent, cvPercent] of [
  [10, CV_PERCENT],
  [10, 5],
  [20, 5],
] as const) {
  const levels = (runs: number) => [[20, 100] as const, [runs, 100 + percent] as const];
  row([
    `${percent}%, ${cvPercent}%`,
    ...AFTER.map(
      (runs) => `${reported((seed) => steps(levels(runs), cvPercent, seed), STEPS, SHIPPED).toFixed(0)}%`,
    ),
  ]);
}

/** One run of twenty takes half as much again. */
function withOutliers(seed: number): readonly number[] {
  const next = random(NOISE + seed);
  return steps([[50, 100]], CV_PERCENT, seed).map((value) => (next() < 0.05 ? 1.5 * value : value));
}
say('');
say(`With outliers: ${reported(withOutliers, STEPS, SHIPPED).toFixed(1)}% of series of 50 runs.`);
