import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { scenarioHash, writeScenario } from '../../src/scenario/resolved.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { SYSTEMS } from '../../src/systems/registry.ts';
import { COMPLETE, PLAYER } from '../fixtures/recorded-deliveries.ts';
import { measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { type Tree, treeOf } from './tree.ts';

/** A file as it is before it is damaged. */
export interface Original {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** As data. */
  readonly value: unknown;
  /** A tree of its own for each caller. */
  tree(): Tree;
}

/** Read once for each root, when they are first asked for. */
function once<T>(make: (root: string) => T): (root: string) => T {
  const made = new Map<string, T>();
  return (root) => {
    const known = made.get(root) ?? make(root);
    made.set(root, known);
    return known;
  };
}

function original(name: string, bytes: Uint8Array, value: unknown): Original {
  return { name, bytes, value, tree: () => treeOf(value) };
}

/** Every scenario that comes with capbench. */
export const scenarios = once((root): readonly Original[] => {
  const folder = join(root, 'scenarios');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => {
      const bytes = readFileSync(join(folder, name));
      return original(name, bytes, parse(bytes.toString()));
    });
});

const KINDS = `name: kinds
system: own
load:
  players: 20
  operations: { create: { perSecond: 5 }, look: { weight: 3 }, go: { weight: 1 } }
  operationsPerSecond: 40
rules: { rejectedPercent: { create: 10 } }
players:
  protocol: json
  commands:
    - { command: new, operation: create }
    - { command: look, operation: look, weight: 2 }
    - { command: go north, operation: go }
budgets:
  - { id: soon, metric: latency.look.due, stat: p95, op: <, limit: 100, unit: ms }
  - { id: made, metric: throughput.createPerSecond, op: '>=', limit: 4, unit: ops/s }
`;

/** A scenario of the user's own server, which names its operations. */
export const ownScenario = (): Original => original('kinds.yaml', Buffer.from(KINDS), parse(KINDS));

/** What `capbench report` reads of a run. */
export interface Bundle {
  readonly measurements: Original;
  readonly scenario: Original;
}

function bundle(name: string, measurements: Uint8Array, scenario: Uint8Array): Bundle {
  return {
    measurements: original(name, measurements, JSON.parse(Buffer.from(measurements).toString())),
    scenario: original(name, scenario, parse(Buffer.from(scenario).toString())),
  };
}

/** The text of a scenario as a bundle contains it. */
export const written = (scenario: Scenario): string =>
  writeScenario(scenario, SYSTEMS.systemOf(scenario).scenario);

/** A real run as it was recorded, and one that holds all that a run can know. */
export const bundles = once((root): readonly Bundle[] => {
  const read = (name: string) => readFileSync(join(root, 'reports', 'sample', name));
  const scenario = scenarioOf({ watch: ['queue'] });
  const told = { deliveries: COMPLETE, player: PLAYER };
  const facts = JSON.stringify({ ...measurementsOf(told), scenarioHash: scenarioHash(scenario) });
  return [
    bundle('the sample', read('measurements.json'), read('scenario.yaml')),
    bundle('the fixture', Buffer.from(facts), Buffer.from(written(scenario))),
  ];
});
