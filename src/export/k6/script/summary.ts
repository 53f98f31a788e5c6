import exec from 'k6/execution';
import { bucketEnds } from '../../../load/k6/buckets.ts';
import {
  allTimed,
  bucketOf,
  COUNT_KINDS,
  counterOf,
  GO,
  SUMMARY_ORIGIN,
  trendOf,
} from '../../../load/k6/metrics.ts';
import { STATISTICS } from './options.ts';

/** Where the summary is written, unless CAPBENCH_SUMMARY names another file. */
const SUMMARY_FILE = 'capbench-summary.json';

interface Metric {
  readonly values: Readonly<Record<string, number>>;
  readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>;
}
type Metrics = Record<string, Metric>;

interface SummaryData {
  metrics?: Metrics;
  readonly options?: { readonly summaryTrendStats?: readonly string[] };
}

const OTHER_FORM =
  "k6's new machine-readable summary lacks what capbench reads: " +
  'unset K6_NEW_MACHINE_READABLE_SUMMARY, leave out --new-machine-readable-summary';

/**
 * Why k6 would write no summary that can be judged; null where it will. A script sees k6's environment and options, not
 * its flags: what --new-machine-readable-summary does, handleSummary finds out; after --summary-mode=disabled k6 does not
 * call it.
 */
export function whyNoSummary(statistics: readonly string[] | undefined | null): string | null {
  if (['1', 't', 'true'].includes(String(__ENV.K6_NEW_MACHINE_READABLE_SUMMARY).toLowerCase())) {
    return OTHER_FORM;
  }
  if (String(__ENV.K6_SUMMARY_MODE).toLowerCase() === 'disabled') {
    return 'K6_SUMMARY_MODE=disabled: k6 would write no summary, and one of an earlier run would stay; unset it';
  }
  const missing = STATISTICS.filter((statistic) => !(statistics ?? []).includes(statistic));
  if (missing.length === 0) return null;
  return `the summary would lack ${missing.join(', ')} of every trend, which capbench reads: unset K6_SUMMARY_TREND_STATS, leave out --summary-trend-stats`;
}

/**
 * k6 calls it however the run ended. It overwrites what an earlier run left under this name, also where there is nothing to
 * report but the reason; "process" distinguishes two summaries, and "run" two runs.
 */
export function handleSummary(data: SummaryData): Record<string, string> {
  const { scenario, scenarioHash } = CONFIG;
  const origin = {
    ...{ schemaVersion: 2, scenario, scenarioHash },
    ...Object.fromEntries(ORIGIN.map((key) => [key, CONFIG[key]])),
    run: __ENV.CAPBENCH_RUN || null,
    process: `k6-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}`,
    segment: String(exec.test.options.executionSegment || '0:1'),
  };
  const path = __ENV.CAPBENCH_SUMMARY || SUMMARY_FILE;
  const failed = whyNoFigures(data);
  const metrics = data.metrics ?? {};
  const summary =
    failed === null
      ? { [SUMMARY_ORIGIN]: { ...origin, buckets: takeBuckets(metrics) }, ...data }
      : { [SUMMARY_ORIGIN]: { ...origin, failed }, metrics: {} };
  const text = failed === null ? summaryText(metrics, path) : `\n${scenario}: no figures: ${failed}\n\n`;
  const json = JSON.stringify(summary);
  // On a cluster, files end with their pod: the summary is then a line of the log.
  return path === 'stdout' ? { stdout: `${text}${json}\n` } : { [path]: json, stdout: text };
}

function whyNoFigures({ metrics, options }: SummaryData): string | null {
  if (!metrics || !options) return whyNoSummary(STATISTICS) ?? OTHER_FORM;
  const why = whyNoSummary(options.summaryTrendStats);
  if (why !== null) return why;
  if (!metrics[GO]) return 'the run ended before its load began: see what k6 reported';
  const [first = ''] = allTimed(Object.keys(LABELS));
  return metrics[bucketOf(first, 0)] === undefined
    ? 'the buckets of latencies are thresholds without conditions, and --no-thresholds takes those away, too: use -e CAPBENCH_THRESHOLDS=none instead'
    : null;
}

/** The buckets of each trend that hold something, in fewer words than k6's own; they are no longer in `metrics` then. */
function takeBuckets(metrics: Metrics): Record<string, [end: number, count: number][]> {
  const buckets: Record<string, [number, number][]> = {};
  const ends = bucketEnds();
  for (const trend of allTimed(Object.keys(LABELS))) {
    buckets[trend] = [];
    for (const end of ends) {
      const name = bucketOf(trend, end);
      const count = metrics[name]?.values.count ?? 0;
      if (count > 0) buckets[trend].push([end, count]);
      delete metrics[name];
    }
  }
  return buckets;
}

function summaryText(metrics: Metrics, path: string): string {
  const lines = ['', `${CONFIG.scenario}, seed ${CONFIG.seed}: what was due in the measure phase`];
  for (const [id, title] of Object.entries(LABELS)) {
    const count = (kind: (typeof COUNT_KINDS)[number]): number =>
      metrics[counterOf(id, kind)]?.values.count ?? 0;
    lines.push('', `  ${title}: ${COUNT_KINDS.map((kind) => `${kind} ${count(kind)}`).join(', ')}`);
    for (const kind of ['due', 'service', 'lag'] as const) {
      const trend = metrics[trendOf(id, kind)];
      if (trend === undefined || count('scheduled') === 0) continue;
      const shown = ['p(50)', 'p(95)', 'p(99)', 'max'].map(
        (stat) => `${stat} ${Number((trend.values[stat] ?? 0).toFixed(1))}`,
      );
      lines.push(`    ${kind}, ms: ${shown.join('  ')}`);
    }
  }
  lines.push('');
  for (const [name, { thresholds }] of Object.entries(metrics)) {
    for (const [limit, { ok }] of Object.entries(thresholds ?? {})) {
      lines.push(`  ${ok ? 'met     ' : 'BREACHED'}  ${name}: ${limit}`);
    }
  }
  return `${lines.concat('', `  ${path}`, '').join('\n')}\n`;
}
