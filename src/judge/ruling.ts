import type { Figures, OpenPercentiles, StageFigures } from '../measurement/figures.ts';
import type { Budget, BudgetMetric, MeasuredBudget } from '../scenario/budget.ts';
import { ofOperation } from '../scenario/operations.ts';
import type { AppliedSetting } from '../stack/stack.ts';
import { conversion } from '../units.ts';
import { isText, keeps, settingNumber } from './comparison.ts';
import { unwatched } from './figure-source.ts';
import { withoutRecovery } from './outage.ts';
import { playerFactor } from './player-figure.ts';
import { betweenReadings, beyondBuckets } from './target-metric.ts';
import {
  anotherLoad,
  type Cause,
  nothingToLose,
  type Unmeasured,
  type UnmeasuredFacts,
  whyUnmeasured,
} from './unmeasured.ts';

/** The result for one budget. Only `met` and `breached` decide. */
export type RulingState = 'met' | 'breached' | 'unmeasured' | 'contradicted' | 'untestable';

export interface Ruling {
  readonly budget: Budget;
  readonly state: RulingState;
  /** In the budget's `metricUnit`; null when there is no figure. */
  readonly observed: number | string | null;
  /** How many operations a percentile is taken over, unanswered ones included; null for other figures. */
  readonly samples: number | null;
  /** The reason, for everything but a plain `met` or `breached`. */
  readonly reason: string | null;
  /** Why an unmeasured budget has no figure; null in every other state. */
  readonly cause: Cause | null;
}

/** A run is at full load from this share of the requested players and operations on. */
const FULL_LOAD_PERCENT = 99;

/** Latencies of operations of which some were not answered. */
type OpenKind = 'judged' | 'due' | 'ok' | 'service';

/** The figures of the whole run, or of the budget's stage. */
type OwnFigures = Figures | StageFigures;

/** Judges one budget by the figures of a run; `altered` is the scenario's. */
export function rule(
  budget: Budget,
  figures: Figures,
  m: UnmeasuredFacts,
  altered: readonly string[],
): Ruling {
  const without = { budget, observed: null, samples: null, cause: null };
  if (budget.state === 'untestable') return { ...without, state: 'untestable', reason: budget.missing };
  if (budget.state === 'contradicted') {
    return { ...without, state: 'contradicted', reason: budget.contradicted };
  }
  const { stage } = budget;
  const own = stage === undefined ? figures : figures.stages.find(({ name }) => name === stage);
  if (own === undefined) {
    return { ...without, state: 'unmeasured', reason: `the stage ${stage} was never reached`, cause: 'run' };
  }
  const observed = m.measured !== null || standsAlone(budget.metric) ? observe(budget, own) : null;
  const samples = samplesOf(budget, own);
  const of = (state: RulingState, reason: string | null, cause: Cause | null = null): Ruling => ({
    ...{ budget, state, observed, samples, reason, cause },
  });
  const unmeasured = ({ reason, cause }: Unmeasured): Ruling => of('unmeasured', reason, cause);

  if (budget.contradicted !== null) return of('contradicted', budget.contradicted);
  const deviation = deviationOf(budget.metric, m.settings);
  if (deviation?.hardware) return of('untestable', deviation.reason);
  const outOfReach = beyondReach(budget, figures);
  if (outOfReach !== null) return of('untestable', outOfReach);
  const otherwise = budget.fullLoad ? anotherLoad(figures.load.scale, altered) : null;
  if (otherwise !== null) return unmeasured({ reason: otherwise, cause: 'scenario' });
  if (unwatched(budget.metric, m) !== null) {
    return { ...without, state: 'unmeasured', ...whyUnmeasured(budget, m, own) };
  }
  if (nothingToLose(budget, m) !== null) {
    return { ...without, state: 'unmeasured', ...whyUnmeasured(budget, m, own) };
  }
  const unanswered = unansweredAt(budget, own);
  if (observed === null && isNeverFull(budget, own)) {
    return of('breached', 'the number of connected players never reached its level before the cut again');
  }
  const lasting = withoutRecovery(budget.metric, figures);
  if (lasting !== null) return of('breached', lasting);
  const refused = failedConnects(budget, m);
  if (observed === null && refused > 0) {
    return of('breached', `${refused.toLocaleString('en-US')} connections could not be made`);
  }
  if (observed === null && unanswered === 0) return unmeasured(whyUnmeasured(budget, m, own));

  const reasons = budget.fullLoad ? shortfalls(figures) : [];
  if (unanswered > 0 && (observed === null || budget.stat === 'max' || budget.stat === 'mean')) {
    return of('breached', [unansweredText(unanswered, budget, own), ...reasons].join('; '));
  }
  if (observed === null) return unmeasured(whyUnmeasured(budget, m, own));
  const upper = upperBound(budget);
  if (upper !== null) reasons.push('only the high end of a documented range of CPU use is a limit');
  const kept =
    typeof observed === 'number'
      ? upper === null
        ? keeps(observed, budget.op, budget.limit)
        : observed <= upper
      : typeof budget.limit === 'string' && isText(observed, budget.op, budget.limit);
  const beyond = beyondBuckets(budget, kept, figures.target.metrics);
  if (beyond !== null) return unmeasured({ reason: beyond, cause: 'run' });
  const between = betweenReadings(budget, factorOf(budget, own) ?? 1, m);
  if (between !== null) return unmeasured({ reason: between, cause: 'run' });
  if (!kept && deviation !== null) {
    return unmeasured({ reason: `applied differently: ${deviation.reason}`, cause: 'scenario' });
  }
  return of(kept ? 'met' : 'breached', reasons.length === 0 ? null : reasons.join('; '));
}

