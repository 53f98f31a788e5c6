import type { z } from 'zod';
import { glossOf } from '../judge/rules/gloss.ts';
import type { JudgedRule } from '../judge/rules/rule.ts';
import type { Ruling } from '../judge/ruling.ts';
import type { Verdict } from '../judge/verdict.ts';
import type { Figures, SystemFigure } from '../measurement/figures.ts';
import type { Measurements } from '../measurement/measurements.ts';
import { watchedSelector } from '../scenario/metric-selector.ts';
import { ofOperation } from '../scenario/operations.ts';
import { conditionsOf } from '../scenario/resolved.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { conversion, toMillis } from '../units.ts';
import type { envelopeSchema } from './report-schema.ts';

/** The content of report.json, from which the other formats are made; only charts need the series of a run, too. */
export type Report = z.infer<typeof envelopeSchema> & Figures;
export type ReportRuling = Report['rulings'][number];
export type ReportRule = Report['rules'][number];

/** `own`: the figures of sections that only this system has. */
export function reportOf(
  m: Measurements,
  s: Scenario,
  verdict: Verdict,
  figures: Figures,
  own: readonly SystemFigure[] = [],
): Report {
  return {
    schemaVersion: 1,
    capbench: m.capbench,
    ...{ scenario: s.name, system: s.system, description: s.description },
    ...{ outcome: verdict.outcome, exitCode: verdict.exitCode, headline: verdict.headline },
    invalidBecause: [...verdict.invalidBecause],
    breachedBecause: [...verdict.breachedBecause],
    notes: [...verdict.notes],
    rulings: verdict.rulings.map((ruling) => withUnanswered(ruling, figures, s)),
    altered: [...s.altered],
    ...(m.tier === undefined ? {} : { tier: m.tier }),
    ...(m.earlierAttempts === undefined ? {} : { earlierAttempts: [...m.earlierAttempts] }),
    operations: s.operations.map(({ id, plural, label, short, due }) => ({
      ...{ id, plural, label, ...(short && { short }), ...(due === 'answer' && { due }) },
    })),
    absences: [...(m.absences ?? [])],
    ...figures,
    ...(s.watch === undefined ? {} : { watch: s.watch.flatMap((text) => watchedSelector(text)?.text ?? []) }),
    ...(own.length === 0
      ? {}
      : { systemFigures: own.map(({ stats, ...one }) => ({ ...one, stats: stats && [...stats] })) }),
    rules: verdict.rules.map((rule) => ruleOf(rule, s)),
    bottleneck: verdict.bottleneck,
    ...(verdict.boxes.length === 0 ? {} : { boxes: [...verdict.boxes] }),
    phases: m.phases,
    ending: m.ending.state,
    probes: [...m.probes],
    errors: [...m.errors],
    scenarioHash: m.scenarioHash,
    conditions: conditionsOf(s),
    ...(s.gate === undefined ? {} : { gate: s.gate }),
    scheduleHash: m.scheduleHash,
    seed: s.seed,
    commit: m.commit,
    startedAt: m.startedAt,
  };
}

const ruleOf = (
  { consequence, stage: _, share: __, figure: ___, tooFew: ____, ...rule }: JudgedRule,
  { operations }: Pick<Scenario, 'operations'>,
): ReportRule => ({
  ...rule,
  ...glossOf(rule.id, operations),
  decides: consequence !== 'note' && consequence !== 'none',
});

function rulingOf({ budget, state, observed, samples, reason, cause }: Ruling): ReportRuling {
  const { id, claim, title, condition, source, op, limit, unit } = budget;
  const measured = budget.state === 'measured' ? budget : null;
  return {
    id,
    claim,
    title,
    condition,
    source,
    metric: measured?.metric.path ?? null,
    stat: measured?.stat ?? null,
    op,
    limit: typeof limit === 'object' ? [limit[0], limit[1]] : limit,
    unit,
    metricUnit: measured?.metricUnit ?? null,
    ...(measured?.stage === undefined ? {} : { stage: measured.stage }),
    state,
    observed,
    samples,
    reason,
    ...(cause === null ? {} : { cause }),
    ...(measured?.optional === true ? { optional: true } : {}),
  };
}

/** A percentile among operations that were never answered has no figure; it is above the time that those waited at least. */
function withUnanswered(ruling: Ruling, figures: Figures, { load: { timeout } }: Scenario): ReportRuling {
  const { budget, state, observed } = ruling;
  const plain = rulingOf(ruling);
  if (budget.state !== 'measured' || state !== 'breached' || observed !== null) return plain;
  const { operation, unit } = budget.metric;
  const own = budget.stage === undefined ? figures : figures.stages.find(({ name }) => name === budget.stage);
  const factor = conversion(unit, budget.metricUnit);
  if (own === undefined || operation === null || budget.metric.section !== 'latency' || factor === undefined)
    return plain;
  const { failed, timedOut, skipped, unfinished } = ofOperation(own.load.operations, operation.id);
  const { max } = ofOperation(own.latency, operation.id).due;
  // Where most of them timed out, each waited for as long as the timeout; of the others only the rank is known: behind all answers.
  const mostTimedOut = 2 * timedOut > failed + timedOut + skipped + unfinished;
  const above = mostTimedOut ? Math.max(toMillis(timeout), max ?? 0) : max;
  return above === null ? plain : { ...plain, observedAbove: above * factor };
}

/** The parts of report.json that summaries of k6 have: nothing of servers, database and machine. */
const OF_SUMMARIES = [
  ...(['schemaVersion', 'capbench', 'scenario', 'description', 'outcome', 'exitCode', 'headline'] as const),
  ...(['invalidBecause', 'breachedBecause', 'notes', 'rulings', 'altered', 'operations', 'rules'] as const),
  ...(['load', 'latency', 'throughput', 'network', 'generator'] as const),
  ...(['scenarioHash', 'scheduleHash', 'seed', 'startedAt'] as const),
];

/** k6-report.json: what `capbench report --from-k6` says. What it shares with report.json means the same. */
export interface K6Report extends Pick<Report, (typeof OF_SUMMARIES)[number]> {
  /** Not a run of capbench. */
  readonly source: 'k6';
  /** One of each k6 process. */
  readonly summaries: number;
  /** The name that k6 was given with CAPBENCH_RUN. */
  readonly run: string | null;
}

export function k6ReportOf(report: Report, run: string | null): K6Report {
  const shared = Object.fromEntries(OF_SUMMARIES.map((key) => [key, report[key]]));
  return {
    ...(shared as unknown as Pick<Report, (typeof OF_SUMMARIES)[number]>),
    ...{ source: 'k6', summaries: report.generator.workers, run },
  };
}
