import { type Finding, findingAt } from '../../scenario/finding.ts';
import { duration, oneOf, whole } from '../../scenario/leaf.ts';
import type { OperationSpec } from '../../scenario/operations.ts';
import type { Load, Scenario, WorldSettings } from '../../scenario/scenario.ts';
import type { SystemScenario } from '../../scenario/system-scenario.ts';
import { formatDuration, grouped, type Micros } from '../../units.ts';
import { PACKAGES } from './packages.ts';
import { TABLE } from './tables.ts';
import { KINDS, type Kind, type MasslessWorkload, type Trade } from './workload.ts';

/** The system's own keys of `load:`. */
export interface MasslessLoad extends Load {
  /** One player in so many decodes the state. */
  readonly decodesOneOf: number;
}

/** The system's own keys of `world:`. */
export interface MasslessWorldSettings extends WorldSettings {
  /** Zone z is on server z modulo the servers. Undefined: one for each server. */
  readonly zones?: number | undefined;
  /** Side of a zone, in units. */
  readonly zoneSize: number;
  readonly itemsPerCharacter: number;
  /** Hz. */
  readonly tickRate: number;
  readonly saveInterval: Micros;
  readonly interest: 'on' | 'off';
  readonly saveOnExit: 'on' | 'off';
  readonly trade: Trade;
}

/** The keys of a scenario of this system, which the schema below has parsed. */
export const masslessLoad = ({ load }: Pick<Scenario, 'load'>): MasslessLoad => load as MasslessLoad;
export const masslessWorld = ({ world }: Pick<Scenario, 'world'>): MasslessWorldSettings =>
  world as MasslessWorldSettings;

/** The number of zones. */
export const zonesOf = (scenario: Pick<Scenario, 'world'>): number =>
  masslessWorld(scenario).zones ?? scenario.world.servers;

const SPECS: Readonly<Record<Kind, Pick<OperationSpec, 'plural' | 'answer' | 'rejectedPercent'>>> = {
  input: { plural: 'inputs', answer: 'an ack with its number, or a higher one, at the tick that applies it' },
  // What a player offers may be under way elsewhere: it may have been given away just now.
  trade: { plural: 'trades', answer: 'a traded with its number, once it is committed', rejectedPercent: 5 },
  zone: { plural: 'transfers', answer: 'the welcome of the new zone', rejectedPercent: 5 },
};

const OPERATIONS: readonly OperationSpec[] = KINDS.map((id) => ({
  ...{ id, label: SPECS[id].plural, unit: 'ops', actor: 'player', due: 'schedule' },
  ...SPECS[id],
}));

/** Operations of a player a second, where the scenario does not say. */
const DEFAULTS: Readonly<Record<Kind, number>> = { input: 5, trade: 0.02, zone: 0 };

const world = {
  zones: whole(1, 1_000)
    .optional()
    .describe('Zones, each a room; dealt round over the servers. Default: one for each server'),
  zoneSize: whole(10, 10_000).default(128).describe('Side of a zone, in units'),
  itemsPerCharacter: whole(1, 1_000)
    .default(10)
    .describe('Items that each character begins with; none are made or destroyed'),
  tickRate: whole(1, 200).default(20).describe('Ticks of a zone per second'),
  saveInterval: duration('1s', '60s').prefault('30s').describe('Places are saved this often'),
  interest: oneOf(['on', 'off'])
    .default('on')
    .describe('off: a broken variant in which everybody sees everybody at every tick'),
  saveOnExit: oneOf(['on', 'off']).default('on').describe('off: a broken variant that ends without saving'),
  trade: oneOf(['committed', 'early', 'torn'])
    .default('committed')
    .describe('early: a broken variant that answers before the commit; torn: one that copies the item'),
};

const serverNames = ({ servers }: Pick<WorldSettings, 'servers'>): readonly string[] =>
  Array.from({ length: servers }, (_, i) => `world-${i + 1}`);

/** The keys, checks and sizes of the scenarios of zones. */
export const masslessScenario: SystemScenario = {
  name: 'massless',
  operations: OPERATIONS,
  redis: true,
  packages: { name: 'Colyseus', wanted: Object.values(PACKAGES) },
  load: {
    decodesOneOf: whole(1, 1_000_000)
      .default(20)
      .describe('One player in so many decodes the state; the others count its frames and bytes'),
  },
  world,
  defaultPerSecond: (operation, { players }) => players * (DEFAULTS[operation as Kind] ?? 0),
  components: ({ world }) =>
    ['postgres', 'redis', ...serverNames(world)].map((name) => ({
      name,
      faults: ['kill', 'stop', 'restart'] as const,
    })),
  check: checkMassless,
  outline: (scenario) => {
    const { zoneSize, tickRate, saveInterval, interest, saveOnExit, trade } = masslessWorld(scenario);
    const zones = zonesOf(scenario);
    const { players } = scenario.load;
    return {
      load: [['decoding', `one player in ${grouped(masslessLoad(scenario).decodesOneOf)}`]],
      world: [
        [
          'zones',
          `${grouped(zones)} of ${grouped(zoneSize)} x ${grouped(zoneSize)} units, ${grouped(Math.ceil(players / zones))} players each`,
        ],
        ['ticks', `${tickRate}/s`],
        [
          'saves',
          `every ${formatDuration(saveInterval)}${saveOnExit === 'on' ? ', and before the end' : ''}`,
        ],
        ['interest', interest === 'on' ? '25, 50 and 100 units' : 'off: everybody'],
        ['trades', trade === 'committed' ? 'acknowledged once committed' : trade],
      ],
    };
  },
  workload: (scenario) => {
    const { zoneSize, servers, itemsPerCharacter, tickRate, saveInterval } = masslessWorld(scenario);
    const own: MasslessWorkload = {
      ...{ zones: zonesOf(scenario), servers, zoneSize, itemsPerCharacter, tickRate },
      decodesOneOf: masslessLoad(scenario).decodesOneOf,
      saveSeconds: saveInterval / 1e6,
    };
    return {
      entities: scenario.load.players,
      own,
      deliveries: true,
      ledger: { timed: true, rejected: 'unrecorded' },
    };
  },
  traits: ({ world }) => ({
    hasServerMetrics: 'yes',
    playerFigures: true,
    counts: [{ series: 'operations', what: 'operations', perOperation: 1, everyAnswer: true }],
    table: TABLE,
    probes: ['postgres', 'redis', ...serverNames(world), 'massless'],
  }),
};

function checkMassless(scenario: Pick<Scenario, 'load' | 'world'>): readonly Finding[] {
  const zones = zonesOf(scenario);
  const { operations, players } = scenario.load;
  const findings: Finding[] = [];
  if (zones < scenario.world.servers) {
    findings.push(
      findingAt(
        ['world', 'zones'],
        `got ${zones === 1 ? 'one zone' : `${grouped(zones)} zones`} on ${grouped(scenario.world.servers)} servers, expected at least one zone for each`,
        'use fewer world.servers, or more world.zones',
      ),
    );
  }
  if (zones === 1 && (operations.zone?.perSecond ?? 0) > 0) {
    findings.push(
      findingAt(
        ['load', 'operations', 'zone'],
        'got transfers in a world of one zone, expected none',
        'leave out load.operations.zone, or use more world.zones',
      ),
    );
  }
  if (players === 1 && (operations.trade?.perSecond ?? 0) > 0) {
    findings.push(
      findingAt(
        ['load', 'operations', 'trade'],
        'got trades of a single player, expected two players at least',
      ),
    );
  }
  return findings;
}
