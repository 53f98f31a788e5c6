import { EXIT } from '../errors.ts';
import { GENERATOR_FAILED } from '../judge/rules/load.ts';
import type { JudgedRule } from '../judge/rules/rule.ts';
import { showsBacklog } from '../judge/rules/steadiness.ts';
import type { Verdict } from '../judge/verdict.ts';
import { asBox } from '../measurement/emulated-tier.ts';
import type { Broken, GaveOut, Ladder, LadderStep } from '../model/ladder.ts';
import { ofOperation } from '../scenario/operations.ts';
import { conversion } from '../units.ts';
import type { Report, ReportRuling } from './report.ts';
import { foremost } from './report-text.ts';
import { limitText, observedText, titleText } from './ruling-text.ts';

type StepFacts = Pick<
  LadderStep,
  | 'outcome'
  | 'exitCode'
  | 'because'
  | 'brokeFirst'
  | 'ranOut'
  | 'gaveOut'
  | 'operationsPerSecond'
  | 'latency'
  | 'tooFew'
  | 'notShown'
>;

/**
 * What a run says of its number of players. Beside what breached a budget, two endings without a conclusion of
 * their own show that the number is too large: nothing but a backlog that grows, and a stack that had started and ended.
 */
export function stepFactsOf(report: Report, { rules }: Pick<Verdict, 'rules'>): StepFacts {
  const { exitCode, bottleneck, throughput } = report;
  const figures = {
    exitCode,
    ranOut:
      bottleneck.resource === 'none'
        ? null
        : { resource: bottleneck.resource, evidence: bottleneck.evidence },
    operationsPerSecond: throughput.operationsPerSecond,
    latency: latencyOf(report),
  };
  // What the search itself says of the machine need not stand in each of its steps.
  const headline =
    report.tier === undefined ? report.headline : report.headline.replace(`; ${asBox(report.tier)}`, '');
  const failed = (because: string): StepFacts => ({
    ...{ ...figures, outcome: 'fail', because, brokeFirst: brokeFirst(report, rules), gaveOut: null },
  });
  const without = (because: string, gaveOut: GaveOut | null): StepFacts => ({
    ...{ ...figures, outcome: 'invalid', because, brokeFirst: null, gaveOut },
  });
  switch (exitCode) {
    case EXIT.pass:
      return { ...figures, outcome: 'pass', because: headline, brokeFirst: null, gaveOut: null };
    case EXIT.breached:
    case EXIT.dataLost:
      return failed(whyFailed({ ...report, headline }));
    case EXIT.stackFailed: {
      const [because = 'the stack failed'] = report.invalidBecause;
      if (rules.some(({ observed }) => observed === GENERATOR_FAILED)) return without(because, 'generator');
      return report.phases.stackUp === null
        ? without(because, 'stack')
        : failed(`under this load, ${because}`);
    }
    default: {
      const because = headline.replace(/^no conclusion: /, '');
      const decisive = rules.filter(
        ({ state, consequence }) => state === 'broken' && consequence !== 'note' && consequence !== 'none',
      );
      const backlog = decisive.filter(showsBacklog);
      if (backlog.length > 0 && backlog.length === decisive.length)
        return failed(`not sustained: ${because}`);
      const outcome = without(because, whoGaveOut(decisive));
      const samples = decisive.filter(({ id }) => id.startsWith(SAMPLES));
      if (samples.length === 0 || samples.length < decisive.length) return outcome;
      if (samples.every(({ tooFew }) => tooFew === true)) return { ...outcome, tooFew: true };
      // Too few answers for one budget say nothing of the others.
      if (samples.some(({ tooFew }) => tooFew === true)) return outcome;
      return { ...outcome, notShown: true, brokeFirst: notShownOf(report, samples) };
    }
  }
}

/** A rule of its own for each budget on a percentile: the id of the budget follows. */
const SAMPLES = 'samples.';

function notShownOf({ rulings }: Report, [rule]: readonly JudgedRule[]): Broken | null {
  const budget = rulings.find(({ id }) => `${SAMPLES}${id}` === rule?.id);
  return budget === undefined ? null : brokenOf(budget);
}

const OF_HOST = /^(steal-|throttled$|memory-pressure$|cpu-pressure$|foreign-cpu$|canary$)/;

const OF_GENERATOR = /^(generator-|agent-clocks$)/;

