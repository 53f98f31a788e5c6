import type { z } from 'zod';
import { LIMIT_ROOM, limitMetricOf } from './limit-metric.ts';
import { type MetricSelector, selectorOf, watchedSelector } from './metric-selector.ts';
import type { OperationSpec } from './operations.ts';
import { OUTAGE_ROOM, outageMetricOf } from './outage-metric.ts';
import { PROCESS_ROOM, processMetricOf } from './process-metric.ts';
import type { resolvedBudgetSchema } from './sections.ts';

type Entry = z.output<typeof resolvedBudgetSchema>;
type Of<State extends Entry['state']> = Readonly<Extract<Entry, { state: State }>>;
export type Operator = Entry['op'];

/** Where a documented claim is found. */
export type Source = NonNullable<Entry['source']>;

/** A budget that a run decides: met, breached, unmeasured, or (with `contradicted`) contradicted. */
export interface MeasuredBudget extends Omit<Of<'measured'>, 'metric'> {
  /** A path in report.json, without the statistic. */
  readonly metric: BudgetMetric;
}

/**
 * Also `untestable`, which needs hardware, prices or components that are not available; and `contradicted`, about which the
 * document contradicts itself.
 */
export type Budget = MeasuredBudget | Of<'untestable'> | Of<'contradicted'>;

/** A user's own budget, without whose figure the run is invalid. A documented claim may have no figure. */
export const isRequired = (budget: Budget): budget is MeasuredBudget =>
  budget.state === 'measured' && budget.claim === null && budget.optional !== true;

/** A budget as it is written in files: with the path as its metric. */
export const writtenBudget = (budget: Budget): object =>
  budget.state === 'measured' ? { ...budget, metric: budget.metric.path } : budget;

/** What is read of a target's metrics pages. */
export interface AskedMetric {
  readonly selector: MetricSelector;
  /** The statistics that budgets name. */
  readonly stats: ReadonlySet<string>;
  /** `watch:` names it: all that there is of it is shown. */
  readonly isWatched: boolean;
}

/** The selectors that budgets and `watch:` need from a target's metrics pages, by their texts. */
export function selectorsOf(
  budgets: readonly Budget[],
  watch: readonly string[] = [],
): ReadonlyMap<string, AskedMetric> {
  const found = new Map<string, { selector: MetricSelector; stats: Set<string>; isWatched: boolean }>();
  for (const budget of budgets) {
    if (budget.state !== 'measured') continue;
    const { selector } = budget.metric;
    if (selector === null || budget.stat === null) continue;
    const entry = found.get(selector.text) ?? { selector, stats: new Set<string>(), isWatched: false };
    entry.stats.add(budget.stat);
    found.set(selector.text, entry);
  }
  for (const selector of watch.flatMap((text) => watchedSelector(text) ?? [])) {
    const stats = found.get(selector.text)?.stats ?? new Set<string>();
    found.set(selector.text, { selector, stats, isWatched: true });
  }
  return found;
}

/** The names of the target's processes on which there are budgets. */
export const processesIn = (budgets: readonly Budget[]): ReadonlySet<string> =>
  new Set(
    budgets.flatMap((budget) =>
      budget.state === 'measured' ? (processMetricOf(budget.metric.path)?.name ?? []) : [],
    ),
  );

/** A metric that a budget may name. */
export interface Metric {
  /**
   * A unit of units.ts if a conversion exists; `text` for words, `setting` for PostgreSQL's notation, `any` for a number in
   * the budget's own unit.
   */
  readonly unit: string;
  /** The statistics at this path; null when the path is a figure itself. */
  readonly stats: readonly string[] | null;
  /** Whether it is measured per stage: no, also, or only per stage. */
  readonly stages: 'no' | 'too' | 'only';
  /** Another metric, in the same unit, that this figure cannot exceed. */
  readonly within?: { readonly metric: string; readonly whose: string } | undefined;
  /** Only this system measures it. Absent: any run may. */
  readonly ofSystem?: true | undefined;
}

/** The metrics of a system, by path in report.json; settings and a target's own metrics are found by name. */
export type Metrics = ReadonlyMap<string, Metric>;

/** The metric of a budget, parsed when the scenario is read. */
export interface BudgetMetric extends Pick<Metric, 'unit' | 'within' | 'ofSystem'> {
  /** As written: `latency.intent.due`. */
  readonly path: string;
  /** Its first word: `latency`. */
  readonly section: string;
  /**
   * The path without its operation: `latency.due`, `load.operations.ok`, `throughput.perSecond`;
   * `stack.applied` and `target.metrics` without their names, and figures of a process, an outage and limits without theirs.
   */
  readonly figure: string;
  /** Null for a figure of no single operation. */
  readonly operation: OperationSpec | null;
  /** The name in `stack.applied.<name>`. */
  readonly setting: string | null;
  /** The samples in `target.metrics.<selector>`. */
  readonly selector: MetricSelector | null;
}

/** Parses the path of a budget. An unknown one gets the unit `any`; budget-entry.ts reports it. */
export type MetricReader = (path: string, stat: string | null) => BudgetMetric;

