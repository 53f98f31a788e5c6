import type { K6Verdict } from '../judge/k6-verdict.ts';
import type { K6Figures } from '../measurement/k6-figures.ts';
import type { K6Summary } from '../measurement/k6-summary.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { type Report, ruleOf, toldOf } from './report.ts';

/**
 * k6-report.json: what `capbench report --from-k6` says. The paths that it shares with report.json mean the same; what
 * k6 does not tell is not there, or null.
 */
export interface K6Report
  extends ReturnType<typeof toldOf>,
    Pick<Report, 'schemaVersion' | 'capbench' | 'rules' | 'latency' | 'scenarioHash' | 'seed' | 'startedAt'>,
    Pick<K6Figures, 'load' | 'throughput' | 'network' | 'generator'> {
  /** Not a run of capbench. */
  readonly source: 'k6';
  /** How many k6 processes told of themselves. */
  readonly summaries: number;
  /** The name that k6 was given with CAPBENCH_RUN. */
  readonly run: string | null;
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
    ...{ schemaVersion: 1, source: 'k6', capbench },
    ...toldOf(s, verdict),
    rules: verdict.rules.map(ruleOf),
    ...{ summaries: summaries.length, run: summaries[0]?.origin.run ?? null },
    ...{ load, latency, throughput, network, generator },
    ...{ scenarioHash, seed: s.seed, startedAt: startOf(summaries) },
  };
}

/** GO of the first process, by its clock. */
const startOf = (summaries: readonly K6Summary[]): string =>
  new Date(Math.min(...summaries.map(({ go }) => go))).toISOString();
