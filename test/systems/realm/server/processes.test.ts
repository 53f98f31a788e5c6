import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../../temporary-folder.ts';
import { connectAgent, metricsOf, startBundle, stateOf, storedAgents } from './worlds.ts';

/** The built processes, killed and stopped for real. */
const startRelayProcess = (folder: string, port = '0') =>
  startBundle('realm-relay', { FOLDER: folder, PORT: port });
const startWorldProcess = (relay: string, own: Readonly<Record<string, string>> = {}) =>
  startBundle('realm-server', {
    RELAY_URL: relay,
    AGENTS: '50',
    UPDATE_MS: '20',
    SYNC_MS: '100',
    COMMANDS_PER_SECOND: '1000',
    ...own,
  });

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
    [0, 1, 2].map((agent) => ({ type: 'welcome', world: 1, agent, last: 5, x: 10 * agent + 4, z: 50 })),
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

test('a world that is killed while all of its agents act loses the last of what no saved had reported', async () => {
  const relay = await startRelayProcess(temporaryFolder());
  const world = await startWorldProcess(relay.url);
  const ids = [0, 1, 2, 3, 4, 5];
  const agents = await Promise.all(ids.map((id) => connectAgent(world.url, id)));
  // Each at a row of its own, until its connection is lost.
  const acting = agents.map(async (agent, id): Promise<string> => {
    for (let i = 1; ; i++) {
      const answer = await agent.move(i % 100, 10 * id).catch(String);
      if (answer !== 'ok') return answer;
    }
  });
  for (const agent of agents) await expect.poll(() => agent.saved().length).toBeGreaterThan(10);
  await world.end('SIGKILL');
  expect(await Promise.all(acting)).toEqual(ids.map(() => 'Error: closed with 1006'));
  const next = await startWorldProcess(relay.url);
  const state = await stateOf(next.url);
  for (const [id, agent] of agents.entries()) {
    const last = (await connectAgent(next.url, id)).welcome?.last ?? 0;
    expect(state[id]?.numbers).toEqual([[1, last]]);
    expect(last).toBeGreaterThanOrEqual(Math.max(...agent.saved()));
    // Reported in order, without a gap, each once.
    expect(agent.saved()).toEqual(agent.saved().map((_, i) => i + 1));
    expect(state[id]).toMatchObject({ x: last % 100, z: 10 * id, moved: last });
  }
});
