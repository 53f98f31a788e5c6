import type { K6Verdict } from '../judge/k6-verdict.ts';
import type { K6Figures } from '../measurement/k6-figures.ts';
import type { K6Summary } from '../measurement/k6-summary.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { operationsOf, type Report, type ReportRule, type ReportRuling, ruleOf, rulingOf } from './report.ts';

/**
 * k6-report.json: what `capbench report --from-k6` says. The paths that it shares with report.json mean the same; what
 * k6 does not tell is not there, or null.
 */
export interface K6Report
  extends Pick<
      Report,
      'schemaVersion' | 'capbench' | 'scenario' | 'description' | 'outcome' | 'exitCode' | 'headline'
    >,
    Pick<Report, 'operations' | 'invalidBecause' | 'breachedBecause' | 'notes' | 'altered' | 'latency'>,
    Pick<Report, 'scenarioHash' | 'seed' | 'startedAt'> {
  /** Not a run of capbench. */
  readonly source: 'k6';
  /** How many k6 processes told of themselves. */
  readonly summaries: number;
  /** The name that k6 was given with CAPBENCH_RUN. */
  readonly run: string | null;
  readonly rulings: ReportRuling[];
  readonly rules: ReportRule[];
  readonly load: K6Figures['load'];
  readonly throughput: K6Figures['throughput'];
  readonly network: K6Figures['network'];
  readonly generator: K6Figures['generator'];
}

export function k6ReportOf(
  capbench: string,
  summaries: readonly K6Summary[],
  s: Scenario,
  scenarioHash: string,
  verdict: K6Verdict,
): K6Report {
  const { load, latency, throughput, network, generator } = verdict.bounds.high;
  return {
    ...{ schemaVersion: 1, source: 'k6', capbench, scenario: s.name, description: s.description },
    ...{
      outcome: verdict.outcome,
      exitCode: verdict.exitCode,
      headline: verdict.headline,
      summaries: summaries.length,
    },
    run: summaries[0]?.origin.run ?? null,
    invalidBecause: [...verdict.invalidBecause],
    breachedBecause: [...verdict.breachedBecause],
    notes: [...verdict.notes],
    rulings: verdict.rulings.map(rulingOf),
    rules: verdict.rules.map(ruleOf),
    altered: [...s.altered],
    operations: operationsOf(s),
    ...{ load, latency, throughput, network, generator },
    ...{ scenarioHash, seed: s.seed, startedAt: startOf(summaries) },
  };
}

/** GO of the first process, by its clock. */
const startOf = (summaries: readonly K6Summary[]): string =>
  new Date(Math.min(...summaries.map(({ go }) => go))).toISOString();
