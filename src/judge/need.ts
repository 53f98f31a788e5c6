import type { Budget, MeasuredBudget } from '../scenario/budget.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { faultsOf } from '../scenario/workload.ts';
import {
  anotherLoad,
  type Cause,
  isOfKernel,
  isOfOwnProcesses,
  isOfStatements,
  LEFT_OUT,
  NO_STATEMENTS,
  NOT_TOLD,
  operationOf,
  RATES,
  TARGET_PROCESSES,
  TARGET_SETTINGS,
  unknownSetting,
} from './gap.ts';
import { settingOf } from './metric.ts';
import { isOfWorld } from './stranger.ts';

/** What decides, before anything is started, which figures a run will have. */
export interface Circumstances {
  readonly scenario: Scenario;
  readonly hasTarget: boolean;
  /** Of a target: which addresses are given. */
  readonly probes: { readonly postgres: boolean; readonly redis: boolean; readonly metrics: boolean };
  /** The names of the settings that capbench's own stack will tell. */
  readonly settings: readonly string[];
  /** As `os.platform()` names it. */
  readonly platform: string;
}

export interface Need {
  readonly state: 'measured' | 'unmeasured' | 'contradicted' | 'untestable';
  /** Of `unmeasured`. */
  readonly cause: Cause | null;
  /** Options of the command line that would bring the figure: `--target`, `--probe-metrics`. */
  readonly options: readonly string[];
  /** Why there will be none; of `measured`, on what it depends besides. */
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

/** What a budget needs to have a figure in this run, as far as that can be said before it. */
export function needOf(budget: Budget, at: Circumstances): Need {
  const undecided = { cause: null, options: [] };
  if (budget.state === 'untestable') return { ...undecided, state: 'untestable', reason: budget.missing };
  if (budget.state === 'contradicted' || budget.contradicted !== null) {
    return { ...undecided, state: 'contradicted', reason: budget.contradicted };
  }
  const { scenario, hasTarget, platform } = at;
  const otherwise = budget.fullLoad ? anotherLoad(scenario.scale, scenario.altered) : null;
  if (otherwise !== null) return unmeasured(`ruled at the full load alone: ${otherwise}`, 'scenario');
  const { players } = scenario;
  // Nothing here speaks their protocol: they need a target, whatever else.
  const needsTarget = players !== undefined && players.protocol !== 'module';
  const need = hasTarget || needsTarget ? ofTarget(budget, at) : ofOwnStack(budget, at);
  const common = notDue(budget, scenario);
  if (common !== null) return unmeasured(common);
  if (need.state === 'measured' && isOfKernel(budget.metric) && platform !== 'linux') {
    return unmeasured(NOT_TOLD, 'platform');
  }
  if (hasTarget || !needsTarget) return need;
  return need.state === 'measured' || need.options.length > 0 ? needing('--target', ...need.options) : need;
}

const roomOf = (metric: string): string => metric.split('.')[0] ?? '';

function ofOwnStack({ metric }: MeasuredBudget, { scenario, settings }: Circumstances): Need {
  const room = roomOf(metric);
  if (room === 'redis') return needing('--target', '--probe-redis');
  if (room === 'target') return needing('--target', '--probe-metrics');
  const setting = settingOf(metric);
  if (setting !== null && !settings.includes(setting)) return unmeasured(unknownSetting(setting, settings));
  if (room === 'ceilings' && scenario.ceilings.secondsEach === 0) return unmeasured(LEFT_OUT.ceilings);
  const libraries = scenario.postgres.settings.shared_preload_libraries ?? '';
  if (isOfStatements(metric) && !libraries.includes('pg_stat_statements')) return unmeasured(NO_STATEMENTS);
  return measured();
}

/** Of the batches that a world server of the flux world reports. */
const OF_FLUSHES = /^database\.(queryMs|writersBusyPercent)$/;

function ofTarget({ metric }: MeasuredBudget, { scenario: { players }, probes }: Circumstances): Need {
  const room = roomOf(metric);
  if (room === 'redis') return probes.redis ? measured() : needing('--probe-redis');
  if (room === 'target') {
    return probes.metrics ? measured('where a page has it') : needing('--probe-metrics');
  }
  if (settingOf(metric) !== null) return unmeasured(TARGET_SETTINGS);
  if (room === 'ceilings') return unmeasured("a target's database is only read");
  if (metric === 'host.foreignCpuPercent') return measured('where all of the target is on this host');
  if (isOfKernel(metric) && isOfOwnProcesses(metric)) return unmeasured(TARGET_PROCESSES);
  if (isOfWorld(metric) || OF_FLUSHES.test(metric)) {
    if (players === undefined) return measured();
    return players.protocol === 'module'
      ? measured('where the target is a flux world')
      : unmeasured('only servers of the flux world tell it');
  }
  if (room === 'integrity') {
    return probes.postgres ? measured('where its table entity has the rows') : needing('--probe-postgres');
  }
  if (room === 'database') {
    return probes.postgres
      ? measured('where it has a table entity, and the role may read it')
      : needing('--probe-postgres');
  }
  return measured();
}

/** What will not happen is not measured, wherever it would have happened. */
function notDue({ metric, stage }: MeasuredBudget, scenario: Scenario): string | null {
  const { load, calibration } = scenario;
  if (metric.startsWith('generator.calibration.') && calibration.seconds === 0) {
    return LEFT_OUT.calibration;
  }
  const operation = operationOf(metric);
  const rate = { intent: load.intentsPerSecond, monsterCommand: load.monsterCommandsPerSecond };
  // Counts are 0 then, and that is a figure.
  if (
    operation !== null &&
    rate[operation] === 0 &&
    !/^load\.(operations|wholeRun)\.|\.unanswered$/.test(metric)
  ) {
    return `nothing of it comes due: ${RATES[operation]} is 0`;
  }
  if (metric !== 'network.reconnectMs' || stage !== undefined) return null;
  const comeBack =
    faultsOf(scenario).length > 0 || load.churn !== undefined || load.stages?.some(({ churn }) => churn);
  return comeBack ? null : 'nobody connects again in this scenario, unless a connection breaks';
}
