import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { settled } from '../counts.ts';
import { outside } from '../outside/start.ts';
import { processesIn } from '../stack/leftovers.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { CA_FILE } from '../tls-front.ts';
import { capbench, root, type Started, small } from './capbench.ts';
import { loadIsOn, processOf } from './faults/inside.ts';

const TLS = join(root, 'test', 'fixtures', 'tls');
const SERVER = ['--tls-cert', join(TLS, 'server.pem'), '--tls-key', join(TLS, 'server.key')];
const NOTHING = { processes: [], files: [] };

interface Agent {
  readonly address: string;
  readonly started: Started;
}

function tokenFile(): string {
  const file = join(temporaryFolder(), 'token');
  writeFileSync(file, 'a-token-of-the-tests');
  return file;
}

/** `capbench agent`, once it listens. */
const agent = (token: string, listen = '127.0.0.1', ...more: readonly string[]): Promise<Agent> =>
  agentBehind([], token, listen, ...more);

async function agentBehind(
  before: readonly string[],
  token: string,
  listen = '127.0.0.1',
  ...more: readonly string[]
): Promise<Agent> {
  const args = ['--listen', `${listen}:0`, '--token-file', token, '--allow', '127.0.0.1', ...more];
  const started = capbench(['agent', ...args], { before });
  await started.says(', for load against');
  const port = /:(\d+)/.exec(started.output())?.[1];
  return { address: `${listen}:${port}`, started };
}

const by = (agents: readonly Agent[], token: string): string[] => [
  ...['--agents', agents.map(({ address }) => address).join(), '--agent-token-file', token],
];

/** By Ctrl-C: it ends with 0, and leaves nothing. */
async function stop({ started }: Agent): Promise<void> {
  started.child.kill('SIGINT');
  await started.ends(0);
  expect(started.leftovers()).toEqual(NOTHING);
}

test('two agents carry a run to its verdict: the rows are what they sent, and the report names them', {
  timeout: 120_000,
}, async () => {
  const token = tokenFile();
  // One of them over TLS, by the name in its certificate.
  const [near, secure] = [await agent(token), await agent(token, 'localhost', ...SERVER)];
  expect(secure.started.output()).toContain('(TLS)');
  const run = capbench(['run', small, ...by([near, secure], token), '--agent-ca', CA_FILE]);
  // With a CA the first one would have to speak TLS, too.
  expect((await run.ends(93)).stderr).toContain(`the agent ${near.address} cannot be reached`);
  await stop(near);

  const both = [secure, await agent(token, 'localhost', ...SERVER)];
  const good = capbench(['run', small, ...by(both, token), '--agent-ca', CA_FILE]);
  const { stdout } = await good.ends(0);
  const report = good.report();
  expect(report.generator.agents).toMatchObject(
    both.map(({ address }) => ({ address, workers: 1, onThisHost: true })),
  );
  expect(report.load.colocated).toBe(true);
  for (const of of Object.values(report.load.wholeRun)) {
    expect(settled(of)).toBe(of.scheduled);
    expect(of.ok).toBeGreaterThan(0);
    expect(of.failed + of.unfinished).toBe(0);
  }
  expect(report.integrity).toMatchObject({ lost: 0, phantom: 0, duplicated: 0 });
  expect(report.rules.find(({ id }) => id === 'agent-clocks')).toMatchObject({
    state: 'held',
    limit: 10_000,
  });
  expect(report.notes.join()).toContain(
    `the load came from ${both[0]!.address} (1 load process on this machine`,
  );
  expect(JSON.stringify([report, good.measurements()]) + stdout).not.toContain('a-token-of-the-tests');
  expect(good.leftovers()).toEqual(NOTHING);
  for (const each of both) await stop(each);
});

/** A clock of its own, as another machine has: 5,000 s ahead. */
const OTHER_CLOCK = ['unshare', '--time', '--monotonic', '5000', '--fork', '--kill-child'];
const [command = '', ...options] = OTHER_CLOCK;

