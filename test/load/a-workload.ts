import type { Workload } from '../../src/scenario/workload.ts';
import { seconds } from '../../src/units.ts';

/** A workload of whole seconds; what matters to a test is given. */
export function workloadWith(
  given: Partial<Omit<Workload, 'timeline'>> & {
    readonly ramp?: number;
    readonly warmUp?: number;
    readonly duration?: number;
  } = {},
): Workload {
  const { ramp = 0, warmUp = 0, duration = 2, ...rest } = given;
  return {
    seed: 7,
    timeline: {
      rampEnd: seconds(ramp),
      measureStart: seconds(ramp + warmUp),
      end: seconds(ramp + warmUp + duration),
    },
    players: 20,
    intentRate: 5,
    monsters: 60,
    commandsPerPost: 10,
    postRate: 20,
    outstanding: 4,
    skipAfter: seconds(1),
    timeout: seconds(10),
    drain: seconds(5),
    connectsPerSecond: 1000,
    reconnect: false,
    ...rest,
  };
}
