import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { disputesOf } from '../../src/audit/audit.ts';
import { readClaims } from '../../src/scenario/claims.ts';
import { NO_OVERRIDES, type Overrides } from '../../src/scenario/overrides.ts';
import { type Problem, ScenarioError } from '../../src/scenario/problem.ts';
import { readScenario } from '../../src/scenario/read-scenario.ts';
import { writeScenario } from '../../src/scenario/resolved.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { type Workload, workloadOf } from '../../src/scenario/workload.ts';
import { SYSTEMS } from '../../src/systems/registry.ts';

const root = join(import.meta.dirname, '..', '..');
export const claims = readClaims(readFileSync(join(root, 'fixtures', 'claims.json'), 'utf8'));
export const shipped = (name: string): string =>
  readFileSync(join(root, 'scenarios', `${name}.yaml`), 'utf8');

export const read = (text: string | Uint8Array, overrides: Partial<Overrides> = {}): Scenario =>
  readScenario(
    { file: 'x.yaml', bytes: typeof text === 'string' ? new TextEncoder().encode(text) : text },
    { systems: SYSTEMS, claims, disputesOf },
    { ...NO_OVERRIDES, ...overrides },
  );

/** The text of a scenario as a bundle contains it. */
export const written = (scenario: Scenario): string =>
  writeScenario(scenario, SYSTEMS.systemOf(scenario).scenario);

export const workload = (scenario: Scenario): Workload =>
  workloadOf(scenario, SYSTEMS.systemOf(scenario).scenario);

/** The rates of a scenario's operations, in their order. */
export const rates = ({ load }: Scenario): readonly number[] =>
  Object.values(load.operations).map(({ perSecond }) => perSecond);

/** The error with which a scenario is refused; fails if it is accepted. */
export function thrownBy(refuse: () => unknown): ScenarioError {
  try {
    refuse();
  } catch (thrown) {
    if (thrown instanceof ScenarioError) return thrown;
    throw thrown;
  }
  throw new Error('no problem was found');
}

/** The problems of a text; fails if it has none. */
export const problemsOf = (...of: Parameters<typeof read>): readonly Problem[] =>
  thrownBy(() => read(...of)).problems;

/** The smallest valid scenario, and what a test appends to it. */
export const minimal = (more = ''): string => `name: mine\nsystem: flux\nload:\n  players: 100\n${more}`;
