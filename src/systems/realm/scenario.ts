import { duration, oneOf, whole } from '../../scenario/leaf.ts';
import type { OperationSpec } from '../../scenario/operations.ts';
import type { Scenario, WorldSettings } from '../../scenario/scenario.ts';
import type { ComponentName, SystemScenario } from '../../scenario/system-scenario.ts';
import { formatDuration, type Micros } from '../../units.ts';
import type { RealmWorkload } from './workload.ts';

/** The system's own keys of `world:`. */
export interface RealmWorldSettings extends WorldSettings {
  readonly updateInterval: Micros;
  readonly thinkInterval: Micros;
  /** CPU time of one agent's thought. */
  readonly thinkWork: Micros;
  readonly syncInterval: Micros;
  readonly commandsPerAgentPerSecond: number;
  readonly sync: 'on' | 'off';
  readonly recover: 'on' | 'off';
  readonly broadcast: 'all' | 'lossy';
  readonly interest: 'on' | 'off';
}

/** The keys of a scenario of this system, which the schema below has parsed. */
export const realmWorld = ({ world }: Pick<Scenario, 'world'>): RealmWorldSettings =>
  world as RealmWorldSettings;

/** Operations a second of one agent, unless a scenario says otherwise; the document has no numbers. */
const PER_AGENT: Readonly<Record<string, number>> = { move: 1, chat: 0.1, emote: 0.02 };

const ANSWERS: readonly (readonly [id: string, answer: string])[] = [
  ['move', 'an update that has its number, once it was applied'],
  ['chat', 'an ack with its number, once all others were sent it'],
  ['emote', 'an ack with its number, once all others were sent it'],
];

const OPERATIONS: readonly OperationSpec[] = ANSWERS.map(([id, answer]) => ({
  ...{ id, plural: `${id}s`, label: `${id}s`, unit: 'ops', actor: 'player', due: 'schedule', answer },
}));

const MOST_SERVERS = 64;

const world = {
  servers: whole(1, MOST_SERVERS)
    .default(1)
    .describe('World server processes, each a world of its own. Default: 1, or the number of targets'),
  updateInterval: duration('10ms', '10s')
    .prefault('100ms')
    .describe('Agents are told what has changed this often'),
  thinkInterval: duration('100ms', '10m').prefault('1s').describe('Each agent thinks this often'),
  thinkWork: duration('0s', '1s')
    .prefault('300us')
    .describe('CPU time of one thought; the document gives none'),
  syncInterval: duration('100ms', '10m')
    .prefault('5s')
    .describe('The relay is sent what has changed this often'),
  commandsPerAgentPerSecond: whole(1, 1_000).default(20).describe('An agent that commands faster is refused'),
  sync: oneOf(['on', 'off'])
    .default('on')
    .describe('off: a broken variant that reports as saved what no relay has'),
  recover: oneOf(['on', 'off'])
    .default('on')
    .describe('on: a new process continues with what the relay has; off: it forgets all agents'),
  broadcast: oneOf(['all', 'lossy'])
    .default('all')
    .describe('lossy: a broken variant that now and then says what was said to nobody'),
  interest: oneOf(['on', 'off'])
    .default('on')
    .describe('off: a broken variant in which agents are told of all others, however far away'),
};

const FAULTS = ['kill', 'stop', 'restart'] as const;
const withFaults = (name: string): ComponentName => ({ name, faults: FAULTS });
const serverNames = ({ servers }: Pick<WorldSettings, 'servers'>): readonly string[] =>
  Array.from({ length: servers }, (_, i) => `world-${i + 1}`);

/** The keys and sizes of the realm's scenarios. */
export const realmScenario: SystemScenario = {
  name: 'realm',
  edge: true,
  operations: OPERATIONS,
  world,
  defaultPerSecond: (operation, { players }) => (PER_AGENT[operation] ?? 0) * players,
  components: ({ world, edge }) =>
    ['relay', ...serverNames(world), ...(edge === undefined ? [] : ['edge'])].map(withFaults),
  outline: (scenario) => {
    const { updateInterval, thinkInterval, thinkWork, syncInterval, commandsPerAgentPerSecond, recover } =
      realmWorld(scenario);
    return {
      world: [
        ['updates', `every ${formatDuration(updateInterval)}`],
        [
          'thinking',
          `${formatDuration(thinkWork)} of CPU of each agent every ${formatDuration(thinkInterval)}`,
        ],
        ['relay', `is sent what has changed every ${formatDuration(syncInterval)}`],
        ['rate limit', `${commandsPerAgentPerSecond} commands/s for each agent`],
        ['recovery', recover],
      ],
    };
  },
  workload: (scenario) => {
    const { syncInterval, servers } = realmWorld(scenario);
    const own: RealmWorkload = {
      syncSeconds: syncInterval / 1e6,
      isDealt: servers === 1 || scenario.edge === undefined,
    };
    return { entities: scenario.load.players, own, deliveries: true, ledger: { timed: true } };
  },
  traits: ({ world }) => ({
    hasServerMetrics: 'yes',
    playerFigures: true,
    counts: [
      { series: 'operations', what: 'commands', perOperation: 1, everyAnswer: true },
      { series: 'rejected', what: 'commands that were refused', perOperation: 1 },
    ],
    keptIn: 'relay',
    probes: [...serverNames(world), 'realm'],
  }),
};
