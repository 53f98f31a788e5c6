import { expect, test } from 'vitest';
import type { FleetWorld } from '../../../src/load/fleet/messages.ts';
import type { Scenario } from '../../../src/scenario/scenario.ts';
import type { Workload } from '../../../src/scenario/workload.ts';
import { openSources } from '../../../src/systems/flux/worker.ts';
import { fluxWorkload } from '../../../src/systems/flux/workload.ts';
import { micros } from '../../../src/units.ts';
import { plannedHash } from '../../load/planned-hash.ts';
import { read, shipped, workload } from '../../scenario/scenario-text.ts';

/** As the world's servers own the monsters. */
const worldsOf = ({ world }: Scenario, { own }: Workload): FleetWorld[] =>
  Array.from({ length: world.servers }, (_, server) => {
    const bound = (n: number): number => Math.floor((n * fluxWorkload({ own }).monsters) / world.servers);
    const monsters = { from: bound(server), to: bound(server + 1) };
    return { url: 'http://127.0.0.1:9', players: { from: 0, to: 0 }, monsters };
  });

/** Seconds of the schedule, or all of it. */
const SCENARIOS: readonly [name: string, seconds: number | null, hash: string][] = [
  ['quickstart', null, '7e9e4b8cdfe44a62'],
  ['m4pro-20k', 6, 'c9225f04bf96597b'],
  ['storm', null, '203c1f233422e1fd'],
];

test.each(SCENARIOS)('the schedule of %s has not changed', async (name, seconds, expected) => {
  const scenario = read(shipped(name));
  const whole = workload(scenario);
  const { timeline } = whole;
  const planned = {
    ...whole,
    timeline: { ...timeline, end: seconds === null ? timeline.end : micros(seconds * 1e6) },
  };
  for (const workers of [1, 2, 4])
    expect(await plannedHash(planned, workers, openSources, worldsOf(scenario, whole))).toBe(expected);
});
