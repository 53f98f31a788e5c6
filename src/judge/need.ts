import { FEWEST_NUMBERS, numbersOf } from '../measurement/per-player-figures.ts';
import type { Budget, MeasuredBudget } from '../scenario/budget.ts';
import { limitsOf } from '../scenario/component-limits.ts';
import { type LimitMetric, limitMetricOf } from '../scenario/limit-metric.ts';
import { ofOperation } from '../scenario/operations.ts';
import { outageMetricOf } from '../scenario/outage-metric.ts';
import { processMetricOf } from '../scenario/process-metric.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { faultsOf, timelineOf } from '../scenario/workload.ts';
import { isOfKernel, isOfOwnProcesses, isOfServers, isOfStatements } from './figure-source.ts';
import { isOfRows, noFault } from './outage.ts';
import {
  anotherLoad,
  type Cause,
  isOfCalibration,
  notLimited,
  OF_LEVELS,
  rateKeyOf,
  unknownSetting,
  WHY,
} from './unmeasured.ts';

/** What is known before a run and decides which figures it will have. */
interface Circumstances {
  readonly scenario: Scenario;
  readonly hasTarget: boolean;
  /** The probes of a target that are given. */
  readonly probes: {
    readonly postgres: boolean;
    readonly redis: boolean;
    readonly metrics: boolean;
    /** The names of the processes that are watched. */
    readonly processes: readonly string[];
  };
  /** What the system does not support: ceilings of its database, servers to calibrate against. */
  readonly lacks: readonly ('ceilings' | 'calibration')[];
  /** The names of the settings that a stack started by capbench will report. */
  readonly settings: readonly string[];
  /** As `os.platform()` names it. */
  readonly platform: string;
}

export interface Need {
  readonly state: 'measured' | 'unmeasured' | 'contradicted' | 'untestable';
  /** Of `unmeasured`. */
  readonly cause: Cause | null;
  /** Options that would provide the figure: `--target`, `--probe-metrics`. */
  readonly options: readonly string[];
  /** Why there will be no figure; for `measured`, a further condition. */
  readonly reason: string | null;
}

const measured = (reason: string | null = null): Need => ({
  ...{ state: 'measured', cause: null, options: [], reason },
});
const unmeasured = (reason: string, cause: Cause = 'run'): Need => ({
  ...{ state: 'unmeasured', cause, options: [], reason },
});
const needing = (...options: readonly string[]): Need => ({
  ...{ state: 'unmeasured', cause: 'run', options, reason: null },
});

/** What the metrics that `watch:` names need to be read. */
export function needOfWatched({ hasTarget, probes }: Pick<Circumstances, 'hasTarget' | 'probes'>): Need {
  const missing = [...(hasTarget ? [] : ['--target']), ...(probes.metrics ? [] : ['--probe-metrics'])];
  return missing.length === 0 ? measured('where a page has it') : needing(...missing);
}

/** What a budget needs to have a figure in this run, as far as that is known before it. */
export function needOf(budget: Budget, at: Circumstances): Need {
  const undecided = { cause: null, options: [] };
  if (budget.state === 'untestable') return { ...undecided, state: 'untestable', reason: budget.missing };
  if (budget.state === 'contradicted' || budget.contradicted !== null) {
    return { ...undecided, state: 'contradicted', reason: budget.contradicted };
  }
  const { scenario, hasTarget, platform } = at;
  const otherwise = budget.fullLoad ? anotherLoad(scenario.scale, scenario.altered) : null;
  if (otherwise !== null) return unmeasured(`judged only at full load: ${otherwise}`, 'scenario');
  const { needsTarget } = scenario.traits;
  const need = hasTarget || needsTarget ? ofTarget(budget, at) : ofOwnStack(budget, at);
  const common = notDue(budget, at);
  if (common !== null) return unmeasured(common);
  const isOfLinux = isOfKernel(budget.metric) || limitMetricOf(budget.metric.path) !== null;
  if (need.state === 'measured' && isOfLinux && platform !== 'linux') {
    return unmeasured(WHY.notReported, 'platform');
  }
  if (hasTarget || !needsTarget) {
    const isBegun = need.state === 'measured' && budget.metric.operation?.due === 'answer';
    return isBegun && scenario.traits.playerCode !== null
      ? measured('where the player module begins it, by context.start')
      : need;
  }
  return need.state === 'measured' || need.options.length > 0 ? needing('--target', ...need.options) : need;
}

const UNTOLD = 'its servers report no metrics';
const UNREAD = 'the rows of this system are not read';

function ofOwnStack({ metric }: MeasuredBudget, { scenario, settings }: Circumstances): Need {
  const { section, setting } = metric;
  const { probes, keptIn } = scenario.traits;
  if (section === 'redis')
    return probes.includes('redis') ? measured() : needing('--target', '--probe-redis');
  if (section === 'target') return needing('--target', probeOption(metric));
  if (setting !== null && !settings.includes(setting)) return unmeasured(unknownSetting(setting, settings));
  if (section === 'ceilings' && scenario.ceilings.secondsEach === 0) return unmeasured(WHY.ceilings);
  const ofLimit = limitMetricOf(metric.path);
  if (ofLimit !== null) return ofLimits(ofLimit, scenario);
  if (isOfServers(metric)) {
    return probes.some((name) => name !== 'postgres' && name !== 'redis') ? measured() : unmeasured(UNTOLD);
  }
  if (section === 'database' && !probes.includes('postgres')) return unmeasured('there is no PostgreSQL');
  if (isOfRows(metric) && keptIn === null) return unmeasured(UNREAD);
  const libraries = scenario.postgres.settings.shared_preload_libraries ?? '';
  if (isOfStatements(metric) && !libraries.includes('pg_stat_statements'))
    return unmeasured(WHY.noStatements);
  return measured();
}