test.skipIf(spawnSync(command, [...options, 'true']).status !== 0)(
  'GO is translated to the clock of an agent: one that is 5,000 s ahead begins with the others',
  { timeout: 120_000 },
  async () => {
    const token = tokenFile();
    const [ahead, plain] = [await agentBehind(OTHER_CLOCK, token), await agent(token)];
    const run = capbench(['run', small, ...by([ahead, plain], token)]);
    await run.ends(0);
    const { generator, load } = run.report();
    const [first, second] = generator.agents ?? [];
    expect(Math.abs((first?.clockOffsetMs ?? 0) - 5e6)).toBeLessThanOrEqual(
      (first?.roundTripMs ?? 0) / 2 + 0.001,
    );
    expect(Math.abs(second?.clockOffsetMs ?? 5e6)).toBeLessThanOrEqual(
      (second?.roundTripMs ?? 0) / 2 + 0.001,
    );
    // 120 a second for 3 s after a second of ramp and warm-up: by a wrong clock nothing was due, or all at once and too late.
    for (const of of Object.values(load.wholeRun)) {
      expect(settled(of)).toBe(of.scheduled);
      expect(of.failed + of.unfinished).toBe(0);
    }
    expect(load.operations.intent?.scheduled).toBeGreaterThan(300);
    // The command before it hands no signal on.
    const own = processesIn(ahead.started.tmp).find(({ command }) =>
      command.startsWith(`${process.execPath} ${root}`),
    );
    if (own === undefined) throw new Error('the agent is not there any more');
    process.kill(own.pid, 'SIGINT');
    await ahead.started.finished;
    expect(ahead.started.leftovers()).toEqual(NOTHING);
    await stop(plain);
  },
);

test('an agent that is killed in the run is named: 93, and nothing of either is left', {
  timeout: 120_000,
}, async () => {
  const token = tokenFile();
  const agents = [await agent(token), await agent(token)];
  const [kept, killed] = agents as [Agent, Agent];
  const run = capbench(['run', small, '--duration', '30s', ...by(agents, token)]);
  await loadIsOn(run);
  expect(processOf(killed.started, 'fleet-worker')).toBeGreaterThan(0);
  killed.started.child.kill('SIGKILL');
  const { stderr } = await run.ends(93);
  expect(stderr).toContain(`the agent ${killed.address} was lost`);
  expect(run.leftovers()).toEqual(NOTHING);
  // Its watchdog ends the load processes.
  await expect.poll(() => killed.started.leftovers(), { timeout: 30_000 }).toEqual(NOTHING);
  await expect.poll(() => kept.started.output()).toContain('has ended');
  await stop(kept);
});

test('Ctrl-C drains the run, and leaves nothing at the agents', { timeout: 120_000 }, async () => {
  const token = tokenFile();
  const one = await agent(token);
  const run = capbench(['run', small, '--duration', '30s', ...by([one], token)]);
  await loadIsOn(run);
  expect(one.started.output()).toContain('a run from 127.0.0.1 begins');
  run.child.kill('SIGINT');
  await run.ends(105);
  expect(run.leftovers()).toEqual(NOTHING);
  for (const of of Object.values(run.report().load.wholeRun)) expect(settled(of)).toBe(of.scheduled);
  await one.started.says('has ended');
  const again = capbench(['run', small, '--duration', '1s', ...by([one], token)]);
  await again.ends(0);
  await stop(one);
});

test('players with code: only the file that the agent was started with', { timeout: 120_000 }, async () => {
  const token = tokenFile();
  const server = await outside('quiz');
  const module = join(root, 'fixtures', 'players', 'quiz.mjs');
  const other = join(temporaryFolder(), 'quiz.mjs');
  writeFileSync(other, `${readFileSync(module, 'utf8')}\n// another one\n`);
  const play = (one: Agent): Started =>
    capbench([
      ...['run', join(root, 'fixtures', 'players', 'quiz.yaml'), '--allow-module', '--target', server.url],
      ...[
        '--set',
        'calibration={seconds: 0, canary: false}',
        '--set',
        'load.duration=2s',
        ...by([one], token),
      ],
    ]);
  const [without, different] = [await agent(token), await agent(token, '127.0.0.1', '--file', other)];
  for (const one of [without, different]) {
    const { stderr } = await play(one).ends(93);
    expect(stderr).toContain('the agent was not started with');
    expect(stderr).toContain('--file');
  }
  const right = await agent(token, '127.0.0.1', '--file', module);
  const run = play(right);
  await run.ends(0, 90, 99);
  const { load, generator } = run.report();
  expect(generator.agents).toHaveLength(1);
  expect(load.peakCcu).toBeGreaterThan(0);
  const all = Object.values(load.wholeRun);
  expect(all.reduce((sum, { ok }) => sum + ok, 0)).toBeGreaterThan(0);
  for (const of of all) expect(settled(of)).toBe(of.scheduled);
  for (const each of [without, different, right]) await stop(each);
});
