import { grouped, type Micros } from '../units.ts';
import type { Budget } from './budget.ts';
import type { Limited } from './component-limits.ts';
import { type Finding, findingAt, reporter } from './finding.ts';
import { gateFindings } from './gate.ts';
import { limitFindings } from './limit-findings.ts';
import { nearest } from './nearest.ts';
import type { OperationSpec } from './operations.ts';
import { outageMetricOf } from './outage-metric.ts';
import type { Path } from './problem.ts';
import type { Fault, Load, Scenario } from './scenario.ts';
import { MOST_PER_SECOND, MOST_PLAYERS } from './schema.ts';
import { type Churn, type LoadShape, lengthOf, peakLoadOf, peakOf, playersIn, type Stage } from './stages.ts';
import type { ComponentName, SystemScenario } from './system-scenario.ts';

const MOST_PER_PLAYER = 1000;
const LONGEST_RUN = 24 * 3600e6;

/** Checks keys against each other: values that conflict, in the file or after --scale. */
export function crossCheck(
  scenario: Limited & Pick<Scenario, 'load' | 'world' | 'faults' | 'sections' | 'edge' | 'gate'>,
  system: SystemScenario,
): readonly Finding[] {
  const { load, faults } = scenario;
  const components = system.components(scenario);
  const findings: Finding[] = [
    ...faults.flatMap((fault, i) =>
      faultFindings(fault, i, load, components, system.namesProcesses === true),
    ),
    ...limitFindings(
      scenario,
      components.map(({ name }) => name),
    ),
    ...stageFindings(load),
    ...gateFindings(scenario.gate, system.operations),
  ];
  const check = (wrong: boolean, key: keyof Load, message: string, hint: string | null = null) => {
    if (wrong) findings.push(findingAt(['load', key], message, hint));
  };
  const wrongRate = (operation: OperationSpec | undefined, message: string, hint: string | null = null) =>
    findings.push(findingAt(['load', 'operations', operation?.id ?? '', 'perSecond'], message, hint));
  const { players } = load;
  check(
    players > MOST_PLAYERS,
    'players',
    `got ${grouped(players)} players, expected ${grouped(MOST_PLAYERS)} at most`,
    'use a smaller --scale',
  );
  // Rates are checked at the stage with the highest rate: of all together, and of one player.
  const [peak, peakOfPlayer] = [peakLoadOf(load), peakOf(load.stages)];
  let ofPlayers = 0;
  let total = 0;
  for (const operation of system.operations) {
    const own = load.operations[operation.id]?.perSecond ?? 0;
    const rate = own * peak;
    total += rate;
    if (operation.actor === 'player') ofPlayers += own * peakOfPlayer;
    if (operation.due === 'answer' && own > 0)
      wrongRate(
        operation,
        `got ${grouped(own)} a second, expected no rate: ${operation.label} follow from answers`,
        'remove it: what follows from answers has no schedule',
      );
    if (rate > MOST_PER_SECOND)
      wrongRate(
        operation,
        `got ${grouped(rate)} a second, expected ${grouped(MOST_PER_SECOND)} at most`,
        'use a smaller --scale',
      );
  }
  const first = system.operations.find(({ actor }) => actor === 'player') ?? system.operations[0];
  if (ofPlayers / players > MOST_PER_PLAYER)
    wrongRate(
      first,
      `got ${grouped(ofPlayers / players)} a second for each player, expected ${grouped(MOST_PER_PLAYER)} at most`,
      'perSecond is the rate of all players together',
    );
  if (total === 0 && !system.operations.some(({ due }) => due === 'answer'))
    wrongRate(
      first,
      `no operation is ever due, expected a rate above 0 for ${system.operations.map(({ label }) => label).join(' or ')}`,
    );
  check(
    ((load.ramp + load.warmUp + load.duration) as Micros) > LONGEST_RUN,
    'duration',
    'ramp, warmUp and duration together are longer than 24h, expected at most 24h',
  );
  return [...findings, ...(system.check?.(scenario) ?? [])];
}

/** A list of names, shortened in the middle. */
const listed = (names: readonly string[]): string =>
  (names.length > 8 ? [...names.slice(0, 6), '..', ...names.slice(-1)] : names).join(', ');