export const metricReader =
  (operations: readonly OperationSpec[], metrics: Metrics): MetricReader =>
  (path, stat) => {
    const { unit = 'any', within, ofSystem } = metricAt(metrics, path, stat) ?? {};
    return {
      ...{ ...parsed(path, operations), unit },
      ...(within === undefined ? {} : { within }),
      ...(ofSystem === undefined ? {} : { ofSystem }),
    };
  };

const SETTINGS = 'stack.applied';
export const SELECTED = 'target.metrics';

type Parsed = Omit<BudgetMetric, 'unit' | 'within' | 'ofSystem'>;

function parsed(path: string, operations: readonly OperationSpec[]): Parsed {
  const words = path.split('.');
  const section = words[0] ?? '';
  const setting = settingOf(path);
  const selector = selectorOf(path);
  const of = (figure: string, operation: OperationSpec | null): Parsed => ({
    ...{ path, section, figure, operation, setting, selector },
  });
  if (setting !== null) return of(SETTINGS, null);
  if (selector !== null) return of(SELECTED, null);
  const ofProcess = processMetricOf(path);
  if (ofProcess !== null) return of(`${PROCESS_ROOM}.${ofProcess.figure}`, null);
  const ofOutage = outageMetricOf(path);
  if (ofOutage !== null) {
    return of(
      `${OUTAGE_ROOM}.${ofOutage.figure}`,
      operations.find(({ id }) => id === ofOutage.operation) ?? null,
    );
  }
  const ofLimit = limitMetricOf(path);
  if (ofLimit !== null) return of(`${LIMIT_ROOM}.${ofLimit.figure}`, null);
  const rate = operations.find(({ plural }) => path === `throughput.${plural}PerSecond`);
  if (rate !== undefined) return of('throughput.perSecond', rate);
  // latency.<operation>.due, load.errorPercent.<operation>, load.operations.<operation>.ok
  const at = { latency: 1, load: 2 }[section];
  const found = operations.find(({ id }) => at !== undefined && words[at] === id);
  return found === undefined ? of(path, null) : of(words.toSpliced(at ?? 0, 1).join('.'), found);
}

function settingOf(path: string): string | null {
  const name = path.startsWith(`${SETTINGS}.`) ? path.slice(SETTINGS.length + 1) : '';
  return name === '' ? null : name;
}

/** The metric at a path; undefined when report.json has none there. */
export function metricAt(metrics: Metrics, path: string, stat: string | null = null): Metric | undefined {
  const listed = metrics.get(path);
  if (listed !== undefined) return listed;
  if (settingOf(path) !== null) return { unit: 'setting', stats: null, stages: 'no' };
  const ofProcess = processMetricOf(path);
  if (ofProcess !== null) return { unit: ofProcess.unit, stats: ['mean', 'min', 'max'], stages: 'no' };
  const ofOutage = outageMetricOf(path);
  if (ofOutage !== null) {
    const { unit, operation } = ofOutage;
    const isKnown = operation === null || metrics.has(`load.operations.${operation}.ok`);
    return isKnown ? { unit, stats: null, stages: 'no' } : undefined;
  }
  const ofLimit = limitMetricOf(path);
  if (ofLimit !== null) {
    const { unit, isSpread } = ofLimit;
    return { unit, stats: isSpread ? ['mean', 'min', 'max'] : null, stages: 'no' };
  }
  if (playerFigureOf(path) !== null) return { unit: 'any', stats: PLAYER_STATS, stages: 'no' };
  const selector = selectorOf(path);
  return selector === null ? undefined : { unit: unitOf(selector.name, stat), stats: STATS, stages: 'no' };
}

const PLAYER = 'player';
/** Of a figure that a player module measures itself: without a unit, and with one. */
export const PLAYER_COUNTER_STATS: readonly string[] = ['total', 'perSecond', 'count'];
export const PLAYER_STATS: readonly string[] = [
  ...['p50', 'p90', 'p95', 'p99', 'max', 'mean', 'min'],
  ...PLAYER_COUNTER_STATS,
];

/** The name in `player.<name>`; null for every other metric. */
export const playerFigureOf = (path: string): string | null =>
  new RegExp(`^${PLAYER}\\.([a-z][A-Za-z0-9]{0,31})$`).exec(path)?.[1] ?? null;

export const GAUGE_STATS: readonly string[] = ['mean', 'min', 'max', 'last'];
export const COUNTER_STATS: readonly string[] = ['rate', 'increase'];
export const HISTOGRAM_STATS: readonly string[] = ['p50', 'p90', 'p95', 'p99'];
const STATS = [...GAUGE_STATS, ...COUNTER_STATS, ...HISTOGRAM_STATS];

/** The unit of a target's own metric, by Prometheus' naming conventions; `any` where its name does not have one. */
function unitOf(name: string, stat: string | null): string {
  const [, word = ''] = /_(seconds|milliseconds|ms|bytes)(?:_total|_sum)?$/.exec(name) ?? [];
  const unit = { seconds: 's', milliseconds: 'ms', ms: 'ms', bytes: 'bytes' }[word] ?? 'any';
  if (stat !== 'rate') return unit;
  return unit === 'bytes' ? 'bytes/s' : 'any';
}
