import { DEFAULT_RULES } from '../../src/scenario/rules.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { micros, seconds } from '../../src/units.ts';

/** A small world of two servers, for a stack that is to be started in a second. */
export function scenarioOf(
  settings: Readonly<Record<string, string>>,
  changed: Partial<Pick<Scenario, 'deviations' | 'world' | 'postgres'>> = {},
): Scenario {
  return {
    name: 'small',
    description: 'two world servers and little in them',
    system: 'flux',
    seed: 1,
    scale: 1,
    altered: [],
    load: {
      players: 20,
      intentsPerSecond: 20,
      monsters: 30,
      monsterCommandsPerSecond: 0,
      commandsPerPost: 200,
      connectsPerSecond: 100,
      outstanding: 4,
      skipAfter: seconds(1),
      timeout: seconds(5),
      ramp: seconds(0),
      warmUp: seconds(0),
      duration: seconds(1),
      drain: seconds(1),
    },
    world: {
      servers: 2,
      playersPerPlace: 2,
      batchOperations: 1663,
      batchInterval: micros(10_000),
      rowShape: 'columns',
      heapMegabytes: 128,
    },
    postgres: { version: 16, settings: { shared_buffers: '32MB', ...settings } },
    deviations: [],
    ceilings: { secondsEach: 0, rows: 0 },
    calibration: { seconds: 0, factor: 1.5 },
    faults: [],
    rules: DEFAULT_RULES,
    budgets: [],
    ...changed,
  };
}
