import type { Measurements, Series } from '../measurement/measurements.ts';
import type { Report } from './report.ts';

/** A Prometheus metric of a run: one combination of labels. */
export interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'summary';
  readonly help: string;
  readonly labels: Labels;
  /** [seconds after GO, value], ascending; in base units (seconds, bytes). */
  readonly points: readonly (readonly [at: number, value: number])[];
  /** Of a summary, which of its numbers it is: `sum`, `count`, or a quantile, which is a label. */
  readonly suffix?: 'sum' | 'count';
}

export type Labels = Readonly<Record<string, string>>;

const PREFIX = 'capbench';

/** What every metric of a run carries. */
const commonLabels = ({ scenario }: Pick<Report, 'scenario'>): Labels => ({ scenario });

/**
 * The series of a run as Prometheus metrics, by the naming rules of Prometheus: `world.1.cpuSeconds` is
 * `capbench_world_cpu_seconds_total{world="1"}`, `load.look.p95Ms` is `capbench_load_latency_seconds{operation="look",
 * quantile="0.95"}`. Of each second; slices of a second are left out.
 */
export function seriesMetrics(
  { series, operations }: Pick<Measurements, 'series' | 'operations'>,
  report: Pick<Report, 'scenario'>,
): readonly Metric[] {
  const taken = new Set<string>();
  return Object.entries(series).flatMap(([key, one]) => {
    const named = metricOf(key, one, (text) => Object.hasOwn(operations, text));
    if (named === null || one.points.length === 0) return [];
    const labels = { ...commonLabels(report), ...named.labels };
    // Two series whose names differ only in characters that Prometheus does not take would be one.
    const id = JSON.stringify([named.name, labels]);
    if (taken.has(id)) return [];
    taken.add(id);
    const points = one.points.map(([at, value]) => [at, value * named.factor] as const);
    return [{ name: named.name, type: one.kind, help: named.help, labels, points }];
  });
}

interface Named {
  readonly name: string;
  readonly labels: Labels;
  readonly help: string;
  readonly factor: number;
}

/** How an operation ended: one metric with a label, since they add up to all of them. */
const OUTCOMES = new Set(['ok', 'rejected', 'failed', 'timedOut', 'skipped', 'unfinished']);
/** What stands in a name between a room and a figure, and the label that it becomes. */
const LABELLED: Readonly<Record<string, string>> = {
  process: 'process',
  limits: 'component',
  generator: 'worker',
};

function metricOf(
  key: string,
  { kind }: Pick<Series, 'kind'>,
  isOperation: (text: string) => boolean,
): Named | null {
  const [room = '', second = '', ...rest] = key.split('.');
  if (room === 'load' && isOperation(second)) return loadMetric(second, rest, kind);
  // The selector of a target's own page is no name of ours, and may have dots.
  if (room === 'metrics') {
    const labels = { page: second, selector: rest.join('.') };
    return named(['target', 'metric'], kind, labels, 'metrics.<page>.<selector>');
  }
  if (room === 'redis' && second === 'command') {
    const [command = '', ...figure] = rest;
    return named(['redis', 'command', ...figure], kind, { command }, key.replace(command, '<name>'));
  }
  const label = LABELLED[room] ?? (/^\d+$/.test(second) ? room : null);
  return label === null
    ? named([room, second, ...rest], kind, {}, key)
    : named([room, ...rest], kind, { [snake(label)]: second }, [room, `<${label}>`, ...rest].join('.'));
}

function loadMetric(
  operation: string,
  [figure = '', ...more]: readonly string[],
  kind: Series['kind'],
): Named | null {
  if (figure === 'slice' || more.length > 0) return null;
  const quantile = /^p(\d+)Ms$/.exec(figure)?.[1];
  if (quantile !== undefined) {
    const labels = { operation, quantile: String(Number(`0.${quantile}`)) };
    return named(['load', 'latencyMs'], kind, labels, 'load.<operation>.p..Ms: of the answers of a second');
  }
  return OUTCOMES.has(figure)
    ? named(['load', 'operations'], kind, { operation, outcome: snake(figure) }, 'load.<operation>.<outcome>')
    : named(['load', figure], kind, { operation }, `load.<operation>.${figure}`);
}

