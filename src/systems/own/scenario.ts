import { findingAt } from '../../scenario/finding.ts';
import type { OperationSpec } from '../../scenario/operations.ts';
import type { Scenario, SystemTraits } from '../../scenario/scenario.ts';
import type { Outline, SystemScenario } from '../../scenario/system-scenario.ts';
import type { OwnWorkload } from './players.ts';
import { type Players, playersSchema } from './players-schema.ts';

/** How the players of a scenario of this system talk; undefined in one of another system's. */
export const playersOf = ({ sections }: Pick<Scenario, 'sections'>): Players | undefined =>
  sections?.players as Players | undefined;

const INTENT: OperationSpec = {
  id: 'intent',
  plural: 'intents',
  label: 'intents',
  unit: 'ops',
  actor: 'player',
  due: 'schedule',
  answer:
    'what the protocol of the players says is one: the same id, a response, or what the module resolves to',
};

const ownPart = {
  operations: [INTENT],
  sections: { players: playersSchema },
  defaultPerSecond: (operation: string, { players }: { readonly players: number }) =>
    operation === INTENT.id ? players : undefined,
  outline: (scenario: Scenario): Outline => {
    const players = playersOf(scenario);
    return { load: players === undefined ? [] : [['they speak', speech(players)]] };
  },
};

/** How players of one's own talk. */
function speech(players: Players): string {
  switch (players.protocol) {
    case 'json':
      return `JSON over WebSocket at ${players.path}, ${players.commands.length} commands; id at ${players.idAt}, error at ${players.errorAt}`;
    case 'http':
      return `HTTP, ${players.requests.length} requests: ${players.requests.map(({ method, path }) => `${method} ${path}`).join(', ')}`;
    case 'module':
      return `as ${players.module} does: code, which \`capbench run\` loads only with --allow-module`;
  }
}

/** A server of the user's own: nothing is started, and nothing is known of it but how its players talk. */
export const ownScenario: SystemScenario = {
  ...ownPart,
  name: 'own',
  aliases: { 'load.intentsPerSecond': 'load.operations.intent.perSecond' },
  components: () => [],
  workload: (scenario) => ({ entities: scenario.load.players, own: workloadPart(scenario) }),
  traits: ownTraits,
};

/** Players of the user's own may send more than is counted of them. */
function ownTraits({ sections }: Pick<Scenario, 'sections'>): Partial<SystemTraits> {
  const players = playersOf({ sections });
  return {
    counts: 'players of your own may send more than is counted',
    ...(players?.protocol === 'module' ? { playerCode: players.module } : {}),
  };
}

const workloadPart = (scenario: Pick<Scenario, 'sections'>): OwnWorkload | null => {
  const playing = playersOf(scenario);
  return playing === undefined ? null : { playing };
};

/** Players of the user's own in a world of ours: its keys, its stack and its size, and nobody else who acts. */
export const ownPlayersIn = (world: SystemScenario): SystemScenario => {
  const others = world.operations.filter(({ actor }) => actor === 'other');
  return {
    ...world,
    ...ownPart,
    note: `players: of your own are \`system: own\` now; ${world.name} with players works as before`,
    outline: (scenario) => ({
      load: [...(ownPart.outline(scenario).load ?? []), ...(world.outline?.(scenario).load ?? [])],
      world: world.outline?.(scenario).world ?? [],
    }),
    operations: [INTENT, ...others.map(({ rejectedPercent: _, ...one }) => one)],
    sections: { ...world.sections, ...ownPart.sections },
    check: (scenario) => [
      // Only a server of its kind has to fit the world: a module's may be one.
      ...(playersOf(scenario)?.protocol === 'module' ? (world.check?.(scenario) ?? []) : []),
      ...others.flatMap(({ id, label }) => {
        const rate = scenario.load.operations[id]?.perSecond ?? 0;
        if (rate === 0) return [];
        return [
          findingAt(
            ['load', 'operations', id, 'perSecond'],
            `${rate} is there, expected 0: the ${label} are of the ${world.name} world, and its players, too`,
            `no ${label}, or no players: of its own`,
          ),
        ];
      }),
    ],
    traits: (scenario) => {
      const own = ownTraits(scenario);
      // Only a module may speak as the world's own players do.
      const isModule = own.playerCode !== undefined;
      return {
        ...world.traits?.(scenario),
        ...own,
        needsTarget: !isModule,
        hasServerMetrics: isModule ? 'unknown' : 'no',
      };
    },
    workload: (scenario) => {
      const { entities, own } = world.workload(scenario);
      return { entities, own: { ...(own as object), ...workloadPart(scenario) } };
    },
  };
};