function faultFindings(
  { action, of, phase, at }: Fault,
  index: number,
  load: Load,
  components: readonly ComponentName[],
  namesProcesses: boolean,
): readonly Finding[] {
  const findings: Finding[] = [];
  const check = (wrong: boolean, key: keyof Fault, message: string) => {
    if (wrong) findings.push(findingAt(['faults', index, key], message));
  };
  if (of !== 'players' && action !== 'drop') {
    const isStarted = components.some(({ name }) => name === of);
    const able = components.filter(({ faults }) => faults.includes(action)).map(({ name }) => name);
    check(
      !able.includes(of) && !(namesProcesses && !isStarted && action !== 'restart'),
      'of',
      able.length === 0
        ? `got ${of}, expected players (with drop): capbench starts nothing here that it could ${action}`
        : `got ${of}, expected one of ${listed(able)}`,
    );
  }
  check(
    (action === 'drop') !== (of === 'players'),
    'of',
    action === 'drop'
      ? `got ${of}, expected players: drop cuts their connections`
      : `got ${of}, expected a process to ${action}`,
  );
  const length = { ramp: load.ramp, 'warm-up': load.warmUp, measure: load.duration }[phase];
  check(
    at >= length,
    'at',
    `got ${at / 1e6} s, expected a time within the ${phase} phase, which lasts ${length / 1e6} s`,
  );
  return findings;
}

/** Shortest stage, in microseconds. */
const SHORTEST = 100_000;

/** The players of a stage are a part of the load's, and reach their number within it. */
function stagePlayersFindings(load: LoadShape): readonly Finding[] {
  const { players, connectsPerSecond, stages = [] } = load;
  return stages.flatMap((stage, i) => {
    const [before, at] = [playersIn(stages[i - 1] ?? stage, load), playersIn(stage, load)];
    const path: Path = ['load', 'stages', i, 'players'];
    if (at > players) {
      return findingAt(
        path,
        `got ${grouped(at)} players, expected at most the ${grouped(players)} of load.players`,
        'load.players is the largest number of the run',
      );
    }
    const takes = Math.abs(at - before) / connectsPerSecond;
    if (takes > stage.lasting / 1e6) {
      return findingAt(
        stage.players === undefined ? ['load', 'stages', i, 'lasting'] : path,
        `from ${grouped(before)} to ${grouped(at)} players at ${grouped(connectsPerSecond)} a second takes ${Number(takes.toPrecision(3))} s, expected at most the ${stage.lasting / 1e6} s of the stage`,
        'use a longer stage, or a higher load.connectsPerSecond',
      );
    }
    return stage.reconnect !== undefined && at !== before
      ? findingAt(
          ['load', 'stages', i, 'reconnect'],
          `the stage ${stage.name} goes from ${grouped(before)} to ${grouped(at)} players, expected the same number in a stage with reconnect`,
          'put the reconnect storm into a stage of its own',
        )
      : [];
  });
}

function stageFindings(load: LoadShape): readonly Finding[] {
  const { players, duration: length, stages, churn } = load;
  const findings: Finding[] = [];
  const report = reporter(findings);
  const away = (one: Churn | undefined, path: Path): void => {
    if (one === undefined || one.perSecond * (one.away / 1e6) <= players / 2) return;
    report(
      [...path, 'perSecond'],
      `got ${one.perSecond} a second, each away for ${one.away / 1e6} s, expected at least half of the ${players} players to stay connected`,
      'use a lower perSecond or a shorter away',
    );
  };
  away(churn, ['load', 'churn']);
  if (stages === undefined) return findings;
  const path = (i: number, key: keyof Stage): Path => ['load', 'stages', i, key];
  for (const [i, one] of stages.entries()) {
    away(one.churn, path(i, 'churn'));
    if (stages.findIndex(({ name }) => name === one.name) < i) {
      report(path(i, 'name'), `the name ${one.name} is used twice, expected once`);
    }
    if (one.over > one.lasting) {
      report(
        path(i, 'over'),
        `got ${one.over / 1e6} s, expected at most the ${one.lasting / 1e6} s of the stage`,
      );
    }
    if (one.lasting < SHORTEST) {
      report(
        path(i, 'lasting'),
        `got ${one.lasting / 1e6} s, expected at least 0.1 s`,
        'use a longer --duration',
      );
    }
  }
  findings.push(...stagePlayersFindings(load));
  if (peakRateOf(stages) === 0) {
    report(['load', 'stages'], 'no operation is ever due, expected a rate above 0 in at least one stage');
  }
  const sum = lengthOf(stages);
  if (length !== sum) {
    report(
      ['load', 'duration'],
      `got ${length / 1e6} s, expected the ${sum / 1e6} s that the stages last together`,
      'remove load.duration: the stages are the measure phase, and --duration scales them',
    );
  }
  return findings;
}

