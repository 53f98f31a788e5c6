import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../../temporary-folder.ts';
import { connectAgent, metricsOf, startBundle, stateOf, storedAgents } from './worlds.ts';

/** The built processes, killed and stopped for real. */
const startRelayProcess = (folder: string, port = '0') =>
  startBundle('realm-relay', { FOLDER: folder, PORT: port });
const startWorldProcess = (relay: string, own: Readonly<Record<string, string>> = {}) =>
  startBundle('realm-server', { RELAY_URL: relay, AGENTS: '50', UPDATE_MS: '20', SYNC_MS: '100', ...own });

test('a killed world goes on with what it reported as saved', async () => {
  const relay = await startRelayProcess(temporaryFolder());
  const world = await startWorldProcess(relay.url);
  const agents = await Promise.all([0, 1, 2].map((id) => connectAgent(world.url, id)));
  for (const [id, agent] of agents.entries()) for (let i = 0; i < 5; i++) await agent.move(10 * id + i, 50);
  for (const agent of agents) await expect.poll(agent.saved).toEqual([1, 2, 3, 4, 5]);
  await world.end('SIGKILL');
  const next = await startWorldProcess(relay.url);
  const after = await Promise.all([0, 1, 2].map((id) => connectAgent(next.url, id)));
  expect(after.map(({ welcome }) => welcome)).toEqual(
    [0, 1, 2].map((agent) => ({ type: 'welcome', agent, last: 5, x: 10 * agent + 4, z: 50 })),
  );
});

test('a world that is asked to end has synced what it acknowledged', async () => {
  const relay = await startRelayProcess(temporaryFolder());
  const world = await startWorldProcess(relay.url, { SYNC_MS: '600000' });
  const agent = await connectAgent(world.url, 0);
  await agent.move(1, 1);
  await agent.chat('hello');
  expect(agent.saved()).toEqual([]);
  expect(await world.end('SIGTERM')).toBe(0);
  expect((await storedAgents(relay.url)).get(0)?.numbers).toEqual([[1, 2]]);
});

test('a killed relay has what it said OK to, and the world brings the rest to the next one', async () => {
  const folder = temporaryFolder();
  const relay = await startRelayProcess(folder);
  const world = await startWorldProcess(relay.url);
  const agent = await connectAgent(world.url, 0);
  await agent.move(1, 1);
  await expect.poll(agent.saved).toEqual([1]);
  await relay.end('SIGKILL');
  // The world goes on.
  await agent.move(2, 2);
  await agent.chat('hello');
  await expect.poll(world.log).toContain('relay connection failed');
  expect(agent.saved()).toEqual([1]);
  expect((await metricsOf(world.url))('capbench_realm_unsynced_agents')).toBe(1);
  const next = await startRelayProcess(folder, relay.port);
  await expect.poll(agent.saved).toEqual([1, 2, 3]);
  expect(await storedAgents(next.url)).toEqual(new Map([[0, (await stateOf(world.url))[0]]]));
  expect((await metricsOf(world.url))('capbench_realm_sync_failures_total')).toBeGreaterThan(0);
});

test('while the relay is stopped the world goes on, one batch waits, and nothing is reported as saved', async () => {
  const relay = await startRelayProcess(temporaryFolder());
  const world = await startWorldProcess(relay.url);
  const agent = await connectAgent(world.url, 0);
  await agent.move(1, 1);
  await expect.poll(agent.saved).toEqual([1]);
  relay.signal('SIGSTOP');
  const signed = async () => (await metricsOf(world.url))('capbench_realm_signed_events_total');
  for (let i = 2; i <= 10; i++) expect(await agent.move(i, i)).toBe('ok');
  await expect.poll(signed).toBe(2);
  // Several intervals in which another batch could begin.
  await sleep(500);
  await agent.move(50, 50);
  expect(await signed()).toBe(2);
  expect(agent.saved()).toEqual([1]);
  relay.signal('SIGCONT');
  await expect.poll(agent.saved).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(await signed()).toBe(3);
});