/** The figure in the budget's unit; a text stays one unless the limit is a number. */
function observe(budget: MeasuredBudget, figures: OwnFigures): number | string | null {
  const { stat } = budget;
  const keys = keysOf(budget.metric);
  const figure = figureAt(figures, stat === null ? keys : [...keys, stat]);
  if (typeof figure === 'string') {
    return typeof budget.limit === 'string' ? figure : (settingNumber(figure, budget.metricUnit) ?? null);
  }
  const factor = factorOf(budget, figures);
  return figure === null || factor === undefined ? null : figure * factor;
}

/** From the figure's unit to the budget's. */
const factorOf = (budget: MeasuredBudget, figures: OwnFigures): number | undefined =>
  budget.metric.unit !== 'any'
    ? conversion(budget.metric.unit, budget.metricUnit)
    : playerFactor(budget, 'player' in figures ? figures : {});

/** A storm after which too few players reconnected in time is a breach, although there is no figure. */
const isNeverFull = ({ metric }: MeasuredBudget, figures: OwnFigures): boolean =>
  OF_RETURNS.has(metric.path) && 'cut' in figures.network && figures.network.cut > 0;

const OF_RETURNS = new Set(['network.fullStrengthMs', 'network.connectMs', 'network.reconnectMs']);

/** Failed connections count as slower than all others, so a percentile among them is a breach. */
const failedConnects = ({ metric, stage }: MeasuredBudget, { connect }: UnmeasuredFacts): number =>
  metric.path === 'network.connectMs' && stage === undefined ? (connect?.failed ?? 0) : 0;

/** Why no run on this host could meet a budget: it asks for more than the host has. Null where one could. */
function beyondReach(
  { metric: { unit, within }, op, limit, metricUnit }: MeasuredBudget,
  figures: Figures,
): string | null {
  if (within === undefined || (op !== '>' && op !== '>=')) return null;
  const most = figureAt(figures, within.metric.split('.'));
  const factor = conversion(unit, metricUnit);
  if (typeof most !== 'number' || factor === undefined || keeps(most * factor, op, limit)) return null;
  return `${within.whose} ${Number((most * factor).toFixed(1))} ${metricUnit} in all`;
}

const OF_MACHINE = ['cpuModel', 'cpus', 'memoryBytes', 'kernel', 'platform', 'arch', 'node', 'nodeMajor'];

/** Metrics that are known without a measure phase. */
const standsAlone = ({ path, section, setting }: BudgetMetric): boolean =>
  setting !== null || section === 'ceilings' || OF_MACHINE.some((one) => path === `host.${one}`);

