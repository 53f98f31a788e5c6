import type { Counts } from '../load/engine.ts';
import type { Measurements } from '../measurement/measurements.ts';
import { answeredOf } from '../measurement/sent.ts';
import type { Absence } from '../probe/absence.ts';
import type { MeasuredBudget } from '../scenario/budget.ts';
import { nearest } from '../scenario/nearest.ts';
import { OPERATIONS, type Operation } from '../scenario/workload.ts';
import { settingOf } from './metric.ts';
import { isSilent } from './rules/silence.ts';
import { strangeness } from './stranger.ts';
import { noteOf, unfitting } from './target-metric.ts';

/**
 * What an unmeasured budget is for want of.
 *
 * - `run`: of this run, which could have measured it: a probe that was not given, a name that nothing has.
 * - `engine`: of what makes the load, which does not tell it whatever is given.
 * - `platform`: of the machine, which does not tell it.
 * - `scenario`: of nothing; the scenario says itself that it is not ruled here: at another load, or another setting.
 * - `probe`: of a probe's answers, which fell silent; that is a rule of its own (probes-gave-data).
 * - `event`: of an event; it did not happen, and nothing is to be said of how long it took.
 * - `disturbance`: of proof; it was measured, and what disturbed the run may explain it (proof.ts).
 */
export const CAUSES = ['run', 'engine', 'platform', 'scenario', 'probe', 'event', 'disturbance'] as const;
export type Cause = (typeof CAUSES)[number];

/** Why a budget has no figure, and whose doing that is. */
export interface Gap {
  readonly reason: string;
  readonly cause: Cause;
}

/** What of the facts is looked at. */
export type GapFacts = Pick<Measurements, 'measured' | 'settings' | 'stackKind' | 'probes'> &
  Partial<Pick<Measurements, 'series' | 'absences' | 'engine' | 'connect'>>;

/** And of the figures: how much came due. Null: nobody told. */
export interface GapFigures {
  readonly load: {
    readonly operations: Readonly<Record<Operation, Pick<Counts, 'scheduled' | 'ok' | 'rejected'> | null>>;
  };
}

const byRun = (reason: string): Gap => ({ reason, cause: 'run' });

/** Why there is no figure at a budget's path, the most particular reason first. */
export function gapOf(budget: MeasuredBudget, m: GapFacts, figures: GapFigures): Gap {
  const { metric } = budget;
  if (m.measured === null) {
    return byRun('the run never reached its measure phase, or ended before it could tell its figures');
  }
  const untold = m.engine === undefined ? null : untoldByEngine(metric, m.engine);
  if (untold !== null) return { reason: untold, cause: 'engine' };
  const setting = settingOf(metric);
  if (setting !== null) return byRun(noSetting(setting, m));
  const strange = strangeness(metric, m);
  if (strange !== null) return byRun(strange);
  const room = metric.split('.')[0] ?? '';
  const names = PROBES[room];
  const silent = m.probes.find((probe) => isSilent(probe) && names?.test(probe.name));
  if (silent !== undefined) {
    const reason = `probe ${silent.name} gave no data: ${silent.lastError ?? 'no answer'}`;
    return { reason, cause: 'probe' };
  }
  const absent = notedAbsence(budget, m);
  if (absent?.event === true) return { reason: absent.because, cause: 'event' };
  const noted = absent?.because ?? unfitting(budget, m);
  // What a player module sends over connections of its own passes the engine by.
  if (noted !== null) return OF_TRAFFIC.test(metric) ? { reason: noted, cause: 'engine' } : byRun(noted);
  if (m.engine === 'k6' && room === 'integrity') return { reason: K6_LEDGER, cause: 'engine' };
  const unseen = untoldByPlatform(metric, m);
  if (unseen !== null) return unseen;
  const other = elsewhere(metric, m);
  if (other !== null) return byRun(other);
  const nothing = nothingToTell(metric, figures);
  if (nothing !== null) return nothing;
  if (names !== undefined && !m.probes.some(({ name }) => names.test(name))) {
    return byRun(`no probe watched the ${room === 'integrity' ? 'database' : room}`);
  }
  return byRun('no data');
}

/** A setting that the stack has not, or that nobody asked it for. */
function noSetting(name: string, { stackKind, settings }: GapFacts): string {
  if (stackKind === 'target') return TARGET_SETTINGS;
  const found = settings.find(({ setting }) => setting === name);
  if (found !== undefined) return `${name} is ${found.applied || "''"}, and that is no such number`;
  return unknownSetting(
    name,
    settings.map(({ setting }) => setting),
  );
}

