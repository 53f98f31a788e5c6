import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { type AgentPlan, type OpenAgent, openAgent } from '../../../src/load/agent/agent.ts';
import { type AgentAccess, type AgentAddress, RemoteAgent } from '../../../src/load/agent/remote-agent.ts';
import { planAgents } from '../../../src/load/agent/share.ts';
import { encode } from '../../../src/load/agent/wire.ts';
import { endingOf } from '../../../src/run/steps.ts';
import { settled } from '../../counts.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { CA_FILE } from '../../tls-front.ts';
import { workloadWith } from '../a-workload.ts';
import { failureOf, isAlive, load, prepare, run, serve, theWatchdog } from '../engine-room.ts';

const TOKEN = 'a-token-of-the-tests';
const VERSION = '9.9.9';

async function agent(over: Partial<AgentPlan> = {}): Promise<OpenAgent & { readonly said: string[] }> {
  const said: string[] = [];
  const opened = await openAgent({
    ...{ host: '127.0.0.1', port: 0, tls: null, token: TOKEN, version: VERSION, files: [] },
    ...{ allowed: ['127.0.0.1'], watchdog: theWatchdog(), say: (line) => said.push(line) },
    ...over,
  });
  onTestFinished(() => opened.close());
  return { ...opened, said };
}

const addressOf = ({ port }: OpenAgent): AgentAddress => ({
  ...{ host: '127.0.0.1', port, shown: `127.0.0.1:${port}`, tls: false },
});
const accessTo = (agents: readonly OpenAgent[], over: Partial<AgentAccess> = {}): AgentAccess => ({
  ...{ agents: agents.map(addressOf), token: TOKEN, ca: null, version: VERSION },
  ...over,
});

/** How it ends a run: what makes the load failed, and not what is under it. */
const BY_GENERATOR = { state: 'stackFailed', of: 'generator' };

test('two agents make the load of one host: the same schedule, every operation once, and no process is left', async () => {
  const workload = workloadWith({ players: 40, duration: 2 });
  const agents = [await agent(), await agent()];
  const { servers, endpoints } = await serve(workload, {}, 2);
  const fleet = await prepare(workload, endpoints, { workers: 2, agents: accessTo(agents) });
  expect(fleet.connect).toMatchObject({ connected: 40, failed: 0 });
  expect(fleet.workerPids).toHaveLength(4);
  expect(fleet.workerPids.every(isAlive)).toBe(true);
  const { tally, seconds } = await run(fleet);
  const { intent, monsterCommand } = tally.operations;
  for (const { whole } of [intent, monsterCommand]) {
    expect(settled(whole)).toBe(whole.scheduled);
    expect(whole.ok).toBe(whole.scheduled);
  }
  const received = servers.flatMap((server) => [...server.received.values()]);
  expect(received.reduce((sum, numbers) => sum + numbers.length, 0)).toBe(
    intent.whole.ok + monsterCommand.whole.ok,
  );
  expect(seconds.reduce((sum, second) => sum + second.operations.intent.ok, 0)).toBe(intent.whole.ok);
  expect(seconds[0]?.workers.map((worker) => worker?.pid)).toEqual(fleet.workerPids);
  expect(tally.agents).toHaveLength(2);
  for (const [i, facts] of (tally.agents ?? []).entries()) {
    expect(facts).toMatchObject({ address: addressOf(agents[i]!).shown, workers: 2, onThisHost: true });
    // One machine has one clock.
    expect(Math.abs(facts.clockOffsetMs)).toBeLessThanOrEqual(facts.roundTripMs / 2 + 0.001);
    expect(Math.abs(facts.driftMs ?? Number.NaN)).toBeLessThanOrEqual(facts.roundTripMs + 0.001);
    expect(facts.clockUncertaintyMs).toBeGreaterThan(0);
  }
  await fleet.close();
  expect(fleet.workerPids.filter(isAlive)).toEqual([]);
  expect(fleet.closingErrors).toEqual([]);

  const here = await load(workload, {}, { instances: 2, workers: 2 });
  expect(tally.scheduleHash).toBe(here.tally.scheduleHash);
  expect(here.tally.agents).toBeUndefined();
});

