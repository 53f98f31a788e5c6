import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { platform } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { stablePort } from '../../src/supervision/stable-port.ts';
import { settled } from '../counts.ts';
import { type Outside, outside, redis } from '../outside/start.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { capbench, root, type Started } from './capbench.ts';

/** Wide limits, since tests run beside others, and assert counts and never speed. */
const LIMITS = {
  ...{ generatorLoopDelayMs: 60_000, generatorStalledPercent: 100, generatorUtilisationPercent: 100 },
  ...{ generatorLagMs: 60_000, steadyThroughputPercent: 1000, steadyP95Percent: 1000, confidencePercent: 0 },
  ...{ sentPercent: 50, stealMeanPercent: 100, stealMaxPercent: 100, memoryPressurePercent: 100 },
  ...{ foreignCpuPercent: 100, clockDriftMs: 3_600_000 },
};

/** Settings of a run without a phase that is not measured. */
const ANY_MACHINE = [
  ...Object.entries(LIMITS).map(([rule, limit]) => `rules.${rule}=${limit}`),
  ...['calibration={seconds: 0, canary: false}', 'load.ramp=0s', 'load.warmUp=0s'],
  ...['load.timeout=6s', 'load.skipAfter=6s'],
];

const flagsOf = (settings: readonly string[]): string[] => settings.flatMap((setting) => ['--set', setting]);

/** A run of a scenario of fixtures/players against what is outside. */
function play(name: string, servers: readonly Outside[], ...more: readonly string[]): Started {
  const settings = [...ANY_MACHINE, 'load.duration=3s', 'load.drain=20s', ...more];
  return capbench([
    ...['run', join(root, 'fixtures', 'players', `${name}.yaml`), '--allow-module'],
    ...servers.flatMap(({ url }) => ['--target', url]),
    ...(platform() === 'linux'
      ? servers.flatMap(({ pid }, n) => ['--probe-process', `server-${n}=${pid}`])
      : []),
    ...flagsOf(settings),
  ]);
}

/** Sets the limits of a scenario's budgets on speed so that they are met. */
const anySpeed = (...ids: readonly string[]): string[] => ids.map((id) => `budgets.${id}.limit=60000`);

interface Kind {
  readonly scheduled: number;
  readonly ok: number;
  readonly rejected: number;
  readonly idle: number;
}

/** What became of each kind. */
function kindsOf(run: Started): Readonly<Record<string, Kind | undefined>> {
  const { load, network, rules, target, probes } = run.report();
  for (const { scheduled, failed, ...of } of Object.values(load.wholeRun)) {
    expect(settled({ failed, ...of })).toBe(scheduled);
    expect(failed).toBe(0);
  }
  expect(network.disconnects).toBe(0);
  expect(network.bytesPerPlayerSecondIn).toBeGreaterThan(0);
  expect(network.bytesPerPlayerSecondOut).toBeGreaterThan(0);
  expect(run.measurements()).toMatchObject({
    strayAnswers: 0,
    stackKind: 'target',
    ending: { state: 'completed' },
  });
  expect(run.leftovers()).toEqual({ processes: [], files: [] });
  const states = new Map(rules.map(({ id, state }) => [id, state]));
  expect(states.get('integrity')).toBe('not-applicable');
  expect(states.get('row-writes-agree')).toBe('not-applicable');
  if (platform() === 'linux') {
    // Nobody was disconnected, so that the kernel has seen it all; what is on its way at the two readings aside.
    const { seenPercent, disagreePercentIn, disagreePercentOut } = network.kernel;
    expect([seenPercent, (disagreePercentIn ?? 100) < 10, (disagreePercentOut ?? 100) < 10]).toEqual([
      100,
      true,
      true,
    ]);
    expect(states.get('foreign-cpu')).toBe('held');
    expect(target.process['server-0']).toMatchObject({ processes: { min: 1, max: 1 } });
    expect(target.process['server-0']?.cpuPercentOfCore.mean).toBeGreaterThan(0);
    expect(probes.map(({ name }) => name)).toContain('process-server-0');
  }
  return load.wholeRun;
}

