import { countOf, type HistogramData, percentileOf } from '../histogram.ts';
import type { Figures } from '../measurement/figures.ts';
import type { Measurements } from '../measurement/measurements.ts';
import { gaugeOf, NOWHERE, numbered, spreadOf } from '../measurement/readings.ts';
import { unansweredSentOf } from '../measurement/sent.ts';
import { ofOperation } from '../scenario/operations.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { keeps } from './comparison.ts';
import { latencyBudgetOf } from './latency-budget.ts';
import { lateOnItsOwn } from './rules/load.ts';
import type { JudgedRule } from './rules/rule.ts';
import type { Ruling } from './ruling.ts';

/** The kernel's default period for CPU quotas (cfs_period_us), in seconds. */
const QUOTA_PERIOD_SECONDS = 0.1;

/** What a disturbance may have cost a run. */
export interface Disturbance {
  /** The largest share, 0..1, of the run's resources that the disturbance behind a breached rule took; 1 where it is not known. */
  readonly explainedBy: (rule: JudgedRule) => number;
  /** Latencies less each operation's own lag, and how many were sent and not answered; null where the engine does not report it. */
  readonly netOf: (op: string) => { readonly net: HistogramData; readonly unanswered: number } | null;
  /** The percentage of scheduled operations that were skipped because the generator was late; null where not known. */
  readonly lateOf: (op: string) => number | null;
  /** The longest block of a load process, in milliseconds. */
  readonly blockedMs: number;
}

/** What a run proves in spite of a disturbance. */
export interface Proof {
  /** The breached rules that found the disturbance; empty where there was none. */
  readonly disturbed: readonly JudgedRule[];
  /** Nothing took resources from the run. */
  readonly undisturbed: boolean;
  /** Latencies are judged: only the generator was late, and by how much is known. */
  readonly latencyJudged: boolean;
  /** The breached rules on a share of the load whose breach the disturbance does not explain. */
  readonly shares: readonly JudgedRule[];
  /** The breached budgets whose breach it does not explain. */
  readonly rulings: ReadonlySet<Ruling>;
}

/**
 * Which breaches stand in spite of a disturbance. A disturbance that took a share x of the machine can have cost at most
 * that share of the answers, so a share of the load stands as breached if it is below its limit even when divided by
 * 1 - x. A disturbance can multiply a latency by any factor, so a latency stands as breached only where the
 * generator's lateness was the only disturbance: that is known for each operation and is subtracted.
 */
export function proofOf(
  rules: readonly JudgedRule[],
  rulings: readonly Ruling[],
  disturbance: Disturbance,
): Proof {
  const broken = rules.filter(({ state }) => state === 'broken');
  const disturbed = broken.filter(({ consequence }) => consequence === 'disturbed');
  const left = disturbed
    // Both measure the same steal, and its mean is the share that was taken.
    .filter(({ id }) => id !== 'steal-max' || !disturbed.some((other) => other.id === 'steal-mean'))
    .reduce((share, rule) => share * (1 - disturbance.explainedBy(rule)), 1);
  const stands = (carried: number, least: number): boolean => left > 0 && carried / left < least;
  const lateOnly = disturbed.every(({ id }) => LATE.test(id) || UNRELATED.test(id));
  const undisturbed = disturbed.every(({ id }) => UNRELATED.test(id));
  const isLate = disturbed.some(({ id }) => id.startsWith('generator-'));
  const isBlocked = disturbed.some(({ id }) => id === 'generator-loop-delay');
  return {
    disturbed,
    undisturbed,
    latencyJudged: lateOnly,
    shares: broken.filter(
      ({ consequence, share }) =>
        consequence === 'breached' &&
        (undisturbed || (share !== undefined && stands(share.carried, share.least))),
    ),
    rulings: new Set(
      rulings.filter(
        (ruling) =>
          ruling.state === 'breached' &&
          (undisturbed ||
            shareStands(ruling, stands, isLate ? disturbance.lateOf : null) ||
            (lateOnly && latencyStands(ruling, disturbance, isBlocked))),
      ),
    ),
  };
}

const LATE = /^generator-(lag|loop-delay)$/;
/** Breached by an overload itself, or without effect on any answer. */
const UNRELATED = /^(answers|probes-gave-data)\b/;
/** These slow answers down, and prevent none. */
const TAKES_NOTHING = /^(generator-lag|answers|probes-gave-data|steady-throughput|steady-p95)\b/;

