import { type NeededProgram, programFinder } from '../doctor/needed-program.ts';
import type { Host } from '../host.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { loadClaims, loadShipped, shippedScenarios } from './scenario-files.ts';

/** A scenario that comes with capbench, and the programs that its stack needs. */
export interface ShippedScenario {
  readonly name: string;
  readonly path: string;
  readonly scenario: Scenario;
  readonly needs: readonly NeededProgram[];
}

/** In the order of their names. */
export async function readShipped(host: Host): Promise<readonly ShippedScenario[]> {
  const claims = await loadClaims(host);
  const { systemOf } = await host.systems();
  const neededBy = programFinder(host.env);
  const shipped: ShippedScenario[] = [];
  for (const [name, path] of await shippedScenarios(host)) {
    const scenario = await loadShipped(host, path, claims);
    const { components, packages } = systemOf(scenario).scenario;
    shipped.push({ name, path, scenario, needs: await neededBy(components(scenario), scenario, packages) });
  }
  return shipped;
}
