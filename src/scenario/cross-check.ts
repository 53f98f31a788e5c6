import type { Micros } from '../units.ts';
import { type Finding, found } from './finding.ts';
import type { OperationSpec } from './operations.ts';
import type { Fault, Load, Scenario } from './scenario.ts';
import { MOST_PER_SECOND, MOST_PLAYERS } from './schema.ts';
import { peakOf } from './stages.ts';
import { stageFindings } from './stages-check.ts';
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