/** The disturbance of a run whose host and generator were monitored. */
export const disturbanceOf = (
  m: Measurements,
  figures: Figures,
  { load }: Pick<Scenario, 'load'>,
): Disturbance => ({
  explainedBy: ({ id }) => shareTaken(id, m, figures),
  netOf(op) {
    const { net, measured } = ofOperation(m.operations, op);
    return net === null ? null : { net, unanswered: unansweredSentOf(measured) };
  },
  lateOf(op) {
    const { ownLag, measured } = ofOperation(m.operations, op);
    return lateOnItsOwn(ownLag, measured, load);
  },
  blockedMs: figures.generator.maxLoopDelayMs ?? Number.POSITIVE_INFINITY,
});

function shareTaken(id: string, m: Measurements, { generator, host, load }: Figures): number {
  if (TAKES_NOTHING.test(id)) return 0;
  const percent = (value: number | null): number =>
    value === null ? 1 : Math.min(1, Math.max(0, value / 100));
  const shares: Readonly<Record<string, () => number>> = {
    'generator-loop-delay': () => Math.max(percent(generator.stalledPercent), percent(blockedPercent(m))),
    'generator-stalled': () => percent(generator.stalledPercent),
    'generator-calibration': () => {
      const { answeredPercent, ratePerSecond, targetPerSecond } = generator.calibration;
      if (answeredPercent === null || ratePerSecond === null || targetPerSecond === null) return 1;
      if (targetPerSecond === 0) return percent(100 - answeredPercent);
      return percent(100 - (answeredPercent * ratePerSecond) / targetPerSecond);
    },
    'steal-mean': () => percent(host.stealPercent),
    'steal-max': () => percent(host.stealPercent),
    'foreign-cpu': () => percent(host.foreignCpuPercent),
    'cpu-pressure': () => percent(host.cpuPressurePercent),
    'memory-pressure': () => percent(host.memoryPressurePercent),
    throttled: () =>
      host.throttledPeriods === null || load.durationSeconds === null
        ? 1
        : Math.min(1, (host.throttledPeriods * QUOTA_PERIOD_SECONDS) / load.durationSeconds),
    canary: () => {
      const drift = host.canaryDriftPercent;
      return drift === null ? 1 : drift / (100 + drift);
    },
  };
  return Object.hasOwn(shares, id) ? (shares[id]?.() ?? 1) : 1;
}

/** The share of the time that the longest block of each second took, in the load process that was blocked most. */
function blockedPercent({ series, measured }: Measurements): number | null {
  const means = numbered(series, 'generator', 'loopDelayMs').map(
    (delays) => gaugeOf(delays, measured ?? NOWHERE).mean,
  );
  const { max } = spreadOf(means);
  return max === null ? null : max / 10;
}

/** For a budget on a share of the operations, or on answers per second, which a late generator lowers as well. */
function shareStands(
  { budget, observed }: Ruling,
  stands: (carried: number, least: number) => boolean,
  lateOf: Disturbance['lateOf'] | null,
): boolean {
  if (budget.state !== 'measured' || typeof observed !== 'number' || typeof budget.limit !== 'number')
    return false;
  const { metric, op, limit } = budget;
  const { figure, operation } = metric;
  if (op === '<' || op === '<=') return SHARES_LOST.has(figure) && stands(100 - observed, 100 - limit);
  if (op !== '>' && op !== '>=') return false;
  if (figure === 'load.sentPercent' && operation !== null) {
    const late = lateOf === null ? 0 : lateOf(operation.id);
    return late !== null && stands(observed + late, limit);
  }
  return OF_ANSWERS.has(figure) && lateOf === null && stands(observed, limit);
}

const SHARES_LOST = new Set(['load.errorPercent', 'load.unansweredPercent', 'load.rejectedPercent']);
const OF_ANSWERS = new Set(['throughput.operationsPerSecond', 'throughput.perSecond']);

/** Judged by the latencies less each operation's own lag, and less the longest block of a load process. */
function latencyStands({ budget }: Ruling, { netOf, blockedMs }: Disturbance, isBlocked: boolean): boolean {
  const latency = latencyBudgetOf(budget);
  if (latency === null || (latency.kind !== 'due' && latency.kind !== 'ok')) return false;
  if (budget.state === 'measured' && budget.stage !== undefined) return false;
  const known = netOf(latency.operation);
  if (known === null) return false;
  const at = percentileOf(known.net, latency.percent, countOf(known.net) + known.unanswered);
  // A blocked process may have read answers late that arrived in time.
  if (at === null) return !isBlocked;
  return !keeps(at / 1e3 - (isBlocked ? blockedMs : 0), latency.strict ? '<' : '<=', latency.limitMs);
}
