import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { dealWorlds, fluxWorlds } from '../../../src/systems/flux/deal.ts';
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

test('players connect to the edge proxy, each from an address of its own, and commands go to the server', async () => {
  const server = createServer((_, response) => response.end(JSON.stringify(health))).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const headers = { authorization: 'Bearer of-the-run' };
  const dealt = (addresses: Readonly<Record<string, string>>) =>
    dealWorlds(
      { worlds: [{ url, pid: null, headers }], database: null, addresses },
      workloadWith({ players: 20, monsters: 30 }),
      new AbortController().signal,
    );
  const ranges = { players: { from: 0, to: 20 }, monsters: { from: 0, to: 30 } };
  expect(await dealt({})).toEqual([{ url, headers, ...ranges }]);
  const edge = 'https://127.0.0.1:9';
  expect(await dealt({ edge, edgeCa: 'a certificate' })).toEqual([
    { url: edge, ca: 'a certificate', headers, ...ranges, sources: 'per-group', commands: { url, headers } },
  ]);
});