test('a realm that loses what happens in one of five ticks with a chat: the lost deliveries are those that it did not send', async () => {
  const [losing, whole] = await Promise.all([outside('realm', { LOSE_PERCENT: '20' }), outside('realm')]);
  const speed = [
    ...anySpeed('move-p95', 'heard-p95'),
    // What a busy machine answers late is not lost.
    ...['load.operations.chat.perSecond=60', 'load.timeout=20s', 'load.drain=25s'],
  ];
  const runs = [play('realm', [losing], ...speed), play('realm', [whole], ...speed)] as const;
  await Promise.all([runs[0].ends(99), runs[1].ends(0)]);

  for (const [index, server] of [losing, whole].entries()) {
    const run = runs[index]!;
    const { chat, move } = kindsOf(run);
    const seen = await server.counts();
    expect(seen.realm_chats).toBe(chat?.ok);
    expect(seen.realm_commands).toBe((chat?.ok ?? 0) + (move?.ok ?? 0) + (move?.rejected ?? 0) + 20);
    expect(seen.realm_rejected).toBe(move?.rejected);
    expect(move?.rejected).toBeGreaterThan(0);
    const { delivery } = run.report();
    expect(delivery).toMatchObject({
      expected: (chat?.ok ?? 0) * 20,
      delivered: seen.realm_receipts,
      lost: seen.realm_lost_receipts,
      ...{ duplicated: 0, excused: 0, unexpected: 0 },
    });
  }
  expect(runs[0].report().delivery?.lost).toBeGreaterThan(0);
  expect(runs[1].report().delivery?.lost).toBe(0);
});

test('a mud of two instances: what one says is heard at the other, and not where the instances do not publish', async () => {
  const at = await redis();
  const instances = async (env: Readonly<Record<string, string>>): Promise<Outside[]> =>
    Promise.all([0, 1].map(() => outside('mud', { REDIS_URL: at, ...env })));
  const [joined, apart] = await Promise.all([instances({}), instances({ PUBLISH: 'local' })]);
  const speed = anySpeed('look-p95', 'heard-p95');
  const runs = [play('mud', joined, ...speed), play('mud', apart, ...speed)] as const;
  await Promise.all([runs[0].ends(0), runs[1].ends(99)]);

  for (const [index, servers] of [joined, apart].entries()) {
    const run = runs[index]!;
    const { look, say } = kindsOf(run);
    const seen = await Promise.all(servers.map((server) => server.counts()));
    const sum = (name: string): number => seen.reduce((all, counts) => all + (counts[name] ?? 0), 0);
    expect(seen.map(({ mud_logins }) => mud_logins)).toEqual([20, 20]);
    // Each of them went to its room.
    expect(sum('mud_commands')).toBe((look?.ok ?? 0) + (say?.ok ?? 0) + 40);
    expect(sum('mud_published')).toBe(say?.ok);
    // 40 players in five rooms: seven others, four of whom are at the other instance.
    const expected = (say?.ok ?? 0) * 7;
    const lost = index === 0 ? 0 : (say?.ok ?? 0) * 4;
    expect(run.report().delivery).toMatchObject({
      ...{ expected, delivered: expected - lost, lost },
      ...{ duplicated: 0, excused: 0, unexpected: 0 },
    });
    expect(sum('mud_room_messages')).toBe(expected - lost);
  }
});

test('a quiz for two: pairs, kinds that the game allows now and then, and kinds that follow from an answer', async () => {
  const server = await outside('quiz', { QUESTIONS: '3' });
  const speed = anySpeed('create-p95', 'join-p95', 'answer-p95', 'match-p95');
  const run = play('quiz', [server], ...speed);
  await run.ends(0);
  const { create, join, ready, answer } = kindsOf(run);
  const seen = await server.counts();
  expect(seen).toMatchObject({
    quiz_created: create?.ok,
    quiz_joined: join?.ok,
    quiz_ready: ready?.ok,
    quiz_answers: answer?.ok,
    quiz_errors: 0,
  });
  // Of the pairs only those that are between two matches may create one, and nobody answers before a question.
  expect(create?.idle).toBeGreaterThan(0);
  expect(answer?.idle).toBeGreaterThan(0);
  expect(seen.quiz_completed).toBeGreaterThan(0);
  expect(run.report().player?.match?.count).toBeGreaterThan(0);
});

