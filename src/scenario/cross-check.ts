import type { Micros } from '../units.ts';
import type { Budget } from './budget.ts';
import { type Finding, found, teller } from './finding.ts';
import { nearest } from './nearest.ts';
import type { OperationSpec } from './operations.ts';
import type { Path } from './problem.ts';
import type { Fault, Load, Scenario } from './scenario.ts';
import { MOST_PER_SECOND, MOST_PLAYERS } from './schema.ts';
import { type Churn, lengthOf, peakOf, type Shaped, type Stage } from './stages.ts';
import type { ComponentName, SystemScenario } from './system-scenario.ts';

const MOST_PER_PLAYER = 1000;
const LONGEST_RUN = 24 * 3600e6;

export const grouped = (n: number): string => n.toLocaleString('en-US', { maximumFractionDigits: 3 });

/** What no key alone can get wrong: numbers that do not fit each other, or do not any more after --scale. */
export function crossCheck(
  scenario: Pick<Scenario, 'load' | 'world' | 'faults' | 'sections'>,
  system: SystemScenario,
): readonly Finding[] {
  const { load, faults } = scenario;
  const findings: Finding[] = [
    ...faults.flatMap((fault, i) => faultFindings(fault, i, load, system.components(scenario))),
    ...stageFindings(load),
  ];
  const check = (wrong: boolean, key: keyof Load, message: string, hint: string | null = null) => {
    if (wrong) findings.push(found(['load', key], message, hint));
  };
  const wrongRate = (operation: OperationSpec | undefined, message: string, hint: string | null = null) =>
    findings.push(found(['load', 'operations', operation?.id ?? '', 'perSecond'], message, hint));
  const { players } = load;
  check(
    players > MOST_PLAYERS,
    'players',
    `${grouped(players)} players, expected ${grouped(MOST_PLAYERS)} at most`,
    'a smaller --scale',
  );
  // What the busiest stage makes of them.
  const peak = peakOf(load.stages);
  let ofPlayers = 0;
  let total = 0;
  for (const operation of system.operations) {
    const rate = (load.operations[operation.id]?.perSecond ?? 0) * peak;
    total += rate;
    if (operation.actor === 'player') ofPlayers += rate;
    if (rate > MOST_PER_SECOND)
      wrongRate(
        operation,
        `${grouped(rate)} a second, expected ${grouped(MOST_PER_SECOND)} at most`,
        'a smaller --scale',
      );
  }
  const first = system.operations.find(({ actor }) => actor === 'player') ?? system.operations[0];
  if (ofPlayers / players > MOST_PER_PLAYER)
    wrongRate(
      first,
      `${grouped(ofPlayers / players)} a second for each player, expected ${grouped(MOST_PER_PLAYER)} at most`,
      'the rate is that of all players together',
    );
  if (total === 0)
    wrongRate(
      first,
      `no operation is ever due, expected a rate above 0 of ${system.operations.map(({ label }) => label).join(' or of ')}`,
    );
  check(
    ((load.ramp + load.warmUp + load.duration) as Micros) > LONGEST_RUN,
    'duration',
    'ramp, warmUp and duration together are longer than 24h, expected less',
  );
  return [...findings, ...(system.check?.(scenario) ?? [])];
}

/** Names, the ones in the middle of many left out. */
const listed = (names: readonly string[]): string =>
  (names.length > 8 ? [...names.slice(0, 6), '..', ...names.slice(-1)] : names).join(', ');

function faultFindings(
  { action, of, phase, at }: Fault,
  index: number,
  load: Load,
  components: readonly ComponentName[],
): readonly Finding[] {
  const findings: Finding[] = [];
  const check = (wrong: boolean, key: keyof Fault, message: string) => {
    if (wrong) findings.push(found(['faults', index, key], message));
  };
  if (of !== 'players' && action !== 'drop') {
    const able = components.filter(({ faults }) => faults.includes(action)).map(({ name }) => name);
    check(
      !able.includes(of),
      'of',
      able.length === 0
        ? `${of}, expected players (to drop): capbench starts nothing here that it could ${action}`
        : `${of}, expected one of ${listed(able)}`,
    );
  }
  check(
    (action === 'drop') !== (of === 'players'),
    'of',
    action === 'drop'
      ? `${of}, expected players: sockets are dropped`
      : `${of}, expected a process to ${action}`,
  );
  const length = { ramp: load.ramp, 'warm-up': load.warmUp, measure: load.duration }[phase];
  check(
    at >= length,
    'at',
    `at or after the end of the ${phase} phase, which lasts ${length / 1e6} s, expected a time within it`,
  );
  return findings;
}

