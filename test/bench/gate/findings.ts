import { changeOf, cvPercentOf, detectableOf, percentOf } from '../../../src/compare/change.ts';
import { DEFAULT_GATE, type Gate, isGated } from '../../../src/compare/gate.ts';
import { metricOf } from '../../../src/compare/metric.ts';
import type { Trial } from '../../../src/compare/trial.ts';
import { EXIT } from '../../../src/errors.ts';
import { SAME, SLOWER } from './arm.ts';
import { LIVE_PERCENT, type LiveDecision } from './live.ts';
import { compared, drawDecisions, type Ending, type Pair, type Rates } from './resample.ts';

/** What decides here: the default, as in `capbench duet`. */
export const GATE: Gate = DEFAULT_GATE;

/** How many pairs fit in five minutes. */
const MOST_PAIRS = 16;
const ENDINGS: readonly Ending[] = [
  { pairs: 6 },
  { pairs: 8 },
  { pairs: 12 },
  { pairs: 16 },
  { mostPairs: MOST_PAIRS },
];
const DECISIONS = 1000;

/** How decisions about a version came out. */
export interface Finding {
  readonly arm: string;
  /** Of CPU per operation, over all its pairs, percent. */
  readonly changePercent: number | null;
  readonly lowPercent: number | null;
  readonly highPercent: number | null;
  readonly ending: Ending;
  readonly rates: Rates;
}

/** The CPU of an operation of the server that `stack.start` started. */
const CPU = 'cpuPerOperation.server';

/** @param pairs of each arm, by its name */
export function findingsOf(
  pairs: ReadonlyMap<string, readonly Pair[]>,
  decisions = DECISIONS,
): readonly Finding[] {
  return [SAME, ...SLOWER].flatMap(({ name }, i) => {
    const own = pairs.get(name) ?? [];
    if (own.length < MOST_PAIRS) return [];
    const cpu = compared(own, GATE).metrics.find(({ metric }) => metric === CPU);
    return ENDINGS.map((ending, j) => ({
      ...{ arm: name, ending, rates: drawDecisions(own, GATE, ending, decisions, 100 * i + j) },
      ...{ changePercent: cpu?.changePercent ?? null, lowPercent: cpu?.lowPercent ?? null },
      highPercent: cpu?.highPercent ?? null,
    }));
  });
}

/** What so many pairs of the same version would show of a metric. */
export interface Sensitivity {
  readonly metric: string;
  readonly label: string;
  readonly gated: boolean;
  readonly cvPercent: number | null;
  /** The smallest detectable change, percent, by the number of pairs; null where the metric cannot be compared. */
  readonly detectable: readonly (number | null)[];
}

export const SENSITIVITY_PAIRS: readonly number[] = [8, 16, 32];

/** Of all metrics, from the pairs of the same version. */
export function sensitivitiesOf(pairs: readonly Pair[]): readonly Sensitivity[] {
  const [first] = pairs;
  if (first === undefined || pairs.length < 2) return [];
  const names = Object.keys(first[0].metrics);
  const alpha = 1 - GATE.confidencePercent / 100;
  const family = names.filter((name) => isGated(GATE, name)).length;
  return names.map((metric) => {
    const values = (side: 0 | 1): readonly number[] =>
      pairs.map((pair) => pair[side].metrics[metric] ?? Number.NaN);
    const [base, head] = [values(0), values(1)];
    const gated = isGated(GATE, metric);
    const change = [...base, ...head].every((value) => value > 0) ? changeOf(base, head, 'paired') : null;
    return {
      ...{ metric, label: metricOf(metric).label, gated, cvPercent: cvPercentOf(base) },
      detectable: SENSITIVITY_PAIRS.map((n) => {
        if (change === null) return null;
        const spread = { standardError: change.deviation / Math.sqrt(n), degreesOfFreedom: n - 1 };
        return percentOf(detectableOf(spread, gated ? alpha / family : alpha));
      }),
    };
  });
}

const MOST_FALSE_ALARMS = 0.02;
const FEWEST_FOUND = 0.95;
const FEWEST_LIVE_RIGHT = 7;

/** The aims that are not met: a sentence for each. */
export function faultsOf(findings: readonly Finding[], live: readonly LiveDecision[]): readonly string[] {
  const byDuet = (arm: string): Rates | null =>
    findings.find((one) => one.arm === arm && 'mostPairs' in one.ending)?.rates ?? null;
  const share = (rates: Rates | null): number =>
    rates === null ? Number.NaN : rates.regression / rates.decisions;
  const [falseAlarms, found] = [share(byDuet(SAME.name)), share(byDuet(`slower-${LIVE_PERCENT}`))];
  const same = live.filter(({ arm }) => arm === SAME.name);
  const alarms = same.filter(({ exitCode }) => exitCode === EXIT.regression).length;
  const right =
    same.filter(({ exitCode }) => exitCode === EXIT.pass).length +
    live.filter(({ arm, exitCode }) => arm !== SAME.name && exitCode === EXIT.regression).length;
  const shown = (one: number): string => `${(100 * one).toFixed(1)}%`;
  return [
    ...(falseAlarms <= MOST_FALSE_ALARMS
      ? []
      : [
          `false alarms in ${shown(falseAlarms)} of the drawn decisions, at most ${shown(MOST_FALSE_ALARMS)} expected`,
        ]),
    ...(found >= FEWEST_FOUND
      ? []
      : [
          `${LIVE_PERCENT}% more CPU found in ${shown(found)} of the drawn decisions, at least ${shown(FEWEST_FOUND)} expected`,
        ]),
    ...(alarms === 0 ? [] : [`${alarms} live false alarms, none expected`]),
    ...(right >= FEWEST_LIVE_RIGHT
      ? []
      : [`${right} of ${live.length} live decisions right, at least ${FEWEST_LIVE_RIGHT} expected`]),
  ];
}

/** The pairs of each arm: a round's trial of the base, and its trial of the arm. */
export function pairsByArm(
  trialOf: (round: number, arm: string) => Trial | null,
  rounds: number,
  arms: readonly string[],
): ReadonlyMap<string, readonly Pair[]> {
  return new Map(
    arms.map((arm) => [
      arm,
      Array.from({ length: rounds }, (_, i) => i + 1).flatMap((round): Pair[] => {
        const [base, head] = [trialOf(round, 'base'), trialOf(round, arm)];
        return base === null || head === null ? [] : [[base, head]];
      }),
    ]),
  );
}