test('a Colyseus room: players that do not decode its state, and two that do', async () => {
  const server = await outside('massless');
  const fewer = ['load.players=40', 'budgets.connected.limit=40', 'budgets.in-sight.limit=40'];
  const run = play(
    'massless',
    [server],
    ...fewer,
    'load.operations.input.perSecond=80',
    ...anySpeed('input-p95'),
  );
  await run.ends(0);
  const { input } = kindsOf(run);
  const { player } = run.report();
  const inputs = input?.ok;
  await expect.poll(server.counts).toMatchObject({ zone_joined: 40, zone_left: 40, zone_inputs: inputs });
  expect(player?.inSight?.max).toBe(40);
});

test('a target that refuses connections: 93', async () => {
  const realm = join(root, 'fixtures', 'players', 'realm.yaml');
  const { stderr } = await capbench(['run', realm, '--allow-module', '--target', 'http://127.0.0.1:1']).ends(
    93,
  );
  expect(stderr).toContain('connection refused at http://127.0.0.1:1');
});

/** The files of a story of README.md, and its commands, with a port that nobody listens on in place of 8080. */
async function filesOf(story: string): Promise<{ folder: string; url: string; commands: string[][] }> {
  const folder = temporaryFolder();
  const port = String(await stablePort('127.0.0.1'));
  for (const [, body = ''] of story.replaceAll('8080', port).matchAll(/^```(?:js|yaml|csv)\n(.*?)^```$/gms))
    writeFileSync(join(folder, /^(?:\/\/|#) (\w+\.\w+)/.exec(body)?.[1] ?? 'users.csv'), body);
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const commands = [...story.replaceAll('8080', port).matchAll(/^ {4}npx capbench (.+)$/gm)].map(
    ([, rest = '']) => [...rest.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? ''),
  );
  return { folder, url: `http://127.0.0.1:${port}/`, commands };
}

/** Starts its server, until the test is over. */
async function serving(folder: string, url: string): Promise<void> {
  const server = spawn(process.execPath, [join(folder, 'server.mjs')], { stdio: 'ignore' });
  const ended = once(server, 'exit');
  onTestFinished(async () => {
    server.kill();
    await ended;
  });
  const answers = (): Promise<boolean> =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
  await expect.poll(answers).toBe(true);
}

test('the commands of README.md about a server of one’s own, as they stand there: verdicts', async () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const from = readme.indexOf('## Your own server in five minutes');
  const story = readme.slice(from, readme.indexOf('\n## ', from));
  const flags = ['--duration', '2s', ...flagsOf([...ANY_MACHINE, ...anySpeed('look-p95', 'say-p95')])];
  const follow = async (verb: string, option: string): Promise<Started | null> => {
    const { folder, url, commands } = await filesOf(story);
    const words = commands.find((each) => each[0] === verb && each.includes(option)) ?? [];
    if (words.includes('--probe-process') && platform() !== 'linux') return null;
    if (words.includes('--target')) await serving(folder, url);
    const run = capbench([...words, ...(verb === 'run' ? flags : [])], { cwd: folder });
    await run.ends(0);
    return run;
  };
  const [, ...runs] = await Promise.all([
    follow('check', './chat.yaml'),
    follow('run', '--allow-start'),
    follow('run', '--allow-module'),
    follow('run', '--target'),
  ]);
  for (const run of runs.filter((each) => each !== null)) {
    const { look, say } = run.report().load.wholeRun as Readonly<Record<string, Kind | undefined>>;
    for (const kind of [look, say]) expect(kind).toMatchObject({ ok: kind?.scheduled, rejected: 0 });
    expect(run.leftovers()).toEqual({ processes: [], files: [] });
  }
  const said = runs[1]?.report().load.wholeRun.say?.ok ?? 0;
  expect(said).toBeGreaterThan(0);
  expect(runs[1]?.report().delivery).toMatchObject({ expected: said * 49, delivered: said * 49 });
  if (runs[2] !== null) expect(runs[2]?.report().target.process.chat).toBeDefined();
});
