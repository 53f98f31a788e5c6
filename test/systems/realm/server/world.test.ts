import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { hashOf } from '../../../../src/hashed-numbers.ts';
import type { NumberRanges } from '../../../../src/number-ranges.ts';
import { isInSight, startOf } from '../../../../src/systems/realm/area.ts';
import { RelayConnection } from '../../../../src/systems/realm/relay-connection.ts';
import { signEvent, worldKey } from '../../../../src/systems/realm/signed-event.ts';
import { agentDraft } from '../../../../src/systems/realm/stored-agent.ts';
import { temporaryFolder } from '../../../temporary-folder.ts';
import { connectAgent, metricsOf, startRelay, startWorld, stateOf, storedAgents, TOKEN } from './worlds.ts';

/** These begin in sight of agent 0, and out of it. */
const [NEAR, FAR] = [3, 1];

async function openWorld(own: Parameters<typeof startWorld>[1] = {}) {
  const relay = await startRelay();
  const world = await startWorld(relay.url, own);
  await world.started;
  return { ...world, relay };
}

test('an agent is welcome at its start, sees who is near, and its moves are acknowledged by updates', async () => {
  expect(isInSight(startOf(0), startOf(NEAR))).toBe(true);
  expect(isInSight(startOf(0), startOf(FAR))).toBe(false);
  const { url } = await openWorld();
  const near = await connectAgent(url, NEAR);
  await connectAgent(url, FAR);
  const agent = await connectAgent(url, 0);
  expect(agent.welcome).toEqual({ type: 'welcome', world: 1, agent: 0, last: 0, ...startOf(0) });
  const { x, z } = startOf(NEAR);
  expect(agent.ofType('snapshot')).toEqual([{ type: 'snapshot', agents: [[NEAR, x, z]] }]);
  await near.found((all) => all.find((frame) => frame.type === 'update' && frame.agents[0]?.[0] === 0));

  expect(await agent.move(1.5, 2)).toBe('ok');
  const moved = await near.found((all) =>
    all.flatMap((frame) => (frame.type === 'update' ? frame.agents : [])).find(([, , , seq]) => seq === 1),
  );
  expect(moved).toEqual([0, 1.5, 2, 1]);
  expect(await stateOf(url)).toMatchObject({
    0: { numbers: [[1, 1]], seqHash: hashOf([[1, 1]]), x: 1.5, z: 2, moved: 1, chats: 0 },
    [NEAR]: { numbers: [], moved: 0, ...startOf(NEAR) },
  });
});

test('updates have what is in sight, say what is out of it, and are not sent where nothing changed', async () => {
  const { url } = await openWorld();
  const [watcher, walker] = [await connectAgent(url, 0), await connectAgent(url, 1)];
  await watcher.move(0, 0);
  await walker.move(90, 0);
  const seen = () =>
    watcher.ofType('update').flatMap(({ agents, gone }) => [...agents, ...gone.map((id) => ['gone', id])]);
  expect(seen()).toEqual([]);
  await walker.move(40, 0);
  await walker.move(40, 0.5);
  // The walker stands, and comes out of sight and into it as the watcher moves.
  await watcher.move(20, 0);
  await watcher.move(100, 100);
  await watcher.move(20, 0);
  const last = watcher.ofType('update').at(-1);
  expect(last?.acks).toEqual([4]);
  expect(seen()).toEqual([
    [1, 40, 0, 2],
    ['gone', 1],
    [1, 40, 0.5, 3],
    ['gone', 1],
    [1, 40, 0.5, 3],
  ]);
  // Nobody hears of somebody who left but those who saw it; and then there is silence.
  walker.close();
  await expect.poll(() => seen().at(-1)).toEqual(['gone', 1]);
  const { length } = watcher.frames;
  const updates = async () => (await metricsOf(url))('capbench_realm_updates_total');
  const before = await updates();
  await expect.poll(updates).toBeGreaterThan(before + 5);
  expect(watcher.frames.filter(({ type }) => type !== 'saved')).toHaveLength(
    watcher.frames.slice(0, length).filter(({ type }) => type !== 'saved').length,
  );
});

test('without interest everybody sees everybody', async () => {
  const { url } = await openWorld({ interest: 'off' });
  await connectAgent(url, FAR);
  const agent = await connectAgent(url, 0);
  expect(agent.ofType('snapshot')[0]?.agents.map(([id]) => id)).toEqual([FAR]);
});