test('an agent serves one run after another, and nobody else meanwhile', async () => {
  const workload = workloadWith({ players: 4, duration: 1, postRate: 0 });
  const one = await agent();
  const { endpoints } = await serve(workload);
  const first = await prepare(workload, endpoints, { workers: 1, agents: accessTo([one]) });
  const busy = await failureOf(prepare(workload, endpoints, { workers: 1, agents: accessTo([one]) }));
  expect(busy).toMatchObject({ exitCode: 93 });
  expect(busy.message).toContain(`the agent ${addressOf(one).shown}: it serves another run`);
  expect((await run(first)).tally.operations.intent.whole.scheduled).toBeGreaterThan(0);
  await first.close();
  const second = await prepare(workload, endpoints, { workers: 1, agents: accessTo([one]) });
  expect(second.connect.connected).toBe(4);
  await second.close();
  expect([...first.workerPids, ...second.workerPids].filter(isAlive)).toEqual([]);
});

test.each<
  [what: string, plan: Partial<AgentPlan>, access: Partial<AgentAccess>, message: string, hint: string]
>([
  ['a wrong token', {}, { token: 'a-token-of-somebody' }, 'the token is wrong', '--token-file'],
  [
    'another version',
    { version: '9.9.8' },
    {},
    'it is capbench 9.9.8, and the run is of 9.9.9',
    'the same version',
  ],
  [
    'a target that was not allowed',
    { allowed: ['10.0.0.4'] },
    {},
    'is not allowed at this agent',
    '--allow 127.0.0.1',
  ],
])('%s is refused: 93, by name', async (_what, plan, access, message, hint) => {
  const workload = workloadWith({ players: 4, postRate: 0 });
  const [good, bad] = [await agent(), await agent(plan)];
  const { servers, endpoints } = await serve(workload);
  const given = access.token === undefined ? [good, bad] : [bad];
  const error = await failureOf(
    prepare(workload, endpoints, { workers: 1, agents: accessTo(given, access) }),
  );
  expect(error).toMatchObject({ exitCode: 93 });
  expect(error.message).toContain(message);
  expect(error.hint).toContain(hint);
  expect(endingOf(error, 'connect')).toMatchObject(BY_GENERATOR);
  expect(JSON.stringify([error.message, bad.said])).not.toContain('somebody');
  // Of the agent that lets the run in, players may be connected before the other one refuses its target.
  expect(servers[0]?.sources.get('127.0.0.1') ?? 0).toBeLessThanOrEqual(plan.allowed === undefined ? 0 : 2);
});

test('an agent that ends during the run is named: 93, and the processes of the others end, too', async () => {
  const workload = workloadWith({ players: 20, duration: 30 });
  const agents = [await agent(), await agent()];
  const { endpoints } = await serve(workload);
  const fleet = await prepare(workload, endpoints, { workers: 1, agents: accessTo(agents) });
  const running = failureOf(run(fleet));
  await sleep(500);
  await agents[1]!.close();
  const error = await running;
  expect(error).toMatchObject({ exitCode: 93 });
  expect(error.message).toContain(`the agent ${addressOf(agents[1]!).shown} was lost`);
  expect(endingOf(error, 'measure')).toMatchObject(BY_GENERATOR);
  await fleet.close();
  expect(fleet.workerPids.filter(isAlive)).toEqual([]);
});

test('an agent of this host is refused where the stack has CPUs of its own, as another machine', async () => {
  const one = await agent();
  const workload = workloadWith({ players: 4, postRate: 0 });
  const { endpoints } = await serve(workload);
  const otherCpus = { cpus: [1], besideBox: true, confine: async () => {} };
  const error = await failureOf(
    prepare(workload, { ...endpoints, otherCpus }, { workers: 1, agents: accessTo([one]) }),
  );
  expect(error.message).toContain(`the agent ${addressOf(one).shown} is on this host`);
  expect(endingOf(error, 'connect')).toMatchObject(BY_GENERATOR);
});

