import { k6Script } from '../../../src/export/k6/script.ts';
import type { PerOperation } from '../../../src/scenario/operations.ts';
import type { Scenario } from '../../../src/scenario/scenario.ts';
import { type Workload, workloadOf } from '../../../src/scenario/workload.ts';
import { fluxK6 } from '../../../src/systems/flux/k6/system.ts';
import { fluxScenario } from '../../../src/systems/flux/scenario.ts';

export const fluxWorkloadOf = (scenario: Scenario): Workload => workloadOf(scenario, fluxScenario);

/** Operations that one sample stands for. */
export const perSampleOf = (scenario: Scenario): PerOperation<number> =>
  fluxK6.perSample(fluxWorkloadOf(scenario));

/** The script of a scenario of the flux world's. */
export const scriptOf = (scenario: Scenario, urls: readonly string[] = ['http://127.0.0.1:3001']): string =>
  k6Script(fluxK6, fluxWorkloadOf(scenario), scenario, urls);

/**
 * Declarations of a k6 script, to be called from a test: the script without its imports, with what stands in for the
 * k6 modules.
 */
export function partsOf<T>(
  source: string,
  names: readonly string[],
  modules: Readonly<Record<string, unknown>> = {},
): T {
  const plain = source.replaceAll(/^import .* from '.*';$/gm, '').replaceAll(/^export /gm, '');
  const body = `'use strict';\n${plain}\nreturn { ${names.join(', ')} };`;
  return new Function(...Object.keys(modules), body)(...Object.values(modules)) as T;
}

/** Stands in for a metric of k6's: what was added. */
export class FakeMetric {
  static readonly all = new Map<string, FakeMetric>();
  readonly values: unknown[] = [];

  constructor(name: string) {
    if (!/^[a-zA-Z_][a-zA-Z0-9_]{0,128}$/.test(name)) throw new Error(`k6 refuses the name ${name}`);
    FakeMetric.all.set(name, this);
  }

  add(value: unknown): void {
    this.values.push(value);
  }
}

export const fakeModules = (env: Readonly<Record<string, string>> = {}) => ({
  __ENV: env,
  exec: {},
  http: {},
  WebSocket: class {},
  Counter: FakeMetric,
  Gauge: FakeMetric,
  Rate: FakeMetric,
  Trend: FakeMetric,
});
