import type { StageFigures } from '../measurement/figures.ts';
import type { Measurements, ProbeFacts } from '../measurement/measurements.ts';
import { FEWEST_NUMBERS, numbersOf } from '../measurement/per-player-figures.ts';
import { answeredOf, demandOf } from '../measurement/sent.ts';
import type { Absence } from '../probe/probe.ts';
import type { BudgetMetric, MeasuredBudget } from '../scenario/budget.ts';
import { LIMIT_ROOM, limitMetricOf } from '../scenario/limit-metric.ts';
import { nearest } from '../scenario/nearest.ts';
import { processMetricOf } from '../scenario/process-metric.ts';
import {
  isOfKernelTraffic,
  isOfOwnProcesses,
  isOfStatements,
  kernelSeries,
  probesOf,
  unwatched,
} from './figure-source.ts';
import { withoutOutage } from './outage.ts';
import { whyNoPlayerFigure } from './player-figure.ts';
import { noteOf, unfitting } from './target-metric.ts';

/**
 * Whose doing it is that a budget is unmeasured.
 *
 * - `run`: this run could have measured it: a probe was not given, or nothing has that name.
 * - `engine`: the load engine does not measure it, whatever is given.
 * - `platform`: the operating system does not report it.
 * - `scenario`: the budget applies to another load, or another setting, by the scenario itself.
 * - `probe`: a probe gave no data; that is a rule of its own (probes-gave-data).
 * - `event`: what it would time did not happen.
 * - `disturbance`: it was measured, and what disturbed the run may explain the breach (proof.ts).
 */
export const CAUSES = ['run', 'engine', 'platform', 'scenario', 'probe', 'event', 'disturbance'] as const;
export type Cause = (typeof CAUSES)[number];

/** Why a budget has no figure, and the cause by kind. */
export interface Unmeasured {
  readonly reason: string;
  readonly cause: Cause;
}

/** What of the facts is looked at. */
export type UnmeasuredFacts = Pick<Measurements, 'measured' | 'settings' | 'stackKind' | 'probes'> &
  Partial<
    Pick<
      Measurements,
      | 'series'
      | 'absences'
      | 'engine'
      | 'summaries'
      | 'connect'
      | 'operations'
      | 'stages'
      | 'deliveries'
      | 'faults'
      | 'player'
    >
  >;

/** And of the figures: how much came due. */
interface UnmeasuredFigures {
  readonly load: Pick<StageFigures['load'], 'operations'>;
}

const byRun = (reason: string): Unmeasured => ({ reason, cause: 'run' });

/** Why there is no figure, where a check before the run says it in the same words. */
export const WHY = {
  oneLevel: 'the servers of this system acknowledge an operation once: an outage excuses nothing',
  targetSettings: "the settings of a target are not read: only those of capbench's own stack are",
  targetLimits: 'the processes of a target are not limited by capbench',
  notReported: 'not reported on this platform',
  targetProcesses: "the processes of a target are not capbench's own, and are not watched",
  noStatements:
    'PostgreSQL has not loaded pg_stat_statements: name it in postgres.settings.shared_preload_libraries',
  noEventLoop: 'k6 runs on many threads, and has no event loop to watch',
  notInSummary: 'a k6 summary does not hold it',
  noTraffic: 'a load worker did not report in time, or the measure phase has no whole second',
  noDeliveries: 'no player called context.expectDelivery',
  noModule: 'only a player module reports it, and this scenario has none',
  noLogin:
    'no player reported when it was logged in (context.loggedIn() of a player module, or a request as log-in)',
  ceilings: 'the ceilings are not measured: ceilings.secondsEach is 0',
  calibration: 'the generator is not calibrated: calibration.seconds is 0',
  perPlayer: `it needs at least ${FEWEST_NUMBERS} different numbers of players: load.stages[].players`,
  noProcesses:
    'no process of the servers was watched in every stage: a target needs --probe-process NAME=:PORT',
};

/** Why there is no figure at a budget's path, the most particular reason first. */
export function whyUnmeasured(
  budget: MeasuredBudget,
  m: UnmeasuredFacts,
  figures: UnmeasuredFigures,
): Unmeasured {
  const gap = unmeasuredInRun(budget, m, figures);
  // No option of the run would have put it into a summary.
  return m.summaries !== undefined && gap.cause === 'run'
    ? { reason: WHY.notInSummary, cause: 'engine' }
    : gap;
}

