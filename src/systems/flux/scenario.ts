import { type Finding, findingAt } from '../../scenario/finding.ts';
import { duration, map, oneOf, quantity, whole } from '../../scenario/leaf.ts';
import { type OperationSpec, ofOperation } from '../../scenario/operations.ts';
import type { Load, Scenario, WorldSettings } from '../../scenario/scenario.ts';
import { MOST_PLAYERS } from '../../scenario/schema.ts';
import { peakLoadOf } from '../../scenario/stages.ts';
import type { SystemScenario } from '../../scenario/system-scenario.ts';
import { formatDuration, grouped, type Micros } from '../../units.ts';
import { LANES } from './monsters/lanes.ts';
import type { FluxWorkload } from './workload.ts';
import { TABLE } from './workload.ts';

/** The system's own keys of `load:`. */
export interface FluxLoad extends Load {
  /** Monsters in the world. */
  readonly monsters: number;
  /** Monster commands in one `POST /commands`. */
  readonly commandsPerPost: number;
}

/** The system's own keys of `world:`. */
export interface FluxWorldSettings extends WorldSettings {
  /** On average: a server has ceil(its players / this) places. */
  readonly playersPerPlace: number;
  readonly batch: { readonly operations: number; readonly interval: Micros };
  /** `columns`: narrow typed columns; `jsonb`: a document of about 2 KB. */
  readonly rowShape: 'columns' | 'jsonb';
}

/** The keys of a scenario of this system, which the schema below has parsed. */
export const fluxLoad = ({ load }: Pick<Scenario, 'load'>): FluxLoad => load as FluxLoad;
export const fluxWorld = ({ world }: Pick<Scenario, 'world'>): FluxWorldSettings =>
  world as FluxWorldSettings;

const MOST_POSTS_PER_SECOND = 100_000;

/**
 * What the rules of the game reject: of intents, moves into a wall, and attacks on players who have just left (2%, or 10% with
 * several unanswered intents, when a player knows less); of monster commands, moves into a wall, and 80% are moves. The limits
 * are higher, and lower than a world that rejects everything.
 */
export const OPERATIONS: readonly OperationSpec[] = [
  {
    id: 'intent',
    plural: 'intents',
    label: 'intents',
    unit: 'ops',
    actor: 'player',
    due: 'schedule',
    answer: 'an acknowledgement that names its number, after its batch has committed',
    rejectedPercent: 20,
  },
  {
    id: 'monsterCommand',
    plural: 'monsterCommands',
    label: 'monster commands',
    short: 'monster cmds',
    unit: 'ops',
    actor: 'other',
    due: 'schedule',
    answer: 'the commit of its post, received over the commit socket',
    rejectedPercent: 80,
  },
];

const world = {
  playersPerPlace: quantity(1, 10_000).default(10).describe('On average'),
  batch: map({
    operations: whole(1, 100_000).default(1663).describe('A batch is flushed at this many operations'),
    interval: duration('1ms', '10s').prefault('10ms').describe('or after this time, whichever comes first'),
  }).prefault({}),
  rowShape: oneOf(['columns', 'jsonb'])
    .default('columns')
    .describe('columns: a narrow typed row; jsonb: a document of about 2 KB in a row'),
};

/**
 * The keys, checks and sizes of the flux world's scenarios. The number of monsters, and so the size of the database, does not
 * scale: a cache that holds a quarter of the rows would not tell anything about one that holds them all.
 */