test('chats and emotes reach every other agent once, however far it is, before they are acknowledged', async () => {
  const { url } = await openWorld();
  const agents = await Promise.all([0, 1, 2, 3, 4, 5].map((id) => connectAgent(url, id)));
  const answers = agents.flatMap((agent, id) => [agent.chat(`hello from ${id}`), agent.emote('wave')]);
  expect(await Promise.all(answers)).toEqual(answers.map(() => 'ok'));
  const expected = agents.flatMap((_, id) => [`${id} 1 hello from ${id}`, `${id} 2 wave`]);
  for (const [id, agent] of agents.entries()) {
    const heard = () =>
      agent.frames.flatMap((frame) => {
        if (frame.type === 'chat') return [`${frame.from} ${frame.seq} ${frame.text}`];
        return frame.type === 'emote' ? [`${frame.from} ${frame.seq} ${frame.emote}`] : [];
      });
    await expect.poll(() => heard().length).toBe(10);
    expect(heard().toSorted()).toEqual(expected.filter((line) => !line.startsWith(`${id} `)));
  }
  const metric = await metricsOf(url);
  expect(metric('capbench_realm_chats_total')).toBe(6);
  expect(metric('capbench_realm_emotes_total')).toBe(6);
  expect(metric('capbench_world_operations_total')).toBe(12);
  expect((await stateOf(url))[3]).toMatchObject({ chats: 1, numbers: [[1, 2]] });
});

test('lossy: some of what is acknowledged is heard by nobody', async () => {
  const { url } = await openWorld({ broadcast: 'lossy', commandsPerSecond: 10_000 });
  const [speaker, hearer] = [await connectAgent(url, 0), await connectAgent(url, 1)];
  const heard = (): number => hearer.ofType('chat').length;
  let said = 0;
  const began = performance.now();
  while (performance.now() - began < 30_000 && heard() === said) {
    expect(await speaker.chat('hello')).toBe('ok');
    said += 1;
    // A round trip of the hearer, after which it has heard everything before.
    expect(await hearer.emote('bow')).toBe('ok');
  }
  expect(heard()).toBe(said - 1);
});

test('a move outside is refused, one to a spot where another stands, and more than are allowed in a second', async () => {
  const { url } = await openWorld({ commandsPerSecond: 5 });
  const [agent, other] = [await connectAgent(url, 0), await connectAgent(url, 1)];
  await other.move(10, 10);
  expect(await agent.move(100.5, 0)).toBe('out_of_bounds');
  expect(await agent.move(0, -0.5)).toBe('out_of_bounds');
  expect(await agent.move(10, 10)).toBe('collision');
  const rest = await Promise.all([
    agent.move(100, 100),
    agent.chat('hello'),
    agent.emote('bow'),
    agent.move(0, 0),
  ]);
  expect(rest).toEqual(['ok', 'ok', 'rate_limited', 'rate_limited']);
  expect(other.ofType('emote')).toEqual([]);
  expect((await stateOf(url))[0]).toMatchObject({ numbers: [[1, 7]], x: 100, z: 100, moved: 4 });
  expect((await metricsOf(url))('capbench_realm_refused_total')).toBe(5);
  // Whoever leaves makes room.
  other.close();
  await expect.poll(() => agent.move(10, 10)).toBe('ok');
});

test('a command that the world has is acknowledged again, and nobody hears it twice', async () => {
  const { url } = await openWorld();
  const other = await connectAgent(url, 1);
  const before = await connectAgent(url, 0);
  await before.chat('hello');
  await before.move(3, 3);
  before.close();
  await before.closed;
  const agent = await connectAgent(url, 0);
  expect(agent.welcome).toMatchObject({ last: 2, x: 3, z: 3 });
  agent.sendWith(1, { type: 'chat', text: 'hello' });
  agent.sendWith(2, { type: 'move', x: 4, z: 4 });
  await agent.found((all) => all.find((frame) => frame.type === 'ack' && frame.seq === 1));
  await agent.found((all) => all.find((frame) => frame.type === 'update' && frame.acks.includes(2)));
  expect(await agent.emote('wave')).toBe('ok');
  await other.found((all) => all.find(({ type }) => type === 'emote'));
  expect(other.ofType('chat')).toHaveLength(1);
  expect((await stateOf(url))[0]).toMatchObject({ x: 3, z: 3, chats: 1, numbers: [[1, 3]] });
});

test('a second connection replaces the first; frames that are none close it; strangers do not come in', async () => {
  const { url } = await openWorld({ agents: 3 });
  const first = await connectAgent(url, 0);
  const second = await connectAgent(url, 0);
  expect(await first.closed).toBe(4001);
  expect(await second.move(1, 1)).toBe('ok');
  second.raw('{"type":"fly"}');
  expect(await second.closed).toBe(1007);
  await expect(connectAgent(url, 3)).rejects.toThrow('closed with 1006');
  const unauthorised = await fetch(`${url}/state`);
  expect(unauthorised.status).toBe(401);
});