/** Of a stage. */
const SHORTEST = 100_000;

/** What no key alone can get wrong. */
function stageFindings({ players, duration: length, stages, churn }: Shaped): readonly Finding[] {
  const findings: Finding[] = [];
  const tell = teller(findings);
  const away = (one: Churn | undefined, path: Path): void => {
    if (one === undefined || one.perSecond * (one.away / 1e6) <= players / 2) return;
    tell(
      [...path, 'perSecond'],
      `${one.perSecond} a second, each away for ${one.away / 1e6} s, expected half of the ${players} players to be there at least`,
      'fewer a second, or a shorter away',
    );
  };
  away(churn, ['load', 'churn']);
  if (stages === undefined) return findings;
  const path = (i: number, key: keyof Stage): Path => ['load', 'stages', i, key];
  for (const [i, one] of stages.entries()) {
    away(one.churn, path(i, 'churn'));
    if (stages.findIndex(({ name }) => name === one.name) < i) {
      tell(path(i, 'name'), `${one.name} is there twice, expected once`);
    }
    if (one.over > one.lasting) {
      tell(path(i, 'over'), `${one.over / 1e6} s, expected at most the ${one.lasting / 1e6} s of the stage`);
    }
    if (one.lasting < SHORTEST) {
      tell(path(i, 'lasting'), `${one.lasting / 1e6} s, expected 0.1 s at least`, 'a longer --duration');
    }
  }
  if (peakRateOf(stages) === 0) {
    tell(['load', 'stages'], 'nothing is ever due, expected a rate above 0 in one of them');
  }
  const sum = lengthOf(stages);
  if (length !== sum) {
    tell(
      ['load', 'duration'],
      `${length / 1e6} s is there beside stages that last ${sum / 1e6} s together, expected the same`,
      'leave load.duration out: the stages are the measure phase; --duration scales them',
    );
  }
  return findings;
}

const peakRateOf = (stages: readonly Stage[]): number => Math.max(...stages.map(({ rate }) => rate));

/** Budgets of a stage that is not there. */
export function budgetStageFindings(
  budgets: readonly Budget[],
  stages: readonly Stage[] | undefined,
  paths: ReadonlyMap<string, Path>,
): readonly Finding[] {
  const names = (stages ?? []).map(({ name }) => name);
  return budgets.flatMap((budget) => {
    if (budget.state !== 'measured' || budget.stage === undefined || names.includes(budget.stage)) return [];
    const meant = nearest(budget.stage, names);
    const known = names.length === 0 ? 'load.stages has none' : `expected one of ${names.join(', ')}`;
    return [
      found(
        [...(paths.get(budget.id) ?? ['budgets']), 'stage'],
        `${budget.stage} is no stage of this load; ${known}`,
        meant === undefined ? null : `did you mean ${meant}?`,
      ),
    ];
  });
}

/** What is measured of those who come back alone. */
const OF_RETURNS = new Set(['network.fullStrengthMs', 'network.connectMs', 'network.reconnectMs']);

/** Budgets on how players come back in a stage in which none do: without data after every run. */
export function budgetReturnFindings(
  budgets: readonly Budget[],
  { load: { stages = [], churn }, faults }: { readonly load: Shaped; readonly faults: readonly unknown[] },
  paths: ReadonlyMap<string, Path>,
): readonly Finding[] {
  const cut = stages.filter(({ reconnect }) => reconnect !== undefined).map(({ name }) => name);
  const leaves = (one: Churn | undefined): boolean => one !== undefined && one.perSecond > 0;
  // Who was cut off, or left, in a stage may come back in a later one.
  const returns = (until: number): boolean =>
    faults.length > 0 ||
    leaves(churn) ||
    stages.slice(0, until + 1).some((one) => one.reconnect !== undefined || leaves(one.churn));
  return budgets.flatMap((budget) => {
    if (budget.state !== 'measured' || !OF_RETURNS.has(budget.metric.path)) return [];
    const { path } = budget.metric;
    const index = stages.findIndex(({ name }) => name === budget.stage);
    if (index < 0) return [];
    const isMeasured =
      path === 'network.fullStrengthMs' ? stages[index]?.reconnect !== undefined : returns(index);
    if (isMeasured) return [];
    const others = cut.length === 0 ? '' : `, or name one that has it: ${cut.join(', ')}`;
    return [
      found(
        [...(paths.get(budget.id) ?? ['budgets']), 'stage'],
        `${budget.stage} has no reconnect: ${path} of it is never measured`,
        `give the stage a reconnect: { sharePercent: 100 }${others}`,
      ),
    ];
  });
}
