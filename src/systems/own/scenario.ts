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
    return { load: players === undefined ? [] : [['protocol', describePlayers(players)]] };
  },
};

/** Describes the user's own players. */
function describePlayers(players: Players): string {
  switch (players.protocol) {
    case 'json':
      return `JSON over WebSocket at ${players.path}, ${players.commands.length} commands; id at ${players.idAt}, error at ${players.errorAt}`;
    case 'http':
      return `HTTP, ${players.requests.length} requests: ${players.requests.map(({ method, path }) => `${method} ${path}`).join(', ')}`;
    case 'module':
      return `module ${players.module}: code, which \`capbench run\` loads only with --allow-module`;
  }
}

/** The user's own server: capbench starts nothing, and knows only how its players talk. */
export const ownScenario: SystemScenario = {
  ...ownPart,
  name: 'own',
  aliases: { 'load.intentsPerSecond': 'load.operations.intent.perSecond' },
  components: () => [],
  workload: (scenario) => ({ entities: scenario.load.players, own: workloadPart(scenario) }),
  traits: ownTraits,
};

function ownTraits({ sections }: Pick<Scenario, 'sections'>): Partial<SystemTraits> {
  const players = playersOf({ sections });
  return {
    counts: 'your own players may send more than capbench counts',
    ...(players?.protocol === 'module' ? { playerCode: players.module } : {}),
  };
}

const workloadPart = (scenario: Pick<Scenario, 'sections'>): OwnWorkload | null => {
  const playing = playersOf(scenario);
  return playing === undefined ? null : { playing };
};

/** The user's own players in a world of capbench: its keys, stack and size, without its other actors. */
export const ownPlayersIn = (world: SystemScenario): SystemScenario => {
  const others = world.operations.filter(({ actor }) => actor === 'other');
  return {
    ...world,
    ...ownPart,
    note: `your own players: belong to \`system: own\` now; ${world.name} with players: still works`,
    outline: (scenario) => ({
      load: [...(ownPart.outline(scenario).load ?? []), ...(world.outline?.(scenario).load ?? [])],
      world: world.outline?.(scenario).world ?? [],
    }),
    operations: [INTENT, ...others.map(({ rejectedPercent: _, ...one }) => one)],
    sections: { ...world.sections, ...ownPart.sections },
    check: (scenario) => [
      // The world's checks apply only if the target may be such a world, which needs a module.
      ...(playersOf(scenario)?.protocol === 'module' ? (world.check?.(scenario) ?? []) : []),
      ...others.flatMap(({ id, label }) => {
        const rate = scenario.load.operations[id]?.perSecond ?? 0;
        if (rate === 0) return [];
        return [
          findingAt(
            ['load', 'operations', id, 'perSecond'],
            `got ${rate}, expected 0: ${label} of the ${world.name} world need the world's own players`,
            `remove the rate of ${label}, or players:`,
          ),
        ];
      }),
    ],
    traits: (scenario) => {
      const own = ownTraits(scenario);
      // Only a module can speak the world's own protocol.
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