test('whoever sends no frame of the protocol is out of the world at once, and nothing that follows is taken', async () => {
  const { url } = await openWorld();
  const [watcher, other] = [await connectAgent(url, 0), await connectAgent(url, NEAR)];
  await watcher.found((all) => all.find((frame) => frame.type === 'update' && frame.agents.length > 0));
  other.raw('hello');
  other.sendWith(1, { type: 'move', x: 1, z: 1 });
  await watcher.found((all) => all.find((frame) => frame.type === 'update' && frame.gone.includes(NEAR)));
  expect(await other.closed).toBe(1007);
  expect((await stateOf(url))[NEAR]).toMatchObject({ numbers: [], ...startOf(NEAR) });
  // The longest chat, each of its characters escaped.
  watcher.raw(`{"type":"chat","seq":1,"text":"${'\\u6f22'.repeat(280)}"}`);
  await watcher.found((all) => all.find((frame) => frame.type === 'ack'));
});

test('a client that does not answer pings is out of the world, one that does stays', async () => {
  const { url } = await openWorld({ keepAliveMillis: 50 });
  const watcher = await connectAgent(url, 0);
  const { x, z } = startOf(NEAR);
  const headers = { authorization: `Bearer ${TOKEN}` };
  const deaf = new WebSocket(`${url.replace('http', 'ws')}/play?agent=${NEAR}`, { headers, autoPong: false });
  onTestFinished(() => deaf.terminate());
  const closed = once(deaf, 'close');
  await watcher.found((all) =>
    all.find((frame) => frame.type === 'update' && frame.agents.some((one) => one[1] === x && one[2] === z)),
  );
  await watcher.found((all) => all.find((frame) => frame.type === 'update' && frame.gone.includes(NEAR)));
  expect((await closed)[0]).toBe(1006);
  expect(await watcher.emote('wave')).toBe('ok');
});

test('health has what the document gives', async () => {
  const { url } = await openWorld();
  await connectAgent(url, 0);
  (await connectAgent(url, 1)).close();
  const health = async () => (await fetch(`${url}/health`)).json();
  await expect.poll(health).toMatchObject({ connections: 1 });
  expect(await health()).toEqual({
    ...{ status: 'ok', world: 'realm', instance: 1, uptime: expect.any(Number) },
    ...{ agents: { active: 1, total: 2 }, connections: 1 },
    memory: { used: expect.stringMatching(/^\d+MB$/), heap: expect.stringMatching(/^\d+MB$/) },
  });
});

test('each connected agent thinks in every interval, and thoughts take the time that is set', async () => {
  const { url } = await openWorld({ thinkMillis: 100, thinkWork: 2_000 });
  await Promise.all([0, 1, 2].map((id) => connectAgent(url, id)));
  const metric = (name: string) => async () => (await metricsOf(url))(`capbench_realm_${name}_total`);
  const began = performance.now();
  const first = await metric('thinks')();
  await expect.poll(metric('thinks')).toBeGreaterThan(first + 8);
  const most = 3 * ((performance.now() - began) / 100 + 1);
  const facts = await metricsOf(url);
  const thoughts = facts('capbench_realm_thinks_total');
  expect(thoughts - first).toBeLessThanOrEqual(most);
  expect(facts('capbench_realm_think_seconds_total')).toBeGreaterThanOrEqual(thoughts * 0.002);
});

test('what the relay has is reported as saved once, and the next world goes on with it', async () => {
  const { url, relay, close } = await openWorld();
  const agent = await connectAgent(url, 0);
  await agent.move(1, 1);
  await expect.poll(agent.saved).toEqual([1]);
  expect(await agent.move(-1, 0)).toBe('out_of_bounds');
  await agent.chat('hello');
  await expect.poll(agent.saved).toEqual([1, 2, 3]);
  const kept = {
    numbers: [[1, 3]],
    seqHash: hashOf([[1, 3]]),
    x: 1,
    z: 1,
    moved: 1,
    chats: 1,
  };
  expect(await storedAgents(relay.url)).toEqual(new Map([[0, kept]]));
  await agent.emote('wave');
  await close();
  expect(await agent.closed).toBe(1001);
  // What was applied last is there, too.
  expect((await storedAgents(relay.url)).get(0)?.numbers).toEqual([[1, 4]]);

  const next = await startWorld(relay.url);
  await next.started;
  const again = await connectAgent(next.url, 0);
  expect(again.welcome).toMatchObject({ last: 4, x: 1, z: 1 });
  await expect.poll(again.saved).toEqual([1, 2, 3, 4]);
  await again.move(2, 2);
  await expect.poll(again.saved).toEqual([1, 2, 3, 4, 5]);
  expect((await storedAgents(relay.url)).get(0)).toMatchObject({
    numbers: [[1, 5]],
    x: 2,
    moved: 5,
  });
  // Another world of the same run has agents of its own.
  const other = await startWorld(relay.url, { instance: 2 });
  await other.started;
  expect((await connectAgent(other.url, 0)).welcome).toMatchObject({ last: 0, ...startOf(0) });
});