/** The last word of a series' name is its unit; Prometheus has seconds and bytes. */
const UNITS: readonly (readonly [ending: RegExp, unit: string, factor: number])[] = [
  [/_ms$/, '_seconds', 1e-3],
  [/_micros$/, '_seconds', 1e-6],
];

function named(words: readonly string[], kind: Series['kind'], labels: Labels, of: string): Named {
  const plain = snake([PREFIX, ...words].join('_'));
  const [ending, unit, factor] = UNITS.find(([suffix]) => suffix.test(plain)) ?? [/$/, '', 1];
  const name = plain.replace(ending, unit) + (kind === 'counter' ? '_total' : '');
  return { name, labels, help: `${of}, of a capbench run`, factor };
}

/** `memoryAvailableBytes` as `memory_available_bytes`, of characters that a name may have. */
const snake = (text: string): string =>
  text
    .replaceAll(/([a-z\d])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^a-z\d_]+/g, '_');

/** The verdict of a run, and what its measure phase came to, as metrics of one point at the end. */
export function verdictMetrics(m: Measurements, report: Report): readonly Metric[] {
  const end = m.phases.end - (m.phases.go ?? 0);
  const common = commonLabels(report);
  const gauge = (name: string, value: number | null, help: string, labels: Labels = {}): Metric[] =>
    value === null
      ? []
      : [
          {
            ...{ name: `${PREFIX}_${name}`, type: 'gauge', help },
            ...{ labels: { ...common, ...labels }, points: [[end, value]] },
          },
        ];
  const startedAt = Date.parse(m.startedAt) / 1e3;
  const { outcome, system, rulings } = report;
  const states = [...new Set(rulings.map(({ state }) => state))].toSorted();
  return [
    ...gauge('run_info', 1, 'What was run: always 1.', {
      ...{ system: system ?? '', outcome, engine: m.engine, version: m.capbench },
      ...{ scenario_hash: m.scenarioHash.slice(0, 12), commit: m.commit ?? '' },
    }),
    ...gauge('run_exit_code', report.exitCode, 'Exit code of the run: 0 is a pass.'),
    ...gauge('run_start_timestamp_seconds', startedAt, 'When the run began.'),
    ...gauge('run_end_timestamp_seconds', startedAt + m.phases.end, 'When the run ended.'),
    ...states.flatMap((state) =>
      gauge(
        'run_budgets',
        rulings.filter((one) => one.state === state).length,
        'Budgets by what became of them.',
        { state },
      ),
    ),
    ...rulings.flatMap(({ id, state }) =>
      state === 'met' || state === 'breached'
        ? gauge('run_budget_met', state === 'met' ? 1 : 0, 'Whether a budget was met.', { budget: id })
        : [],
    ),
    ...latencySummaries(report, end, common),
  ];
}

const QUANTILES = { p50: '0.5', p90: '0.9', p95: '0.95', p99: '0.99', p999: '0.999' } as const;

/** From the scheduled time, of the whole measure phase. */
function latencySummaries({ latency }: Report, end: number, common: Labels): readonly Metric[] {
  return Object.entries(latency).flatMap(([operation, { due }]) => {
    const labels = { ...common, operation };
    const one = (value: number, more: Labels, suffix?: Metric['suffix']): Metric => ({
      ...{ name: `${PREFIX}_run_latency_seconds`, type: 'summary', labels: { ...labels, ...more } },
      help: 'Latency from the scheduled time, of the measure phase.',
      points: [[end, value]],
      ...(suffix === undefined ? {} : { suffix }),
    });
    const { count, mean } = due;
    if (count === 0 || mean === null) return [];
    return [
      ...Object.entries(QUANTILES).flatMap(([stat, quantile]) => {
        const ms = due[stat as keyof typeof QUANTILES];
        return ms === null ? [] : [one(ms / 1e3, { quantile })];
      }),
      one((mean / 1e3) * count, {}, 'sum'),
      one(count, {}, 'count'),
    ];
  });
}