/** What took the machine comes before what this slowed. */
function whoGaveOut(broken: readonly JudgedRule[]): GaveOut | null {
  if (broken.some(({ id }) => OF_HOST.test(id))) return 'host';
  return broken.some(({ id }) => OF_GENERATOR.test(id)) ? 'generator' : null;
}

function whyFailed(report: Report): string {
  if (report.exitCode === EXIT.dataLost) return report.headline;
  const [worst] = breachedOf(report);
  return worst === undefined
    ? report.headline
    : `${titleText(worst)} ${observedText(worst)} (${limitText(worst)})`;
}

/** The breached budgets, the one that is furthest beyond its limit first: as the load grew, it was over it first. */
const breachedOf = ({ rulings }: Report): readonly ReportRuling[] =>
  rulings.filter(({ state }) => state === 'breached').toSorted((a, b) => excessOf(b) - excessOf(a));

/** How many times the limit; nothing is further than what was never answered. */
function excessOf({ op, limit, observed }: ReportRuling): number {
  if (observed === null) return Number.POSITIVE_INFINITY;
  if (typeof observed !== 'number' || typeof limit === 'string') return 1;
  const [low, high] = typeof limit === 'object' ? limit : [limit, limit];
  const isFloor = op === '>' || op === '>=';
  const times = isFloor || observed < low ? low / observed : observed / high;
  return Number.isNaN(times) ? 1 : times;
}

function brokeFirst(report: Report, rules: readonly JudgedRule[]): Broken | null {
  const [worst] = breachedOf(report);
  if (worst !== undefined) return brokenOf(worst);
  const broken = rules.filter(({ state, consequence }) => state === 'broken' && consequence === 'breached');
  const [rule] = [...broken, ...rules.filter(showsBacklog)];
  if (rule === undefined) return null;
  const { title = rule.id, unit = '' } = report.rules.find(({ id }) => id === rule.id) ?? {};
  return { id: rule.id, title, metric: rule.id, limit: rule.limit, observed: rule.observed, unit };
}

function brokenOf(ruling: ReportRuling): Broken {
  const { id, metric, stat, limit, observed, unit, metricUnit } = ruling;
  return {
    ...{ id, title: titleText(ruling) },
    metric: [metric ?? id, stat].filter((one) => one !== null).join('.'),
    limit: typeof limit === 'object' ? [limit[0], limit[1]] : limit,
    ...{ observed, unit: metricUnit ?? unit },
  };
}

/** A budget on a percentile of a latency, of the whole run, as milliseconds to stay below. */
interface LatencyLimit {
  readonly operation: string;
  readonly stat: string;
  readonly name: string;
  readonly ms: number;
}

/** The tightest, on p95 if there is one: the chart of a search shows p95. */
function tightest({ rulings }: Pick<Report, 'rulings'>): LatencyLimit | null {
  const all = rulings.flatMap((ruling): LatencyLimit[] => {
    const { metric, stat, op, limit, metricUnit, stage } = ruling;
    const operation = /^latency\.([^.]+)\.due$/.exec(metric ?? '')?.[1];
    const factor = metricUnit === null ? undefined : conversion(metricUnit, 'ms');
    if (operation === undefined || factor === undefined || stage !== undefined) return [];
    if (!/^p\d/.test(stat ?? '') || typeof limit !== 'number' || !op.startsWith('<')) return [];
    const name = `${ruling.id}: ${stat} ${limitText(ruling)}`;
    return [{ operation, stat: stat ?? '', name, ms: limit * factor }];
  });
  const ofP95 = all.filter(({ stat }) => stat === 'p95');
  return (ofP95.length > 0 ? ofP95 : all).toSorted((a, b) => a.ms - b.ms)[0] ?? null;
}

/** The line in the chart of a search. */
export function latencyLimitOf(report: Pick<Report, 'rulings'>): Ladder['latencyLimit'] {
  const limit = tightest(report);
  return limit === null ? null : { name: limit.name, ms: limit.ms };
}

function latencyOf(report: Report): LadderStep['latency'] {
  const limit = tightest(report);
  const { operations, latency } = report;
  const operation = operations.find(({ id }) => id === limit?.operation) ?? foremost(operations, latency);
  if (operation === undefined) return null;
  const { due } = ofOperation(latency, operation.id);
  return { label: operation.label, p50Ms: due.p50, p95Ms: due.p95 };
}