test('of several worlds, one goes on with what the relay has of an agent, whichever of them it was in', async () => {
  const { url, relay } = await openWorld({ worlds: 2 });
  const agent = await connectAgent(url, 0);
  await agent.move(1, 1);
  await agent.chat('hello');
  await expect.poll(agent.saved).toEqual([1, 2]);
  agent.close();

  const other = await startWorld(relay.url, { instance: 2, worlds: 2 });
  await other.started;
  const there = await connectAgent(other.url, 0);
  expect(there.welcome).toMatchObject({ last: 2, x: 1, z: 1 });
  await there.move(2, 1);
  await expect.poll(there.saved).toEqual([1, 2, 3]);
  // The first world has an older state of it.
  const back = await connectAgent(url, 0);
  expect(back.welcome).toMatchObject({ last: 3, x: 2, z: 1 });
  await back.move(3, 1);
  await expect.poll(back.saved).toEqual([1, 2, 3, 4]);
  expect((await stateOf(url))[0]).toMatchObject({ numbers: [[1, 4]], x: 3, moved: 4, chats: 1 });
  expect((await connectAgent(other.url, 7)).welcome).toMatchObject({ last: 0, ...startOf(7) });
});

test('of several worlds, one syncs an agent as it leaves: it may come into another', async () => {
  const { url, relay } = await openWorld({ worlds: 2, syncMillis: 60_000 });
  const agent = await connectAgent(url, 0);
  await agent.move(1, 1);
  expect(await storedAgents(relay.url)).toEqual(new Map());
  agent.close();
  await expect.poll(async () => (await storedAgents(relay.url)).get(0)?.numbers).toEqual([[1, 1]]);
});

test('an event that its world has not signed is no agent', async () => {
  const folder = temporaryFolder();
  const first = await startRelay(folder);
  const world = await startWorld(first.url);
  await world.started;
  const [agent, other] = [await connectAgent(world.url, 0), await connectAgent(world.url, 1)];
  await agent.move(1, 1);
  await other.move(2, 2);
  await world.close();
  await first.close();
  const file = join(folder, 'events.jsonl');
  const events = readFileSync(file, 'utf8');
  writeFileSync(file, events.replaceAll('\\"x\\":1,', '\\"x\\":99,'));
  expect(readFileSync(file, 'utf8')).not.toBe(events);

  const second = await startRelay(folder);
  const next = await startWorld(second.url);
  await next.started;
  expect((await connectAgent(next.url, 0)).welcome).toMatchObject({ last: 0, ...startOf(0) });
  expect((await connectAgent(next.url, 1)).welcome).toMatchObject({ last: 1, x: 2, z: 2 });
  expect(next.log).toContain("The relay's event of agent 0 is left out: the id is not the hash of the event");
});

test('of several worlds, none goes on with what somebody else says of an agent', async () => {
  const { url, relay } = await openWorld({ worlds: 2 });
  const numbers: NumberRanges = [[1, 9]];
  const state = { numbers, seqHash: hashOf(numbers), x: 99, z: 99, moved: 9, chats: 0 };
  const connection = await RelayConnection.open({ url: relay.url, token: TOKEN, limit: 5_000 });
  await connection.publish(signEvent(worldKey('another run', 1), agentDraft(0, 1_000, state)));
  connection.close();
  expect((await connectAgent(url, 0)).welcome).toMatchObject({ last: 0, ...startOf(0) });
});

test('without sync, what no relay has is reported as saved; without recovery a world has forgotten what the relay has', async () => {
  const claiming = await openWorld({ sync: 'off' });
  const agent = await connectAgent(claiming.url, 0);
  await agent.move(1, 1);
  await expect.poll(agent.saved).toEqual([1]);
  expect(await storedAgents(claiming.relay.url)).toEqual(new Map());

  const { url, relay, close } = await openWorld();
  const saved = await connectAgent(url, 0);
  await saved.move(1, 1);
  await expect.poll(saved.saved).toEqual([1]);
  await close();
  const forgetful = await startWorld(relay.url, { recover: 'off' });
  await forgetful.started;
  expect((await connectAgent(forgetful.url, 0)).welcome).toMatchObject({ last: 0 });
});

test('a world that starts without its relay lets nobody in before it has its agents', async () => {
  const relay = await startRelay();
  const { port } = new URL(relay.url);
  await relay.close();
  const world = await startWorld(`http://127.0.0.1:${port}`);
  await expect(connectAgent(world.url, 0)).rejects.toThrow('closed with 1006');
  expect((await fetch(`${world.url}/health`)).status).toBe(503);
  await expect.poll(() => world.log.some((line) => line.startsWith('relay connection failed'))).toBe(true);
  await world.close();
  await world.started;
  expect(TOKEN).not.toBe('');
});
