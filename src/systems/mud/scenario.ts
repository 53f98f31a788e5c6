import { type Finding, findingAt } from '../../scenario/finding.ts';
import { duration, oneOf, quantity, whole } from '../../scenario/leaf.ts';
import type { OperationSpec } from '../../scenario/operations.ts';
import type { Scenario, WorldSettings } from '../../scenario/scenario.ts';
import type { SystemScenario } from '../../scenario/system-scenario.ts';
import { counted, formatDuration, grouped, type Micros } from '../../units.ts';
import { type MudWorkload, TABLE } from './workload.ts';

/** The system's own keys of `world:`. */
export interface MudWorldSettings extends WorldSettings {
  /** How often states are saved to PostgreSQL: the document's N, which it leaves open. */
  readonly saveInterval: Micros;
  /** Of the keys of players and sessions, from their last use. */
  readonly ttl: Micros;
  /** Undefined: one for every 20 players. */
  readonly rooms?: number | undefined;
  readonly commandsPerUserPerSecond: number;
  /** States above so many bytes are compressed. */
  readonly compressAbove: number;
  readonly breaker: 'on' | 'off';
  readonly degrade: 'on' | 'off';
  readonly publish: 'redis' | 'local';
  readonly acknowledge: 'stored' | 'early';
}

/** The keys of a scenario of this system, which the schema below has parsed. */
export const mudWorld = ({ world }: Pick<Scenario, 'world'>): MudWorldSettings => world as MudWorldSettings;

const PLAYERS_PER_ROOM = 20;

/** The number of rooms. */
export const roomsOf = (scenario: Pick<Scenario, 'load' | 'world'>): number =>
  mudWorld(scenario).rooms ?? Math.max(1, Math.round(scenario.load.players / PLAYERS_PER_ROOM));

/** Two commands of a player may be due closer to each other than its rate limit allows: 2% at one a second, and a limit of five. */
const OPERATIONS: readonly OperationSpec[] = [
  {
    id: 'command',
    plural: 'commands',
    label: 'commands',
    unit: 'ops',
    actor: 'player',
    due: 'schedule',
    answer: 'a response with its id, once Redis has the new state (or PostgreSQL, while Redis is away)',
    rejectedPercent: 5,
  },
];

const world = {
  saveInterval: duration('1s', '60s').prefault('5s').describe('States are saved to PostgreSQL this often'),
  ttl: duration('5m', '15m')
    .prefault('10m')
    .describe('Keys of players and sessions expire, from their last use'),
  rooms: whole(1, 10_000).optional().describe('Default: one for every 20 players'),
  commandsPerUserPerSecond: quantity(0.1, 1_000).default(5).describe('A player who types faster is refused'),
  compressAbove: whole(64, 1_000_000).default(1_024).describe('States above so many bytes are compressed'),
  breaker: oneOf(['on', 'off']).default('on').describe('off: a broken variant without circuit breaker'),
  degrade: oneOf(['on', 'off'])
    .default('on')
    .describe('off: a broken variant that does not play on PostgreSQL while Redis is away'),
  publish: oneOf(['redis', 'local'])
    .default('redis')
    .describe('local: a broken variant in which servers do not publish what happens to each other'),
  acknowledge: oneOf(['stored', 'early'])
    .default('stored')
    .describe('early: a broken variant that answers before Redis has the state'),
};

/** The keys and sizes of the text game's scenarios. */
export const mudScenario: SystemScenario = {
  name: 'mud',
  redis: true,
  edge: true,
  operations: OPERATIONS,
  world,
  // One command every two seconds for each player.
  defaultPerSecond: (_operation, { players }) => players / 2,
  components: ({ world: { servers }, edge }) => [
    { name: 'redis', faults: ['kill', 'stop', 'restart'] },
    { name: 'postgres', faults: ['kill', 'stop', 'restart'] },
    ...Array.from({ length: servers }, (_, i) => ({
      name: `world-${i + 1}`,
      faults: ['kill', 'stop', 'restart'] as const,
    })),
    ...(edge === undefined ? [] : [{ name: 'edge', faults: ['kill', 'stop', 'restart'] as const }]),
  ],
  check: checkMud,
  outline: (scenario) => {
    const { saveInterval, ttl, commandsPerUserPerSecond, compressAbove } = mudWorld(scenario);
    return {
      world: [
        ['rooms', grouped(roomsOf(scenario))],
        ['saves', `every ${formatDuration(saveInterval)}`],
        ['keys', `expire after ${formatDuration(ttl)}`],
        ['rate limit', `${commandsPerUserPerSecond} commands/s for each player`],
        ['compression', `of states above ${grouped(compressAbove)} bytes`],
      ],
    };
  },
  workload: (scenario) => {
    const own: MudWorkload = { rooms: roomsOf(scenario), saveSeconds: mudWorld(scenario).saveInterval / 1e6 };
    return { entities: scenario.load.players, own, deliveries: true, ledger: { timed: true } };
  },
  traits: (scenario) => ({
    hasServerMetrics: 'yes',
    playerFigures: true,
    counts: [
      { series: 'operations', what: 'commands', perOperation: 1, everyAnswer: true },
      { series: 'rejected', what: 'commands that were rejected', perOperation: 1 },
    ],
    table: TABLE,
    probes: [
      ...mudScenario.components(scenario).flatMap(({ name }) => (name === 'edge' ? [] : [name])),
      'mud',
    ],
  }),
};

/** Deliveries between servers are what the game is tested for, so each room needs two residents. */
function checkMud(scenario: Pick<Scenario, 'load' | 'world'>): readonly Finding[] {
  const rooms = roomsOf(scenario);
  const { players } = scenario.load;
  if (players >= 4 * rooms) return [];
  return [
    findingAt(
      ['world', 'rooms'],
      `got ${counted(rooms, 'room')} for ${counted(players, 'player')}, expected at least four players for each`,
      'use fewer world.rooms, or more players',
    ),
  ];
}