export const fluxScenario: SystemScenario = {
  name: 'flux',
  operations: OPERATIONS,
  load: {
    monsters: whole(0, MOST_PLAYERS).default(0).describe('Monsters in the world'),
    commandsPerPost: whole(1, 5000).default(200).describe('Monster commands in one POST /commands'),
  },
  world,
  aliases: {
    'load.intentsPerSecond': 'load.operations.intent.perSecond',
    'load.monsterCommandsPerSecond': 'load.operations.monsterCommand.perSecond',
  },
  // One intent a second for each player.
  defaultPerSecond: (operation, { players }) => (operation === 'intent' ? players : undefined),
  edge: true,
  components: ({ world: { servers }, edge }) => [
    { name: 'postgres', faults: ['kill', 'stop', 'restart'] },
    ...Array.from({ length: servers }, (_, i) => ({
      name: `world-${i + 1}`,
      faults: ['kill', 'stop', 'restart'] as const,
    })),
    ...(edge === undefined ? [] : [{ name: 'edge', faults: ['kill', 'stop', 'restart'] as const }]),
  ],
  check: checkFlux,
  outline: (scenario) => {
    const { monsters, commandsPerPost } = fluxLoad(scenario);
    const { playersPerPlace, batch, rowShape } = fluxWorld(scenario);
    return {
      load: [
        ['monsters', grouped(monsters)],
        ['posts', `of ${commandsPerPost} monster commands`],
      ],
      world: [
        ['places', `${grouped(playersPerPlace)} players each`],
        ['batches', `at ${grouped(batch.operations)} operations or ${formatDuration(batch.interval)}`],
        ['rows', rowShape],
      ],
    };
  },
  workload: (scenario) => {
    const { players, operations, monsters, commandsPerPost } = fluxLoad(scenario);
    const { perSecond } = ofOperation(operations, 'monsterCommand');
    const own: FluxWorkload = { monsters, commandsPerPost, postRate: perSecond / commandsPerPost };
    return { entities: players + monsters, own };
  },
  traits: (scenario) => ({
    hasServerMetrics: 'yes',
    // Only the load changes entities. A batch has at least one operation, which writes the rows of its actor and its target.
    counts: [
      { series: 'operations', what: 'operations', perOperation: 1, everyAnswer: true },
      { series: 'rejected', what: 'operations that were rejected', perOperation: 1 },
      { series: 'batches', what: 'batches', perOperation: 1 },
      { series: 'batchesOnTime', what: 'batches on time', perOperation: 1 },
      { series: 'rowWrites', what: 'row writes', perOperation: 2 },
    ],
    histograms: [
      { name: 'batchOperations', what: 'batches by size', of: BATCHES },
      { name: 'flushMs', what: 'flushes by duration', of: BATCHES },
      { name: 'responseMs', what: 'responses by duration' },
    ],
    table: TABLE,
    probes: fluxScenario.components(scenario).flatMap(({ name }) => (name === 'edge' ? [] : [name])),
    groupSizes: {
      monsterCommand: { operations: fluxLoad(scenario).commandsPerPost, key: 'load.commandsPerPost' },
    },
  }),
};

const BATCHES = { series: 'batches', what: 'batches were flushed' };

function checkFlux(scenario: Pick<Scenario, 'load' | 'world' | 'edge'>): readonly Finding[] {
  const { players, operations, monsters, commandsPerPost } = fluxLoad(scenario);
  const { servers } = scenario.world;
  const commands = ofOperation(operations, 'monsterCommand').perSecond * peakLoadOf(scenario.load);
  const findings: Finding[] = [];
  const check = (wrong: boolean, path: readonly string[], message: string, hint: string): void => {
    if (wrong) findings.push(findingAt(['load', ...path], message, hint));
  };
  check(
    commands / commandsPerPost > MOST_POSTS_PER_SECOND,
    ['operations', 'monsterCommand', 'perSecond'],
    `got ${grouped(commands / commandsPerPost)} posts a second, expected ${grouped(MOST_POSTS_PER_SECOND)} at most`,
    'use a higher load.commandsPerPost',
  );
  check(
    players < servers,
    ['players'],
    `got ${players} players for ${servers} world servers, expected at least one for each`,
    'use fewer world.servers, or more players',
  );
  check(
    commands > 0 && monsters < servers * LANES,
    ['monsters'],
    `got ${monsters} monsters for ${servers} world servers, expected at least ${LANES} for each`,
    'use more monsters, or no monster commands',
  );
  if (scenario.edge !== undefined && servers > 1) {
    findings.push(
      findingAt(
        ['world', 'servers'],
        `got ${servers} world servers behind the edge proxy, expected one: it cannot know which of them owns a player's place`,
        'use world.servers: 1, or leave out edge',
      ),
    );
  }
  return findings;
}