function deviationOf(
  { setting }: BudgetMetric,
  settings: readonly AppliedSetting[],
): (AppliedSetting & { reason: string }) | null {
  const found = setting === null ? undefined : settings.find((one) => one.setting === setting);
  return found === undefined || found.reason === null ? null : { ...found, reason: found.reason };
}

/** Latencies that may include unanswered operations, and the figures by which their budgets are judged. */
const OPEN: Readonly<Record<string, OpenKind>> = {
  'latency.due': 'judged',
  'latency.ok': 'ok',
  'latency.service': 'service',
};

/** The latency that a metric names, where it may include unanswered operations; null for every other metric. */
function openAt(
  { figure, operation }: BudgetMetric,
  figures: OwnFigures,
): Pick<OpenPercentiles, 'count' | 'unanswered'> | null {
  if (figure === 'delivery.latencyMs')
    return 'delivery' in figures ? (figures.delivery?.latencyMs ?? null) : null;
  const kind = OPEN[figure];
  if (operation === null || kind === undefined) return null;
  return ofOperation<Figures['latency'][string]>(figures.latency, operation.id)[kind];
}

const unansweredAt = ({ metric, stat }: MeasuredBudget, figures: OwnFigures): number =>
  stat === null ? 0 : (openAt(metric, figures)?.unanswered ?? 0);

function unansweredText(unanswered: number, budget: MeasuredBudget, figures: OwnFigures): string {
  const count = unanswered.toLocaleString('en-US');
  if (budget.metric.section === 'delivery') return `${count} deliveries were lost`;
  return `${count} operations were ${refusedAmong(budget, figures) ? 'rejected or ' : ''}never answered`;
}

/** Some of them were answered, with a rejection that does not count as an answer. */
function refusedAmong({ metric }: MeasuredBudget, figures: OwnFigures): boolean {
  if (metric.figure !== 'latency.due' || metric.operation === null) return false;
  const { judged, due } = ofOperation<Figures['latency'][string]>(figures.latency, metric.operation.id);
  return judged.unanswered > due.unanswered;
}

function samplesOf({ metric, stat }: MeasuredBudget, figures: OwnFigures): number | null {
  const open = openAt(metric, figures);
  if (open !== null) return open.count + open.unanswered;
  const count = stat === null ? null : figureAt(figures, [...keysOf(metric), 'count']);
  return typeof count === 'number' ? count : null;
}

/** How far the achieved load stayed behind the requested one; empty at full load. */
function shortfalls({ load }: Figures): string[] {
  const short: string[] = [];
  if (load.peakCcu < (FULL_LOAD_PERCENT / 100) * load.requestedCcu) {
    const [peak, wanted] = [load.peakCcu, load.requestedCcu].map((one) => one.toLocaleString('en-US'));
    short.push(`at ${peak} of ${wanted} players`);
  }
  for (const [op, sent] of Object.entries(load.sentPercent)) {
    if (sent !== null && sent < FULL_LOAD_PERCENT)
      short.push(`with ${sent.toFixed(1)}% of the ${op} load sent`);
  }
  return short;
}

/** The high end of a claimed range of CPU percentages; null where a range means both its ends. */
function upperBound({ claim, metric, op, limit }: MeasuredBudget): number | null {
  if (claim === null || op !== 'between' || typeof limit !== 'object') return null;
  return /cpuPercent/i.test(metric.figure) ? limit[1] : null;
}

/** The keys of a metric in the figures. A budget on `due` is judged by `judged` (measurement/figures.ts). */
export function keysOf({ path, figure, operation, setting, selector }: BudgetMetric): readonly string[] {
  if (setting !== null) return ['stack', 'applied', setting];
  if (selector !== null) return ['target', 'metrics', selector.text];
  return figure === 'latency.due' && operation !== null
    ? ['latency', operation.id, 'judged']
    : path.split('.');
}

/** The figure at these keys: a finite number, a text, or null where it was not measured. */
export function figureAt(figures: object, keys: readonly string[]): number | string | null {
  let at: unknown = figures;
  for (const key of keys) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return null;
    at = Reflect.get(at, key);
  }
  if (typeof at === 'number') return Number.isFinite(at) ? at : null;
  return typeof at === 'string' ? at : null;
}