function unmeasuredInRun(budget: MeasuredBudget, m: UnmeasuredFacts, figures: UnmeasuredFigures): Unmeasured {
  const { metric } = budget;
  if (m.measured === null) {
    return byRun('the run never reached its measure phase, or ended before it could report its figures');
  }
  const missing = m.engine === undefined ? null : missingByEngine(metric, m.engine, m.operations);
  if (missing !== null) return { reason: missing, cause: 'engine' };
  if (metric.setting !== null) return byRun(noSetting(metric.setting, m));
  const strange = unwatched(metric, m);
  if (strange !== null) return byRun(strange);
  const { section } = metric;
  const names = probesOf(metric);
  const silent = m.probes.find((probe) => isSilent(probe) && names?.test(probe.name));
  if (silent !== undefined) {
    const reason = `probe ${silent.name} gave no data: ${silent.lastError ?? 'no answer'}`;
    return { reason, cause: 'probe' };
  }
  const ofModule = missingOfModule(budget, m);
  if (ofModule !== null) return ofModule;
  if (section === LIMIT_ROOM) return byRun(withoutLimit(metric, m));
  const outage = withoutOutage(metric, m);
  if (outage !== null) return byRun(outage);
  const absent = notedAbsence(budget, m);
  if (absent?.event === true) return { reason: absent.because, cause: 'event' };
  const noted = absent?.because ?? unfitting(budget, m);
  if (absent !== null && isOfKernelTraffic(budget.metric) && !isUnseen(m))
    return { reason: absent.because, cause: 'platform' };
  // What a player module sends over connections of its own may pass the engine by.
  if (noted !== null)
    return OF_TRAFFIC.test(metric.figure) ? { reason: noted, cause: 'engine' } : byRun(noted);
  if (m.engine === 'k6' && section === 'integrity') return { reason: K6_LEDGER, cause: 'engine' };
  const unseen = missingByPlatform(metric, m);
  if (unseen !== null) return unseen;
  if (section === 'perPlayer') return withoutSlope(metric, m);
  const other = elsewhere(metric, m);
  if (other !== null) return byRun(other);
  const nothing = nothingToTell(metric, figures);
  if (nothing !== null) return nothing;
  if (names !== undefined && !m.probes.some(({ name }) => names.test(name))) {
    return byRun(`no probe watched the ${section === 'integrity' ? 'database' : section}`);
  }
  if (OF_LEVELS.has(metric.figure)) return byRun(WHY.oneLevel);
  return byRun(OF_TRAFFIC.test(metric.figure) ? WHY.noTraffic : 'no data');
}

/** Figures of systems whose servers acknowledge at two levels. */
export const OF_LEVELS: ReadonlySet<string> = new Set(['integrity.saved', 'integrity.lostInWindow']);

const OF_TRAFFIC = /^network\.(?:bytes|connections|handshakes|kernel)/;

/** The load itself has not seen all of its traffic. */
const isUnseen = ({ absences = [] }: UnmeasuredFacts): boolean =>
  absences.some(({ of }) => of.startsWith('network.bytesPerPlayer'));

/** Why there is no figure for one player more. */
function withoutSlope({ figure }: BudgetMetric, { stages = [], absences = [] }: UnmeasuredFacts): Unmeasured {
  if (numbersOf(stages) < FEWEST_NUMBERS) return byRun(WHY.perPlayer);
  if (figure !== 'perPlayer.bytesPerSecond') return byRun(WHY.noProcesses);
  const unseen = absences.find(({ of }) => of.startsWith('network.bytesPerPlayer'));
  return unseen === undefined
    ? byRun('a stage is too short for a reading of its own')
    : { reason: unseen.because, cause: 'engine' };
}

/** A figure of limits of a component that has none, or of what only a control group counts. */
function withoutLimit({ path }: BudgetMetric, { stackKind, series = {} }: UnmeasuredFacts): string {
  const { component = '', figure = null } = limitMetricOf(path) ?? {};
  const isWatched = Object.hasOwn(series, `limits.${component}.cpuSeconds`);
  if (!isWatched && stackKind === 'target') return WHY.targetLimits;
  if (isWatched && figure === 'throttledPercent')
    return 'no quota of a control group held its CPUs: whole CPUs are held by affinity, and groups are made where CAPBENCH_CGROUP lets capbench';
  if (isWatched && figure === 'outOfMemoryKills')
    return 'no control group held its memory: CAPBENCH_CGROUP lets capbench make one';
  return isWatched
    ? notLimited(component, figure === 'cpuPercent' ? 'cpus' : 'memory')
    : `no limits of ${component} were watched: the scenario has none, or its processes cannot be read here`;
}

