import { expect, test } from 'vitest';
import { fluxWorlds } from '../../../src/systems/flux/deal.ts';
import type { WorldHealth } from '../../../src/systems/flux/health.ts';
import { workloadWith } from '../../load/a-workload.ts';

const health: WorldHealth = {
  status: 'ok',
  world: 'flux',
  protocol: 1,
  instance: 1,
  instances: 1,
  playersTotal: 20,
  monstersTotal: 30,
  players: { from: 0, to: 20 },
  monsters: { from: 20, to: 50 },
  rowShape: 'columns',
};
const known = [{ endpoint: { url: 'http://127.0.0.1:1', pid: null }, health }];

test("the fleet of the workload's world is accepted, that of another is refused with 93", () => {
  expect(fluxWorlds(known, workloadWith({ players: 20, monsters: 30 }))).toHaveLength(1);
  expect(() => fluxWorlds(known, workloadWith({ players: 21, monsters: 30 }))).toThrow(
    expect.objectContaining({
      exitCode: 93,
      message: expect.stringContaining("20 players and 30 monsters, expected the scenario's 21 and 30"),
    }),
  );
});