/** A figure of a component's limits: what is limited is measured everywhere, what only a control group counts is not. */
function ofLimits({ component, figure }: LimitMetric, scenario: Scenario): Need {
  const limits = limitsOf(scenario, component);
  const isOfCpus = figure === 'cpuPercent' || figure === 'throttledPercent';
  if ((isOfCpus ? limits?.cpus : limits?.memory) === undefined) {
    return unmeasured(notLimited(component, isOfCpus ? 'cpus' : 'memory'));
  }
  return measured(
    figure === 'throttledPercent' || figure === 'outOfMemoryKills'
      ? 'where a control group holds the limit (CAPBENCH_CGROUP)'
      : null,
  );
}

function ofTarget({ metric }: MeasuredBudget, { scenario, probes }: Circumstances): Need {
  const { section, setting, figure } = metric;
  const { hasServerMetrics, table } = scenario.traits;
  if (section === 'redis') return probes.redis ? measured() : needing('--probe-redis');
  const ofProcess = processMetricOf(metric.path);
  if (ofProcess !== null) {
    return probes.processes.includes(ofProcess.name) ? measured() : needing(probeOption(metric));
  }
  if (section === 'target') {
    return probes.metrics ? measured('where a page has it') : needing('--probe-metrics');
  }
  if (section === 'perPlayer' && figure !== 'perPlayer.bytesPerSecond' && hasServerMetrics !== 'yes') {
    return probes.processes.length > 0 ? measured() : needing('--probe-process NAME=:PORT');
  }
  if (setting !== null) return unmeasured(WHY.targetSettings);
  const ofLimit = limitMetricOf(metric.path);
  // A start command is a target, whose process is capbench's.
  if (ofLimit !== null)
    return ofLimit.component === 'server' ? ofLimits(ofLimit, scenario) : unmeasured(WHY.targetLimits);
  if (section === 'ceilings') return unmeasured("a target's database is only read");
  if (figure === 'host.foreignCpuPercent') return measured('where all of the target is on this host');
  if (isOfKernel(metric) && isOfOwnProcesses(metric)) return unmeasured(WHY.targetProcesses);
  if (isOfServers(metric)) {
    if (hasServerMetrics === 'yes') return measured();
    return hasServerMetrics === 'unknown'
      ? measured(`where the target is a ${scenario.system} world`)
      : unmeasured(UNTOLD);
  }
  if (figure === 'load.prepareSeconds') return measured('where the player module exports prepare');
  if (figure === 'network.loginMs' || figure === 'network.socketMs')
    return measured('where the players tell when they are logged in');
  if (!isOfRows(metric) && section !== 'database') return measured();
  if (isOfRows(metric) && table === null) return unmeasured(UNREAD);
  if (!probes.postgres) return needing('--probe-postgres');
  if (isOfRows(metric)) return measured(`where its table ${table} has the rows`);
  const tables = scenario.probe?.tables ?? (table === null ? [] : [table]);
  return measured(
    tables.length === 0
      ? 'where the role may read it'
      : `where it has ${tables.length === 1 ? 'a table' : 'the tables'} ${tables.join(', ')}, and the role may read ${tables.length === 1 ? 'it' : 'them'}`,
  );
}

/** The option that provides a figure of a target. */
function probeOption({ path }: MeasuredBudget['metric']): string {
  const ofProcess = processMetricOf(path);
  return ofProcess === null ? '--probe-metrics' : `--probe-process ${ofProcess.name}=:PORT`;
}

/** Why a metric will have no figure anywhere: what it measures does not happen in this scenario. */
function notDue({ metric, stage }: MeasuredBudget, { scenario, lacks }: Circumstances): string | null {
  const { load, calibration } = scenario;
  const { section, figure, operation } = metric;
  if ((section === 'delivery' || section === 'player') && !scenario.traits.playerFigures) return WHY.noModule;
  if (OF_LEVELS.has(figure) && !scenario.traits.acknowledgesTwice) return WHY.oneLevel;
  if (section === 'perPlayer' && !hasSlope(load)) return WHY.perPlayer;
  const ofOutage = outageMetricOf(metric.path);
  if (ofOutage !== null) {
    const faults = faultsOf(scenario);
    return faults.some(({ of }) => of === ofOutage.component) ? null : noFault(ofOutage, faults);
  }
  if (isOfCalibration(metric) && calibration.seconds === 0) return WHY.calibration;
  if (isOfCalibration(metric) && lacks.includes('calibration')) return 'this system has no null servers';
  if (section === 'ceilings' && lacks.includes('ceilings')) return 'this system measures no ceilings';
  // Counts and rates are 0 then, and that is a figure.
  const isCount = section === 'throughput' || COUNTS.some((start) => figure.startsWith(start));
  const isScheduled = operation !== null && operation.due === 'schedule';
  if (isScheduled && !isCount && ofOperation(load.operations, operation.id).perSecond === 0) {
    return `no such operation becomes due: ${rateKeyOf(operation)} is 0`;
  }
  if (figure !== 'network.reconnectMs' || stage !== undefined) return null;
  const comeBack =
    faultsOf(scenario).length > 0 || load.churn !== undefined || load.stages?.some(({ churn }) => churn);
  return comeBack ? null : 'no player reconnects in this scenario, unless a connection breaks';
}

/** Its stages have enough different numbers of players for a line. */
function hasSlope(load: Scenario['load']): boolean {
  const stages = timelineOf(load).stages ?? [];
  return numbersOf(stages.map(({ players }) => ({ players: players?.at }))) >= FEWEST_NUMBERS;
}

const COUNTS = ['load.operations.', 'load.wholeRun.', 'latency.due.unanswered'];
