import { z } from 'zod';
import { metricsOf } from '../measurement/figures.ts';
import type { Metrics } from '../scenario/budget.ts';
import { kindsIn } from '../scenario/kinds.ts';
import { map } from '../scenario/leaf.ts';
import type { OperationSpec } from '../scenario/operations.ts';
import type { SystemScenario } from '../scenario/system-scenario.ts';
import { flux } from './flux/system.ts';
import { massless } from './massless/system.ts';
import { mud } from './mud/system.ts';
import { own, ownOf, ownOn } from './own/system.ts';
import { quiz } from './quiz/system.ts';
import { realm } from './realm/system.ts';
import type { System, Systems } from './system.ts';

/** `players: { protocol: <system> }` means the system's own players, the default. */
const withoutPlayers = (system: SystemScenario): SystemScenario => ({
  ...system,
  sections: {
    ...system.sections,
    players: map({ protocol: z.literal(system.name) })
      .optional()
      .transform(() => undefined),
  },
});

const hasPlayers = (document: object, name: string): boolean => {
  const players: unknown = Reflect.get(document, 'players');
  if (players === undefined || players === null) return false;
  return typeof players !== 'object' || Reflect.get(players, 'protocol') !== name;
};

/** The systems by name, each also with the user's own players. */
export function systemsOf(all: readonly System[]): Systems {
  const named = new Map(all.map((system) => [system.name, system]));
  const [first = '', ...others] = named.keys();
  // Each a single object, since what follows from it (schemas, metrics) is built once for each object.
  const plain = new Map(all.map(({ name, scenario }) => [name, withoutPlayers(scenario)]));
  const metrics = new WeakMap<readonly OperationSpec[], Map<string, Metrics>>();
  return {
    names: [first, ...others],
    of: (document) => {
      const name: unknown = Reflect.get(document, 'system');
      const system = typeof name === 'string' ? named.get(name) : undefined;
      if (system === undefined) return undefined;
      if (system === own) return ownOf(kindsIn(document)).scenario;
      if (hasPlayers(document, system.name)) return ownOn(system, kindsIn(document)).scenario;
      return plain.get(system.name);
    },
    formsOf: (name) => {
      const system = named.get(name);
      if (system === undefined) return [];
      return system === own
        ? [own.scenario]
        : [plain.get(name) ?? system.scenario, ownOn(system, []).scenario];
    },
    metricsOf: ({ name, operations }) => {
      const known = metrics.get(operations) ?? new Map<string, Metrics>();
      const found = known.get(name) ?? metricsOf(operations, named.get(name)?.figures);
      metrics.set(operations, known.set(name, found));
      return found;
    },
    systemOf: ({ system: name, sections, load }) => {
      const system = named.get(name);
      if (system === undefined) throw new Error(`unknown system "${name}"`);
      if (system === own) return ownOf(kindsIn({ load }));
      return sections?.players === undefined ? system : ownOn(system, kindsIn({ load }));
    },
  };
}

/** The systems of capbench. The only place that names them all. */
export const SYSTEMS = systemsOf([flux, massless, mud, own, quiz, realm]);
