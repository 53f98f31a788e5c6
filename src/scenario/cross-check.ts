import type { Micros } from '../units.ts';
import { type Finding, found } from './finding.ts';
import type { Fault, Load, WorldSettings } from './scenario.ts';
import { MOST_PER_SECOND, MOST_PLAYERS } from './schema.ts';
import { peakOf } from './stages.ts';
import { stageFindings } from './stages-check.ts';
import { LANES } from './workload.ts';

const MOST_POSTS_PER_SECOND = 100_000;
const MOST_INTENTS_PER_PLAYER = 1000;
const LONGEST_RUN = 24 * 3600e6;

const grouped = (n: number): string => n.toLocaleString('en-US', { maximumFractionDigits: 3 });

/** What no key alone can get wrong: numbers that do not fit each other, or do not any more after --scale. */
export function crossCheck(
  load: Load,
  world: WorldSettings | undefined,
  faults: readonly Fault[],
): readonly Finding[] {
  const findings: Finding[] = [
    ...faults.flatMap((fault, i) => faultFindings(fault, i, load, world)),
    ...stageFindings(load),
  ];
  const check = (wrong: boolean, key: keyof Load, message: string, hint: string | null = null) => {
    if (wrong) findings.push(found(['load', key], message, hint));
  };
  const { players, monsters } = load;
  // What the busiest stage makes of them.
  const peak = peakOf(load.stages);
  const intentsPerSecond = load.intentsPerSecond * peak;
  const monsterCommandsPerSecond = load.monsterCommandsPerSecond * peak;
  check(
    players > MOST_PLAYERS,
    'players',
    `${grouped(players)} players, expected ${grouped(MOST_PLAYERS)} at most`,
    'a smaller --scale',
  );
  for (const key of ['intentsPerSecond', 'monsterCommandsPerSecond'] as const) {
    const rate = load[key] * peak;
    check(
      rate > MOST_PER_SECOND,
      key,
      `${grouped(rate)} a second, expected ${grouped(MOST_PER_SECOND)} at most`,
      'a smaller --scale',
    );
  }
  check(
    intentsPerSecond / players > MOST_INTENTS_PER_PLAYER,
    'intentsPerSecond',
    `${grouped(intentsPerSecond / players)} a second for each player, expected ${grouped(MOST_INTENTS_PER_PLAYER)} at most`,
    'the rate is that of all players together',
  );
  check(
    intentsPerSecond === 0 && monsterCommandsPerSecond === 0,
    'intentsPerSecond',
    'no operation is ever due, expected a rate above 0 of intents or of monster commands',
  );
  check(
    monsterCommandsPerSecond / load.commandsPerPost > MOST_POSTS_PER_SECOND,
    'monsterCommandsPerSecond',
    `${grouped(monsterCommandsPerSecond / load.commandsPerPost)} posts a second, expected ${grouped(MOST_POSTS_PER_SECOND)} at most`,
    'more commands in a post: load.commandsPerPost',
  );
  check(
    ((load.ramp + load.warmUp + load.duration) as Micros) > LONGEST_RUN,
    'duration',
    'ramp, warmUp and duration together are longer than 24h, expected less',
  );
  if (world !== undefined) {
    check(
      players < world.servers,
      'players',
      `${players} players for ${world.servers} world servers, expected at least one for each`,
      'fewer world.servers, or more players',
    );
    check(
      monsterCommandsPerSecond > 0 && monsters < world.servers * LANES,
      'monsters',
      `${monsters} monsters for ${world.servers} world servers, expected at least ${LANES} for each to carry out the monster commands`,
      'more monsters, or monsterCommandsPerSecond: 0',
    );
  }
  return findings;
}

function faultFindings(
  { action, of, phase, at }: Fault,
  index: number,
  load: Load,
  world: WorldSettings | undefined,
): readonly Finding[] {
  const findings: Finding[] = [];
  const check = (wrong: boolean, key: keyof Fault, message: string) => {
    if (wrong) findings.push(found(['faults', index, key], message));
  };
  const server = /^world-(\d+)$/.exec(of)?.[1];
  check(
    server !== undefined && world !== undefined && Number(server) > world.servers,
    'of',
    `${of}, expected one of the ${world?.servers} world servers`,
  );
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
