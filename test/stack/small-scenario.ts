import { limitsOf } from '../../src/scenario/component-limits.ts';
import type { Fault, Scenario } from '../../src/scenario/scenario.ts';
import type { ComponentSpec } from '../../src/stack/component-spec.ts';
import { type LocalStackOptions, openLocalStack } from '../../src/stack/local.ts';
import { serverSettings } from '../../src/stack/settings.ts';
import type { Stack } from '../../src/stack/stack.ts';
import { flux } from '../../src/systems/flux/system.ts';
import { seconds } from '../../src/units.ts';
import { read } from '../scenario/scenario-text.ts';

const SMALL = `
name: small
description: two world servers and little in them
system: flux
load:
  { players: 20, intentsPerSecond: 20, monsters: 30, connectsPerSecond: 100, outstanding: 4, skipAfter: 1s, timeout: 5s,
    ramp: 0s, warmUp: 0s, duration: 1s, drain: 1s }
world: { servers: 2, playersPerPlace: 2, heap: 128MB }
postgres: { version: 16 }
ceilings: { secondsEach: 0 }
calibration: { seconds: 0, canary: false }
budgets: []
`;

/** A small world of two servers, whose stack starts in a second. */
export function scenarioOf(
  settings: Readonly<Record<string, string>>,
  changed: Partial<Pick<Scenario, 'deviations' | 'world' | 'postgres' | 'faults'>> = {},
): Scenario {
  const scenario = read(SMALL);
  return {
    ...scenario,
    postgres: { ...scenario.postgres, settings: { shared_buffers: '32MB', ...settings } },
    ...changed,
  };
}

const settingsOf = (scenario: Scenario) => [
  ...serverSettings(scenario.world, Number.parseInt(process.versions.node, 10)),
  ...(flux.settings?.(scenario) ?? []),
];

/** With such a fault in the scenario, the stack restarts its components. */
export const KILL: Fault = {
  ...{ action: 'kill', of: 'postgres', at: seconds(0), phase: 'measure' },
  ...{ lasting: seconds(1), sharePercent: 100, times: 1, every: seconds(10) },
};

/** The failures of a stack so far. */
export const failureOf = (stack: Stack) =>
  Promise.race([stack.failure, new Promise<null>((resolve) => setTimeout(resolve, 50, null))]);

export const never = new AbortController().signal;

/** Of the suite's PostgreSQL, whose cluster is copied; its real `initdb` costs a second of CPU. */
const { CAPBENCH_TEST_POSTGRES_BIN: bin } = process.env;
const COPIED: NodeJS.ProcessEnv = bin === undefined ? {} : { CAPBENCH_POSTGRES_BIN: bin };

const componentsOf = (scenario: Scenario): readonly ComponentSpec[] =>
  (flux.components?.(scenario) ?? []).map((spec) => ({ ...spec, limits: limitsOf(scenario, spec.name) }));

/** The stack of such a scenario, as a run starts it. */
export const openSmallStack = (
  scenario: Scenario,
  options: Pick<LocalStackOptions, 'watchdog'> & Partial<LocalStackOptions>,
): Promise<Stack> =>
  openLocalStack(componentsOf(scenario), {
    ...{
      signal: never,
      env: COPIED,
      token: '',
      password: 'of-these-tests-alone',
      mayRestart: scenario.faults.length > 0,
    },
    ...{ settings: settingsOf(scenario), deviations: scenario.deviations },
    ...options,
  });
