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
const isWorker = ({ command }: { readonly command: string }): boolean => command.includes('fleet-worker');

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

/** A clock of its own, as another machine has: 5,000 s ahead. */
const OTHER_CLOCK = ['unshare', '--time', '--monotonic', '5000', '--fork', '--kill-child'];
const [unshare = '', ...options] = OTHER_CLOCK;
const hasOtherClock = spawnSync(unshare, [...options, 'true']).status === 0;

test('two agents carry a run to its verdict, over TLS: the rows are what they sent, the report names them, and GO is told to each by its own clock', {
  timeout: 120_000,
}, async () => {
  const token = tokenFile();
  // By the name in its certificate.
  const [ahead, plain] = await Promise.all([
    agentBehind(hasOtherClock ? OTHER_CLOCK : [], token, 'localhost', ...SERVER),
    agent(token, 'localhost', ...SERVER),
  ]);
  expect(plain.started.output()).toContain('(TLS)');
  const both = [ahead, plain];
  const good = capbench(['run', small, ...by(both, token), '--agent-ca', CA_FILE]);
  const { stdout } = await good.ends(0);
  const { generator, load, integrity, rules, notes } = good.report();
  expect(generator.agents).toMatchObject(
    both.map(({ address }) => ({ address, workers: 1, onThisHost: true })),
  );
  const aheadMs = [hasOtherClock ? 5e6 : 0, 0];
  for (const [i, { clockOffsetMs, roundTripMs }] of (generator.agents ?? []).entries())
    expect(Math.abs(clockOffsetMs - aheadMs[i]!)).toBeLessThanOrEqual(roundTripMs / 2 + 0.001);
  expect(load.colocated).toBe(true);
  // 120 a second for 3 s after a second of ramp and warm-up: by a wrong clock nothing was due, or all at once and too late.
  for (const of of Object.values(load.wholeRun)) {
    expect(settled(of)).toBe(of.scheduled);
    expect(of.ok).toBeGreaterThan(0);
    expect(of.failed + of.unfinished).toBe(0);
  }
  expect(load.operations.intent?.scheduled).toBeGreaterThan(300);
  expect(integrity).toMatchObject({ lost: 0, phantom: 0, duplicated: 0 });
  expect(rules.find(({ id }) => id === 'agent-clocks')).toMatchObject({ state: 'held', limit: 10_000 });
  expect(notes.join()).toContain(`the load came from ${ahead.address} (1 load process on this machine`);
  expect(JSON.stringify([good.report(), good.measurements()]) + stdout).not.toContain('a-token-of-the-tests');
  expect(good.leftovers()).toEqual(NOTHING);
  // The command before it hands no signal on.
  const own = processesIn(ahead.started.tmp).find((one) =>
    one.command.startsWith(`${process.execPath} ${root}`),
  );
  if (own === undefined) throw new Error('the agent is not there any more');
  process.kill(own.pid, 'SIGINT');
  await ahead.started.finished;
  expect(ahead.started.leftovers()).toEqual(NOTHING);
  await stop(plain);
});

test('Ctrl-C drains the run, and leaves nothing at the agents; of the next run one is killed, and named: 93', {
  timeout: 120_000,
}, async () => {
  const token = tokenFile();
  const [kept, killed] = await Promise.all([agent(token), agent(token)]);
  const begin = async (): Promise<Started> => {
    const run = capbench(['run', small, '--duration', '30s', ...by([kept, killed], token)]);
    await loadIsOn(run);
    return run;
  };
  const stopped = await begin();
  expect(kept.started.output()).toContain('a run from 127.0.0.1 begins');
  stopped.child.kill('SIGINT');
  await stopped.ends(105);
  expect(stopped.leftovers()).toEqual(NOTHING);
  for (const of of Object.values(stopped.report().load.wholeRun)) expect(settled(of)).toBe(of.scheduled);
  for (const one of [kept, killed]) {
    await one.started.says('has ended');
    expect(processesIn(one.started.tmp).filter(isWorker)).toEqual([]);
  }

  const run = await begin();
  expect(processOf(killed.started, 'fleet-worker')).toBeGreaterThan(0);
  killed.started.child.kill('SIGKILL');
  const { stderr } = await run.ends(93);
  expect(stderr).toContain(`the agent ${killed.address} was lost`);
  expect(run.report().rules.find(({ id }) => id === 'run-completed')?.observed).toBe('generatorFailed');
  expect(run.leftovers()).toEqual(NOTHING);
  // Its watchdog ends the load processes.
  await expect.poll(() => killed.started.leftovers(), { timeout: 30_000 }).toEqual(NOTHING);
  await expect.poll(() => processesIn(kept.started.tmp).filter(isWorker)).toEqual([]);
  await stop(kept);
});

test('players with code: only the file that the agent was started with', { timeout: 120_000 }, async () => {
  const token = tokenFile();
  const server = await outside('quiz');
  const module = join(root, 'fixtures', 'players', 'quiz.mjs');
  const other = join(temporaryFolder(), 'quiz.mjs');
  writeFileSync(other, `${readFileSync(module, 'utf8')}\n// another one\n`);
  const play = (...agents: readonly Agent[]): Started =>
    capbench([
      ...['run', join(root, 'fixtures', 'players', 'quiz.yaml'), '--allow-module', '--target', server.url],
      ...[
        '--set',
        'calibration={seconds: 0, canary: false}',
        '--set',
        'load.ramp=0s',
        '--set',
        'load.warmUp=0s',
      ],
      ...['--set', 'load.duration=2s', ...by(agents, token)],
    ]);
  const [right, different] = await Promise.all([
    agent(token, '127.0.0.1', '--file', module),
    agent(token, '127.0.0.1', '--file', other),
  ]);
  const { stderr } = await play(right, different).ends(93);
  expect(stderr).toContain('the agent was not started with');
  expect(stderr).toContain('--file');
  const run = play(right);
  await run.ends(0, 90, 99);
  const { load, generator } = run.report();
  expect(generator.agents).toHaveLength(1);
  expect(load.peakCcu).toBeGreaterThan(0);
  const all = Object.values(load.wholeRun);
  expect(all.reduce((sum, { ok }) => sum + ok, 0)).toBeGreaterThan(0);
  for (const of of all) expect(settled(of)).toBe(of.scheduled);
  for (const each of [different, right]) await stop(each);
});
