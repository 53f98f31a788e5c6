import { join } from 'node:path';
import { k6Script } from '../../../src/export/k6/script.ts';
import type { PerOperation } from '../../../src/scenario/operations.ts';
import type { Scenario } from '../../../src/scenario/scenario.ts';
import { type Workload, workloadOf } from '../../../src/scenario/workload.ts';
import { fluxK6 } from '../../../src/systems/flux/k6/system.ts';
import { fluxScenario } from '../../../src/systems/flux/scenario.ts';

const root = join(import.meta.dirname, '../../..');
const bundler: { readonly k6Script: (root: string, system: string) => Promise<string> } = await import(
  join(root, 'bin/k6-scripts.js')
);
/** The bundle dist/flux-k6.js, built from the current modules. */
const fluxModules = await bundler.k6Script(root, 'flux');

export const fluxWorkloadOf = (scenario: Scenario): Workload => workloadOf(scenario, fluxScenario);

/** Operations that go in one request. */
export const perRequestOf = (scenario: Scenario): PerOperation<number> =>
  fluxK6.perRequest(fluxWorkloadOf(scenario));

/** The script for a scenario of the flux world. */
export const scriptOf = (
  scenario: Scenario,
  urls: readonly string[] = ['http://127.0.0.1:3001'],
  workload = fluxWorkloadOf(scenario),
): string => k6Script({ system: fluxK6, modules: fluxModules }, workload, scenario, urls);

type Modules = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/**
 * What a k6 script exports, to be called from a test: with what stands in for the k6 modules and for k6's globals, by
 * their names.
 */
export function partsOf<T>(source: string, { globals, modules }: Fakes): T {
  const exported: string[] = [];
  const plain = source
    .replaceAll(
      /^import (\w+) from "([^"]+)";$/gm,
      (_all, name, from) => `const ${name} = modules["${from}"].default;`,
    )
    .replaceAll(
      /^import \{([^}]*)\} from "([^"]+)";$/gm,
      (_all, names: string, from) => `const {${names.replaceAll(' as ', ': ')}} = modules["${from}"];`,
    )
    .replace(/^export \{([^}]*)\};$/m, (_all, names: string) => {
      exported.push(...names.split(',').map((name) => name.trim()));
      return '';
    });
  const body = `'use strict';\n${plain}\nreturn { ${exported.join(', ')} };`;
  return new Function('modules', ...Object.keys(globals), body)(modules, ...Object.values(globals)) as T;
}

/** A stand-in for a metric of k6 that keeps what was added. Metrics of one name are one metric, as in k6. */
export class FakeMetric {
  static readonly all = new Map<string, FakeMetric>();
  readonly values: number[] = [];
  /** Sums by bucket, which the tag `le` names. */
  readonly buckets = new Map<string, number>();

  constructor(name: string) {
    if (!/^[a-zA-Z_][a-zA-Z0-9_]{0,128}$/.test(name)) throw new Error(`k6 refuses the name ${name}`);
    const known = FakeMetric.all.get(name);
    // biome-ignore lint/correctness/noConstructorReturn: metrics of one name are one
    if (known !== undefined) return known;
    FakeMetric.all.set(name, this);
  }

  add(value: number | boolean, tags?: { readonly le: string }): void {
    this.values.push(Number(value));
    if (tags !== undefined) this.buckets.set(tags.le, (this.buckets.get(tags.le) ?? 0) + Number(value));
  }
}

export interface Fakes {
  readonly globals: Readonly<Record<string, unknown>>;
  readonly modules: Modules;
}

interface K6Parts {
  readonly exec?: Readonly<Record<string, unknown>>;
  readonly http?: object;
  readonly socket?: new (url: string) => object;
  readonly print?: (line: string) => void;
}

/** `env` is k6's __ENV; the rest stands in for parts of k6. */
export const fakes = (
  env: Readonly<Record<string, string>> = {},
  { exec = {}, http = {}, socket = Object, print = () => {} }: K6Parts = {},
): Fakes => ({
  globals: { __ENV: env, __VU: 0, console: { log: print } },
  modules: {
    'k6/execution': { default: exec },
    'k6/http': { default: http },
    'k6/metrics': { Counter: FakeMetric, Gauge: FakeMetric, Rate: FakeMetric, Trend: FakeMetric },
    'k6/websockets': { WebSocket: socket },
  },
});