export const notLimited = (component: string, key: 'cpus' | 'memory'): string =>
  `the scenario has no limits.${key} of ${component}`;

/** A setting that the stack does not have, or that was not read. */
function noSetting(name: string, { stackKind, settings }: UnmeasuredFacts): string {
  if (stackKind === 'target') return WHY.targetSettings;
  const found = settings.find(({ setting }) => setting === name);
  if (found !== undefined) return `${name} is ${found.applied || "''"}, and that is no such number`;
  return unknownSetting(
    name,
    settings.map(({ setting }) => setting),
  );
}

export function unknownSetting(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  return `the stack has no setting ${name}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

/** What was noted of a part that could not be read: the most particular note. */
function notedAbsence(budget: MeasuredBudget, { absences = [] }: UnmeasuredFacts): Absence | null {
  const path = noteOf(budget);
  return absences
    .filter(({ of }) => path === of || path.startsWith(`${of}.`))
    .reduce<Absence | null>(
      (best, one) => (best === null || one.of.length > best.of.length ? one : best),
      null,
    );
}

const OF_LOOPS = new Set([
  ...['generator.maxLoopDelayMs', 'generator.maxUtilisationPercent', 'generator.stalledPercent'],
  ...['generator.waitedPercent', 'generator.calibration.utilisationPercent'],
]);

const OF_SOCKETS = new Set(['network.connections', 'network.handshakes']);

const K6_LEDGER = 'k6 did not report all that it had sent, and the rows were not checked';

/** Why an engine has no such figure, by the names of a bundle; null where it has. */
function missingByEngine(
  { figure, operation }: BudgetMetric,
  engine: string,
  operations: UnmeasuredFacts['operations'],
): string | null {
  // Bundles of earlier versions: their k6 engine timed rejections together with the rest.
  const isApart = operation === null || operations?.[operation.id]?.rejected !== null;
  if (!isApart && (figure === 'latency.ok' || figure === 'latency.rejected')) {
    return 'rejected operations were not timed apart in this run';
  }
  if (engine === 'k6') {
    if (OF_LOOPS.has(figure)) return WHY.noEventLoop;
    if (figure === 'network.reconnectMs') return 'k6 connects each player once';
    if (OF_SOCKETS.has(figure) || figure.startsWith('network.kernel.'))
      return 'k6 does not tell what connections it opens';
  }
  return engine === 'autocannon' && operation?.actor === 'player'
    ? 'with autocannon players are connected and say nothing'
    : null;
}

function missingByPlatform(
  metric: BudgetMetric,
  { stackKind, series = {}, probes, engine }: UnmeasuredFacts,
): Unmeasured | null {
  const from = kernelSeries(metric, engine);
  if (from === null || Object.keys(series).some((name) => from.test(name))) return null;
  if (stackKind === 'target' && isOfOwnProcesses(metric)) return byRun(WHY.targetProcesses);
  const watched = probes.some(({ name, samples }) => name === 'host' && samples > 0);
  return watched ? { reason: WHY.notReported, cause: 'platform' } : null;
}

const FOREIGN_OF_TARGET =
  'part of what is under test was not started by capbench: its CPU would count as foreign';

/** What a run of another kind would have measured. */
function elsewhere(metric: BudgetMetric, { stackKind, series = {}, probes }: UnmeasuredFacts): string | null {
  const { section, figure } = metric;
  const isOfStack = section === 'redis' && probes.some(({ name }) => name === 'redis');
  if (stackKind === 'local' && !isOfStack && (section === 'redis' || section === 'target')) {
    const probe =
      section === 'redis' ? 'redis' : processMetricOf(metric.path) === null ? 'metrics' : 'process';
    return `only a target has one: --target, with --probe-${probe}`;
  }
  if (section === 'ceilings') return WHY.ceilings;
  if (isOfCalibration(metric)) return WHY.calibration;
  if (isOfStatements(metric) && !Object.hasOwn(series, 'postgres.statements')) return WHY.noStatements;
  return figure === 'host.foreignCpuPercent' && stackKind === 'target' ? FOREIGN_OF_TARGET : null;
}

export const isOfCalibration = ({ figure }: BudgetMetric): boolean =>
  figure.startsWith('generator.calibration.');
/** What did not happen was not measured. */
function nothingToTell({ figure, operation }: BudgetMetric, { load }: UnmeasuredFigures): Unmeasured | null {
  const own = operation === null ? undefined : load.operations[operation.id];
  if (operation !== null && own?.scheduled === 0) {
    return byRun(
      operation.due === 'answer'
        ? `no player began it: players by module do so by context.start('${operation.id}'), after an answer`
        : `nothing of it came due: ${rateKeyOf(operation)} is 0, or the time too short`,
    );
  }
  if (own !== undefined && demandOf(own) === 0) return byRun('every one that was due was idle');
  const event = (reason: string): Unmeasured => ({ reason, cause: 'event' });
  if (figure === 'latency.rejected') return event('nothing was rejected');
  // Whether the servers should have answered is for the rules of the load to say.
  if (figure === 'latency.ok' || figure === 'latency.lag') return event('nothing was answered ok');
  if ((OF_ANSWERS.has(figure) || OF_SHARES.has(figure)) && nothingAnswered(load))
    return event('nothing was answered');
  if (figure === 'host.canaryDriftPercent') return event('the canary was not run before and after the run');
  if (figure === 'network.reconnectMs') return event('no player connected again');
  if (figure === 'network.connectMs') return byRun('no player connected');
  if (figure === 'load.prepareSeconds')
    return byRun('nothing was prepared: no player module exports prepare');
  if (figure === 'network.loginMs' || figure === 'network.socketMs') return byRun(WHY.noLogin);
  return OF_SHARES.has(figure) || HIT_RATIOS.has(figure)
    ? byRun('nothing happened that it would be a share of')
    : null;
}

/** What is made of answers, and of what they led to. */
const OF_ANSWERS = new Set([
  ...['generator.cpuMicrosPerOperation', 'database.statementMeanMs', 'database.queryMs'],
  ...['world.responseMs', 'throughput.largestBatch'],
]);
/** What is a share of that. */
const OF_SHARES = new Set([
  ...['database.hotUpdatePercent', 'throughput.serverSharePercent', 'throughput.rowsPerBatch'],
  ...['throughput.operationsPerBatch', 'throughput.flushedOnTimePercent', 'throughput.coalescing'],
]);
const HIT_RATIOS = new Set(['redis.hitRatioPercent', 'database.hitRatioPercent']);

const nothingAnswered = ({ operations }: UnmeasuredFigures['load']): boolean =>
  Object.values(operations).every((counts) => answeredOf(counts) === 0);

/** Counts of deliveries that say something also where none was expected. */
const OF_NO_DELIVERY = new Set(
  ['expected', 'delivered', 'unexpected', 'untracked'].map((one) => `delivery.${one}`),
);
/** Those that say something also where every one was excused. */
const OF_EXCUSED = new Set(['excused', 'duplicated', 'late'].map((one) => `delivery.${one}`));

/** Why a figure of deliveries is none: nothing could be lost, so that a count of 0 would prove nothing. Null for every other budget. */
export function nothingToLose(
  { metric: { section, figure } }: MeasuredBudget,
  { deliveries }: Pick<UnmeasuredFacts, 'deliveries'>,
): string | null {
  if (section !== 'delivery' || deliveries === undefined || OF_NO_DELIVERY.has(figure)) return null;
  const { expected, delivered, lost } = deliveries;
  if (expected === 0) return 'no delivery was expected in the measure phase';
  return delivered + lost > 0 || OF_EXCUSED.has(figure)
    ? null
    : 'every delivery that was expected in the measure phase is excused: the players were not connected all the while';
}

/** Why there is no figure of what only a player module reports. */
function missingOfModule(budget: MeasuredBudget, m: UnmeasuredFacts): Unmeasured | null {
  if (budget.metric.section === 'delivery') {
    if (m.deliveries === undefined) return byRun(WHY.noDeliveries);
    const nothing = nothingToLose(budget, m);
    return nothing === null ? null : byRun(nothing);
  }
  const reason = whyNoPlayerFigure(budget, m);
  return reason === null ? null : byRun(reason);
}

/** The key of a scenario that says how many of an operation are due a second. */
export const rateKeyOf = ({ id }: { readonly id: string }): string => `load.operations.${id}.perSecond`;

/** Why the load that was asked for is not the documented one; null where it is. */
export function anotherLoad(scale: number, altered: readonly string[]): string | null {
  const reasons = [
    ...(scale === 1 ? [] : [`scale ${scale}`]),
    ...(altered.length === 0 ? [] : [`altered: ${altered.join(', ')}`]),
  ];
  return reasons.length === 0 ? null : reasons.join('; ');
}

/** R7: it gave no data, or too little of it: in less than half of the seconds, also of the measure phase. */
export const isSilent = ({ samples, gaps, measured }: ProbeFacts): boolean =>
  samples === 0 || gaps > samples || measured.gaps > measured.samples;