const peakRateOf = (stages: readonly Stage[]): number => Math.max(...stages.map(({ rate }) => rate));

/** Budgets of an unknown stage. */
export function budgetStageFindings(
  budgets: readonly Budget[],
  stages: readonly Stage[] | undefined,
  paths: ReadonlyMap<string, Path>,
): readonly Finding[] {
  const names = (stages ?? []).map(({ name }) => name);
  return budgets.flatMap((budget) => {
    if (budget.state !== 'measured' || budget.stage === undefined || names.includes(budget.stage)) return [];
    const meant = nearest(budget.stage, names);
    const known = names.length === 0 ? 'the load has no stages' : `expected one of ${names.join(', ')}`;
    return [
      findingAt(
        [...(paths.get(budget.id) ?? ['budgets']), 'stage'],
        `got ${budget.stage}, which is not a stage of this load; ${known}`,
        meant === undefined ? null : `did you mean ${meant}?`,
      ),
    ];
  });
}

/** Metrics that are measured only when players reconnect. */
const RECONNECT_METRICS = new Set(['network.fullStrengthMs', 'network.connectMs', 'network.reconnectMs']);

/** Budgets on the outages of a component that the stack does not have. Without a fault of one that it has, a run finds no figure. */
export function budgetOutageFindings(
  budgets: readonly Budget[],
  scenario: Parameters<SystemScenario['components']>[0],
  { components, namesProcesses }: SystemScenario,
  paths: ReadonlyMap<string, Path>,
): readonly Finding[] {
  // The user names processes of a target.
  if (namesProcesses === true) return [];
  const known = [...components(scenario).map(({ name }) => name), 'players'];
  return budgets.flatMap((budget) => {
    const of = budget.state === 'measured' ? outageMetricOf(budget.metric.path)?.component : undefined;
    if (of === undefined || known.includes(of)) return [];
    return findingAt(
      [...(paths.get(budget.id) ?? ['budgets']), 'metric'],
      `got the outages of ${of}, expected those of ${listed(known)}`,
    );
  });
}

/** Budgets on reconnection in a stage where no player reconnects: they would never have data. */
export function budgetReconnectFindings(
  budgets: readonly Budget[],
  { load, faults }: { readonly load: LoadShape; readonly faults: readonly unknown[] },
  paths: ReadonlyMap<string, Path>,
): readonly Finding[] {
  const { stages = [], churn } = load;
  const cut = stages.filter(({ reconnect }) => reconnect !== undefined).map(({ name }) => name);
  const leaves = (one: Churn | undefined): boolean => one !== undefined && one.perSecond > 0;
  const joins = (i: number): boolean => {
    const [before, stage] = [stages[i - 1], stages[i]];
    return before !== undefined && stage !== undefined && playersIn(stage, load) > playersIn(before, load);
  };
  // Players that were cut off in one stage may reconnect in a later one.
  const canReconnect = (until: number): boolean =>
    faults.length > 0 ||
    leaves(churn) ||
    stages.slice(0, until + 1).some((one, i) => one.reconnect !== undefined || leaves(one.churn) || joins(i));
  return budgets.flatMap((budget) => {
    if (budget.state !== 'measured' || !RECONNECT_METRICS.has(budget.metric.path)) return [];
    const { path } = budget.metric;
    const index = stages.findIndex(({ name }) => name === budget.stage);
    if (index < 0) return [];
    const isMeasured =
      path === 'network.fullStrengthMs' ? stages[index]?.reconnect !== undefined : canReconnect(index);
    if (isMeasured) return [];
    const others = cut.length === 0 ? '' : `, or name a stage that has it: ${cut.join(', ')}`;
    return [
      findingAt(
        [...(paths.get(budget.id) ?? ['budgets']), 'stage'],
        `the stage ${budget.stage} has no reconnect, so ${path} is never measured there`,
        `add reconnect: { sharePercent: 100 } to the stage${others}`,
      ),
    ];
  });
}