export const TARGET_SETTINGS = "the settings of a target are not read: only capbench's own stack tells them";

export function unknownSetting(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  return `the stack has no setting ${name}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

/** What was noted of a part that nobody could read: the most particular word of it. */
function notedAbsence(budget: MeasuredBudget, { absences = [] }: GapFacts): Absence | null {
  const path = noteOf(budget);
  return absences
    .filter(({ of }) => path === of || path.startsWith(`${of}.`))
    .reduce<Absence | null>(
      (best, one) => (best === null || one.of.length > best.of.length ? one : best),
      null,
    );
}

/** Which probes a part of the report comes from. */
const PROBES: Readonly<Record<string, RegExp>> = {
  world: /^world/,
  throughput: /^world/,
  database: /^postgres/,
  integrity: /^postgres/,
  redis: /^redis/,
  target: /^metrics/,
  host: /^host/,
};

const OF_TRAFFIC = /^network\.bytes/;
const OF_LOOPS =
  /^generator\.(maxLoopDelayMs|maxUtilisationPercent|stalledPercent|waitedPercent|calibration\.utilisationPercent)$/;
const OF_PARTS = /^latency\.\w+\.(ok|rejected)$/;
const OF_INTENTS = /^(latency|load\.\w+)\.intent\b|^throughput\.intents/;

/** Of k6, which is no process of capbench's own. */
export const NO_EVENT_LOOP = 'k6 runs on many threads, and tells of no event loop';
const K6_LEDGER = 'k6 did not tell all that it had sent, and the rows were not checked';

/** Why an engine tells no such figure, by the names of a bundle; null where it does. */
function untoldByEngine(metric: string, engine: string): string | null {
  if (engine === 'k6') {
    if (OF_LOOPS.test(metric)) return NO_EVENT_LOOP;
    if (OF_PARTS.test(metric)) return 'k6 does not time apart what was rejected';
    if (metric === 'network.reconnectMs') return 'k6 connects each player once';
  }
  if (engine === 'autocannon' && OF_INTENTS.test(metric)) {
    return 'with autocannon players are connected and say nothing';
  }
  return null;
}

/** Paths whose figure comes from what not every kernel tells, and the series that then are not there. */
const OF_KERNEL: readonly (readonly [path: RegExp, series: RegExp])[] = [
  [/^host\.steal(Max)?Percent$/, /^host\.cpuStealSeconds$/],
  [/^host\.foreignCpuPercent$/, /^host\.(foreign|run)CpuSeconds$/],
  [/^host\.throttledPeriods$/, /^host\.throttledPeriods$/],
  [/^host\.memoryPressurePercent$/, /^host\.memoryFullSeconds$/],
  [/^host\.cpuPressurePercent$/, /^host\.cpuSomeSeconds$/],
  [/^host\.networkBytesPerSecond$/, /^host\.networkBytes$/],
  [/^generator\.waitedPercent$/, /^generator\.\d+\.waitedSeconds$/],
  [/^world\.waitedPercent$/, /^world\.\d+\.waitedSeconds$/],
  [/^database\.cpuPercentOfHost$/, /^postgres\.cpuSeconds$/],
  [/^database\.memoryPercentOfHost$/, /^postgres\.memoryBytes$/],
  [/^database\.waitedPercent$/, /^postgres\.waitedSeconds$/],
];
/** What the engine's own workers tell of themselves, and of k6 the kernel alone. */
const OF_K6: typeof OF_KERNEL = [
  [/^generator\.(cpuCores|cpuPercentOfHost|cpuMicrosPerOperation)$/, /^generator\.\d+\.cpuSeconds$/],
  [/^generator\.memoryBytesPerPlayer$/, /^generator\.\d+\.memoryBytes$/],
];
/** Of processes that are capbench's own, unless they are a target's. */
export const isOfOwnProcesses = (metric: string): boolean => /^(world|database)\./.test(metric);

/** Whether a figure is one that Linux tells and another platform may not. */
export const isOfKernel = (metric: string): boolean => OF_KERNEL.some(([path]) => path.test(metric));

function untoldByPlatform(metric: string, { stackKind, series = {}, probes, engine }: GapFacts): Gap | null {
  const sources = engine === 'k6' ? [...OF_KERNEL, ...OF_K6] : OF_KERNEL;
  const [, from] = sources.find(([path]) => path.test(metric)) ?? [];
  if (from === undefined || Object.keys(series).some((name) => from.test(name))) return null;
  if (stackKind === 'target' && isOfOwnProcesses(metric)) return byRun(TARGET_PROCESSES);
  const watched = probes.some(({ name, samples }) => name === 'host' && samples > 0);
  return watched ? { reason: NOT_TOLD, cause: 'platform' } : null;
}

export const NOT_TOLD = 'not told on this platform';
export const TARGET_PROCESSES = "the processes of a target are not capbench's own, and are not watched";
const FOREIGN_OF_TARGET =
  'part of what is under test was started by somebody else: its CPU would count as foreign';

/** What a run of another kind would have told. */
function elsewhere(metric: string, { stackKind, series = {} }: GapFacts): string | null {
  const room = metric.split('.')[0] ?? '';
  if (stackKind === 'local' && (room === 'redis' || room === 'target')) {
    return `only a target has one: --target, with --probe-${room === 'redis' ? 'redis' : 'metrics'}`;
  }
  if (room === 'ceilings') return LEFT_OUT.ceilings;
  if (metric.startsWith('generator.calibration.')) return LEFT_OUT.calibration;
  if (isOfStatements(metric) && !Object.hasOwn(series, 'postgres.statements')) return NO_STATEMENTS;
  return metric === 'host.foreignCpuPercent' && stackKind === 'target' ? FOREIGN_OF_TARGET : null;
}

/** Measurements of capbench's own that a scenario may leave out. */
export const LEFT_OUT = {
  ceilings: 'the ceilings are not measured: ceilings.secondsEach is 0',
  calibration: 'the generator is not calibrated: calibration.seconds is 0',
};

export const isOfStatements = (metric: string): boolean => /^database\.statement/.test(metric);
export const NO_STATEMENTS =
  'PostgreSQL has not loaded pg_stat_statements: name it in postgres.settings.shared_preload_libraries';

/** What did not happen was not measured. */
function nothingToTell(metric: string, { load }: GapFigures): Gap | null {
  const operation = operationOf(metric);
  if (operation !== null && load.operations[operation]?.scheduled === 0) {
    return byRun(`nothing of it came due: ${RATES[operation]} is 0, or the time too short`);
  }
  const event = (reason: string): Gap => ({ reason, cause: 'event' });
  if (/^latency\.\w+\.rejected$/.test(metric)) return event('nothing was rejected');
  // Whether the world should have answered is for the rules of the load to say.
  if (operation !== null && /^latency\.\w+\.(ok|lag)$/.test(metric)) return event('nothing was answered ok');
  if (OF_ANSWERS.test(metric) && nothingAnswered(load)) return event('nothing was answered');
  if (metric === 'host.canaryDriftPercent') return event('the canary was not run a second time');
  if (metric === 'network.reconnectMs') return event('nobody connected again');
  if (metric === 'network.connectMs') return byRun('nobody connected');
  return OF_SHARES.test(metric) ? byRun('nothing happened that it would be a share of') : null;
}

/** What is made of answers, and of what they led to. */
const OF_ANSWERS =
  /^(generator\.cpuMicrosPerOperation|database\.(statementMeanMs|queryMs|hotUpdatePercent)|world\.responseMs|throughput\.(rowsPerBatch|operationsPerBatch|largestBatch|flushedOnTimePercent|coalescing|serverSharePercent))$/;

const nothingAnswered = ({ operations }: GapFigures['load']): boolean =>
  OPERATIONS.every((op) => {
    const counts = operations[op];
    return counts === null || answeredOf(counts) === 0;
  });

const OF_SHARES =
  /^((redis|database)\.(hitRatio|hotUpdate)Percent|throughput\.(rowsPerBatch|operationsPerBatch|flushedOnTimePercent|coalescing|serverSharePercent))$/;

export const RATES: Readonly<Record<Operation, string>> = {
  intent: 'load.intentsPerSecond',
  monsterCommand: 'load.monsterCommandsPerSecond',
};

/** The operation that a path is about; null for none, or all. */
export const operationOf = (metric: string): Operation | null => {
  const [, name] = /^(?:latency|load\.\w+)\.(intent|monsterCommand)\b/.exec(metric) ?? [];
  return name === 'intent' || name === 'monsterCommand' ? name : null;
};

/** Why the load that was asked for is not the documented one; null where it is. */
export function anotherLoad(scale: number, altered: readonly string[]): string | null {
  const reasons = [
    ...(scale === 1 ? [] : [`scale ${scale}`]),
    ...(altered.length === 0 ? [] : [`altered: ${altered.join(', ')}`]),
  ];
  return reasons.length === 0 ? null : reasons.join('; ');
}
