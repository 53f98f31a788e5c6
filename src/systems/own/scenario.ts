import { type Finding, findingAt } from '../../scenario/finding.ts';
import type { Kind } from '../../scenario/kinds.ts';
import type { OperationSpec } from '../../scenario/operations.ts';
import type { Scenario, SystemTraits } from '../../scenario/scenario.ts';
import type { Outline, SystemScenario, SystemWorkload } from '../../scenario/system-scenario.ts';
import { grouped } from '../../units.ts';
import { choiceFindings } from './choices.ts';
import { inputTraits, nameFindings } from './names.ts';
import type { OwnWorkload } from './players.ts';
import { type Players, playersSchema } from './players-schema.ts';
import { SERVER, stackOf, stackOutline } from './stack.ts';
import { stackSchema } from './stack-schema.ts';

/** How the players of a scenario of this system talk; undefined in one of another system's. */
export const playersOf = ({ sections }: Pick<Scenario, 'sections'>): Players | undefined =>
  sections?.players as Players | undefined;

const OF_PLAYERS = {
  unit: 'ops',
  actor: 'player',
  answer:
    'what the protocol of the players says is one: the same id, a response, or what the module resolves to',
} as const;

const INTENT: Kind = { id: 'intent', due: 'schedule' };

/** The operations of these kinds; without any, the one operation `intent`. */
const operationsOf = (kinds: readonly Kind[]): readonly OperationSpec[] =>
  (kinds.length === 0 ? [INTENT] : kinds).map(({ id, due }) => {
    const plural = id === INTENT.id ? 'intents' : id;
    return { id, plural, label: plural, due, ...OF_PLAYERS };
  });

/** The aliases of rates that the operations have. */
const aliasesOf = (aliases: SystemScenario['aliases'], operations: readonly OperationSpec[]) =>
  Object.fromEntries(
    Object.entries(aliases ?? {}).filter(([, key]) =>
      operations.some(({ id }) => key === `load.operations.${id}.perSecond`),
    ),
  );

const ownPart = (kinds: readonly Kind[]) => {
  const operations = operationsOf(kinds);
  return {
    operations,
    kinds: true,
    sections: { players: playersSchema },
    // Several kinds need a rate each, since nobody else knows how the total is shared out.
    defaultPerSecond: (operation: string, { players }: { readonly players: number }) =>
      operations.length === 1 && operation === operations[0]?.id ? players : undefined,
    outline: (scenario: Scenario): Outline => {
      const players = playersOf(scenario);
      if (players === undefined) return {};
      const group = groupOf(scenario);
      return {
        load: [
          ['protocol', describePlayers(players)],
          ...(group === 1 ? [] : [['groups', `of ${grouped(group)} players`] as const]),
        ],
      };
    },
    check: (scenario: Pick<Scenario, 'load' | 'sections'>) => [
      ...choiceFindings(scenario, operations),
      ...nameFindings(scenario),
    ],
  } as const;
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

/** The user's own server, of which capbench knows how its players talk, and perhaps the command that starts it. */
export const ownScenario = (kinds: readonly Kind[]): SystemScenario => {
  const part = ownPart(kinds);
  return {
    ...part,
    name: 'own',
    namesProcesses: true,
    sections: { ...part.sections, stack: stackSchema.optional() },
    aliases: aliasesOf({ 'load.intentsPerSecond': 'load.operations.intent.perSecond' }, part.operations),
    components: (scenario) =>
      stackOf(scenario) === undefined ? [] : [{ name: SERVER, faults: ['kill', 'stop', 'restart'] }],
    outline: (scenario) => ({ ...part.outline(scenario), ...stackOutline(scenario) }),
    workload: (scenario) => ({
      ...{ entities: scenario.load.players, own: workloadPart(scenario) },
      ...groupPart(scenario),
    }),
    traits: ownTraits,
  };
};

function ownTraits({ sections }: Pick<Scenario, 'sections'>): Partial<SystemTraits> {
  const players = playersOf({ sections });
  return {
    counts: 'your own players may send more than capbench counts',
    versionSections: ['stack'],
    ...(players?.protocol === 'module' ? { playerCode: players.module } : {}),
    ...inputTraits(players),
  };
}

const groupOf = (scenario: Pick<Scenario, 'sections'>): number => playersOf(scenario)?.group ?? 1;

const groupPart = (scenario: Pick<Scenario, 'sections'>): Pick<SystemWorkload, 'group'> =>
  groupOf(scenario) === 1 ? {} : { group: groupOf(scenario) };

/** A world decides which server has which players, and takes no notice of groups. */
function worldGroupFindings(scenario: Pick<Scenario, 'load' | 'world' | 'sections'>): readonly Finding[] {
  const { players } = scenario.load;
  const { servers } = scenario.world;
  const group = groupOf(scenario);
  if (group === 1 || servers === 1 || players % (group * servers) === 0) return [];
  const size = `${grouped(players)} players on ${grouped(servers)} servers`;
  return [
    findingAt(
      ['players', 'group'],
      `got ${grouped(group)}, expected a divisor of the players of each server: there are ${size}`,
      'change load.players, or world.servers',
    ),
  ];
}

const workloadPart = (scenario: Pick<Scenario, 'sections'>): OwnWorkload | null => {
  const playing = playersOf(scenario);
  return playing === undefined ? null : { playing };
};

/** The user's own players in a world of capbench: its keys, stack and size, without its other actors. */
export const ownPlayersIn = (world: SystemScenario, kinds: readonly Kind[]): SystemScenario => {
  const others = world.operations.filter(({ actor }) => actor === 'other');
  const part = ownPart(kinds.filter(({ id }) => !others.some((other) => other.id === id)));
  const operations = [...part.operations, ...others.map(({ rejectedPercent: _, ...one }) => one)];
  return {
    ...world,
    ...part,
    operations,
    aliases: aliasesOf(world.aliases, operations),
    note: `players of your own belong to \`system: own\`; \`system: ${world.name}\` with players: still works`,
    outline: (scenario) => ({
      load: [...(part.outline(scenario).load ?? []), ...(world.outline?.(scenario).load ?? [])],
      world: world.outline?.(scenario).world ?? [],
    }),
    sections: { ...world.sections, ...part.sections },
    check: (scenario) => [
      ...part.check(scenario),
      // The world's checks apply only if the target may be such a world, which needs a module.
      ...(playersOf(scenario)?.protocol === 'module'
        ? [...(world.check?.(scenario) ?? []), ...worldGroupFindings(scenario)]
        : []),
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
      return { entities, own: { ...(own as object), ...workloadPart(scenario) }, ...groupPart(scenario) };
    },
  };
};