test('a load process that is killed at an agent is named with it', async () => {
  const workload = workloadWith({ players: 20, duration: 30 });
  const one = await agent();
  const { endpoints } = await serve(workload);
  const fleet = await prepare(workload, endpoints, { workers: 2, agents: accessTo([one]) });
  const running = failureOf(run(fleet));
  const [, pid = 0] = fleet.workerPids;
  process.kill(pid, 'SIGKILL');
  const error = await running;
  expect(error).toMatchObject({ exitCode: 93 });
  expect(error.message).toContain(
    `load worker 1 (process ${pid} of the agent ${addressOf(one).shown}) ended during the run: killed by SIGKILL`,
  );
});

test('when the run is gone, an agent ends its processes, and serves the next one', async () => {
  const one = await agent();
  const { signal } = new AbortController();
  const remote = await RemoteAgent.connect(addressOf(one), accessTo([one]), signal);
  const worker = await remote.start(0, 'fleet-0', join(temporaryFolder(), 'fleet-0.log'), null);
  expect(isAlive(worker.pid)).toBe(true);
  // All that an agent sees of a run that was killed.
  remote.close();
  await worker.exited;
  await expect.poll(() => isAlive(worker.pid)).toBe(false);
  const next = await RemoteAgent.connect(addressOf(one), accessTo([one]), signal);
  await next.compareClocks();
  expect(next.facts()).toMatchObject({ workers: 0, driftMs: null });
  next.close();
});

test.each([
  ['says nothing that an agent knows', { kind: 'open' }],
  ['does not say who it is', { kind: 'start', worker: 0, marked: false }],
  ['asks for the time first', { kind: 'time', ask: 1 }],
])('a peer that %s is dropped', async (_what, message) => {
  const one = await agent();
  const socket = connect(one.port, '127.0.0.1');
  let answered = '';
  socket.on('data', (chunk: Buffer) => {
    answered += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.write(encode(message));
  await new Promise((resolve) => socket.once('close', resolve));
  expect(answered).toBe('');
});

test('there is no agent, or something else: 93', async () => {
  const workload = workloadWith({ players: 4, postRate: 0 });
  const { servers, endpoints } = await serve(workload);
  const gone = await agent();
  await gone.close();
  const none = await failureOf(prepare(workload, endpoints, { agents: accessTo([gone]) }));
  expect(none).toMatchObject({ exitCode: 93 });
  expect(none.message).toContain(`the agent ${addressOf(gone).shown} cannot be reached`);
  // With a CA each agent has to speak TLS.
  const bare = await agent();
  const overTls = { agents: [{ ...addressOf(bare), tls: true }], ca: readFileSync(CA_FILE, 'utf8') };
  const refused = await failureOf(prepare(workload, endpoints, { agents: accessTo([], overTls) }));
  expect(refused).toMatchObject({ exitCode: 93 });
  expect(refused.message).toContain(`the agent ${addressOf(bare).shown} cannot be reached`);
  expect(refused.hint).toContain('--agent-ca');
  const port = Number(new URL(servers[0]?.url ?? '').port);
  const other = await failureOf(prepare(workload, endpoints, { agents: accessTo([{ ...gone, port }]) }));
  expect(other).toMatchObject({ exitCode: 93 });
});

test('each agent has the same number of load processes, and has to hold its part', () => {
  const limits = { descriptors: 1_000, ports: { from: 32_768, to: 60_999 }, loopbackAliases: true, cpus: 2 };
  const world = { host: '10.0.0.4', port: 80, players: 3_000, descriptors: null };
  expect(planAgents([world], null, [limits, { ...limits, cpus: 16 }])).toMatchObject({
    workers: 16,
    sources: [],
  });
  expect(planAgents([world], 2, [limits, limits])).toMatchObject({ workers: 4 });
  // 1,500 players on one of 228 descriptors, of which 128 are reserved.
  expect(planAgents([world], null, [limits, { ...limits, descriptors: 228 }])).toMatchObject({ workers: 30 });
  expect(() => planAgents([world], 1, [limits, limits])).toThrow(
    '1 load workers would hold 1500 connections each',
  );
  expect(() =>
    planAgents([{ ...world, players: 70_000 }], 64, [{ ...limits, descriptors: 9_000 }, limits]),
  ).toThrow('more source ports than available');
});
