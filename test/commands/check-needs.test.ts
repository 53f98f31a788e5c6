import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { type MemoryHost, memoryHost } from '../memory-host.ts';

const folder = mkdtempSync(join(tmpdir(), 'check-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function cli(
  argv: readonly string[],
  over: Parameters<typeof memoryHost>[1] = {},
): Promise<MemoryHost> {
  const host = memoryHost(argv, { cwd: folder, ...over });
  await main(host);
  return host;
}

const http = 'players: { protocol: http, requests: [{ path: / }] }\n';
const module = 'players: { module: ./player.mjs }\n';
writeFileSync(join(folder, 'player.mjs'), '');

interface Need {
  readonly state: string;
  readonly cause: string | null;
  readonly options: readonly string[];
  readonly reason: string | null;
}

/** The need that `check --json` reports for one budget on this metric. */
async function needOf(
  budget: string,
  argv: readonly string[] = [],
  more = '',
): Promise<Need & { invalid: boolean }> {
  const text = `name: mine\nsystem: flux\nload: { players: 10, monsters: 100, monsterCommandsPerSecond: ${more.includes('players') ? 0 : 10} }\n${more}budgets:\n  - { id: gate, ${budget} }\n`;
  writeFileSync(join(folder, 'mine.yaml'), text);
  const host = await cli(['check', 'mine.yaml', '--json', ...argv]);
  expect(host.ended(), host.out()).toBe(0);
  const { needs, invalid } = JSON.parse(host.out());
  expect(needs).toHaveLength(1);
  return { ...needs[0], invalid: invalid.includes('gate') };
}

const op = "op: '>=', limit: 0";
const lost = "metric: integrity.lost, op: '=', limit: 0, unit: ops";
const tick = `metric: target.metrics.tick_seconds, stat: p95, ${op}, unit: ms`;
const used = `metric: target.process.api.cpuPercentOfCore, stat: mean, ${op}, unit: '%'`;
const watched = (name: string) => ['--probe-process', `${name}=:8080`];
const memory = `metric: perPlayer.memoryBytes, stat: slope, ${op}, unit: bytes`;
const numbers = [
  '--set',
  `load.stages=[${[10, 8, 6].map((n) => `{ name: s${n}, lasting: 5s, players: ${n} }`)}]`,
];
const redis = `metric: redis.evictedKeys, ${op}, unit: keys`;
const fast = 'metric: latency.intent.due, stat: p95, op: <, limit: 100, unit: ms';
const target = ['--target', 'http://127.0.0.1:8080'];
const page = ['--probe-metrics', 'http://127.0.0.1:8080/metrics'];
const database = ['--probe-postgres', 'postgresql://reader@127.0.0.1/world'];

describe('check reports what each budget needs', () => {
  test.each<[what: string, budget: string, argv: readonly string[], more: string, expected: Partial<Need>]>([
    ['the own stack tells it', lost, [], '', { state: 'measured', reason: null }],
    ['only a target has it', tick, [], '', { options: ['--target', '--probe-metrics'] }],
    ['only a target has Redis', redis, [], '', { options: ['--target', '--probe-redis'] }],
    ['a target without the probe', tick, target, '', { options: ['--probe-metrics'] }],
    [
      'a target with it',
      tick,
      [...target, ...page],
      '',
      { state: 'measured', reason: 'where a page has it' },
    ],
    ['a process of a target', used, [], '', { options: ['--target', '--probe-process api=:PORT'] }],
    ['another process', used, [...target, ...watched('db')], '', { options: ['--probe-process api=:PORT'] }],
    ['that process', used, [...target, ...watched('api')], '', { state: 'measured', reason: null }],
    ['one player more', memory, [], '', { state: 'unmeasured', cause: 'run', options: [] }],
    ['one player more, with numbers of players', memory, numbers, '', { state: 'measured' }],
    ['of a target', memory, [...target, ...numbers], http, { options: ['--probe-process NAME=:PORT'] }],
    [
      'of a target’s process',
      memory,
      [...target, ...numbers, ...watched('api')],
      http,
      { state: 'measured' },
    ],
    ['a target’s rows', lost, target, '', { options: ['--probe-postgres'] }],
    ['a target’s rows, given', lost, [...target, ...database], '', { state: 'measured' }],
    ['players that need a target', fast, [], http, { options: ['--target'] }],
    ['players that have one', fast, target, http, { state: 'measured' }],
    ['players that need it, and a probe', tick, [], http, { options: ['--target', '--probe-metrics'] }],
    [
      'the servers of somebody else',
      `metric: world.loopDelayMs, stat: max, ${op}, unit: ms`,
      target,
      http,
      { reason: 'its servers report no metrics' },
    ],
    [
      'of a module nobody knows yet',
      `metric: world.loopDelayMs, stat: max, ${op}, unit: ms`,
      target,
      module,
      { state: 'measured', reason: 'where the target is a flux world' },
    ],
    [
      'the ceilings of a target',
      `metric: ceilings.insertsPerSecond, ${op}, unit: rows/s`,
      target,
      '',
      { state: 'unmeasured' },
    ],
    [
      'settings of a target',
      "metric: stack.applied.fsync, op: is, limit: 'on'",
      target,
      '',
      { state: 'unmeasured' },
    ],
    [
      'ceilings left out',
      `metric: ceilings.insertsPerSecond, ${op}, unit: rows/s`,
      [],
      'ceilings: { secondsEach: 0 }\n',
      { reason: expect.stringContaining('ceilings.secondsEach is 0') },
    ],
    [
      'a calibration left out',
      `metric: generator.calibration.dueP99Ms, ${op}, unit: ms`,
      [],
      'calibration: { seconds: 0 }\n',
      { reason: expect.stringContaining('calibration.seconds is 0') },
    ],
    [
      'a setting that is there',
      "metric: stack.applied.fsync, op: is, limit: 'on'",
      [],
      'postgres: { settings: { fsync: on } }\n',
      { state: 'measured' },
    ],
    [
      'a setting that is mistyped',
      "metric: stack.applied.fsnc, op: is, limit: 'on'",
      [],
      'postgres: { settings: { fsync: on } }\n',
      { reason: 'the stack has no setting fsnc; did you mean fsync?' },
    ],
    [
      'statements that nobody counts',
      `metric: database.statementMeanMs, ${op}, unit: ms`,
      [],
      '',
      { reason: expect.stringContaining('pg_stat_statements') },
    ],
    [
      'load that never comes',
      `metric: latency.intent.due, stat: p95, ${op}, unit: ms`,
      ['--set', 'load.intentsPerSecond=0'],
      '',
      { reason: expect.stringContaining('load.operations.intent.perSecond is 0') },
    ],
    [
      'nobody comes back',
      `metric: network.reconnectMs, stat: p95, ${op}, unit: ms`,
      [],
      '',
      { reason: expect.stringContaining('no player reconnects') },
    ],
    [
      'the CPU of others beside a target',
      `metric: host.foreignCpuPercent, ${op}, unit: '%'`,
      target,
      '',
      { state: 'measured', reason: 'where all of the target is on this host' },
    ],
  ])('%s', async (_what, budget, argv, more, expected) => {
    const { invalid, ...need } = await needOf(budget, argv, more);
    expect(need).toMatchObject(expected);
    const isMeasured = expected.state === 'measured';
    expect([need.state, need.cause]).toEqual(isMeasured ? ['measured', null] : ['unmeasured', 'run']);
    // Without a target, those players cannot run at all.
    expect(invalid).toBe(!isMeasured && String(expected.options) !== '--target');
    expect((await needOf(`${budget}, optional: true`, argv, more)).invalid).toBe(false);
  });

  test('a budget that is not ruled at another load, or not reported by the platform, does not make the run invalid', async () => {
    const ccu = "metric: load.peakCcu, op: '>=', limit: 10, unit: players, fullLoad: true";
    expect(await needOf(ccu, ['--scale', '0.5'])).toMatchObject({ cause: 'scenario', invalid: false });
    expect(await needOf(ccu)).toMatchObject({ state: 'measured' });
    const { machine } = memoryHost([]);
    const host = memoryHost(['check', 'mine.yaml', '--json'], { cwd: folder });
    await needOf(`metric: host.stealPercent, ${op}, unit: '%'`);
    await main({ ...host, machine: { ...machine, platform: 'darwin' } });
    const { needs, invalid } = JSON.parse(host.out());
    expect(needs[0]).toMatchObject({ state: 'unmeasured', cause: 'platform' });
    expect(invalid).toEqual([]);
  });

  test('the output for a reader', async () => {
    await needOf(tick, [], http);
    const { out, ended } = await cli(['check', 'mine.yaml', ...target]);
    expect(out()).toMatch(
      /^ {2}gate {2}>= 0 ms {2}target\.metrics\.tick_seconds p95 {2}needs --probe-metrics\n/m,
    );
    expect(out()).toContain('these budgets would have no figure, so the run would be invalid (90): gate\n');
    expect(ended()).toBe(0);
    const shipped = await cli(['check', 'm4pro-20k']);
    expect(shipped.out()).toMatch(/^ {2}FLX-151 .+ latency\.intent\.due p95\n {6}measured /m);
    expect(shipped.out()).toMatch(/^ {4}untestable: /m);
    expect(shipped.out()).not.toContain('would be invalid');
  });

  test.each([
    [['--target', 'http://203.0.113.5:1'], {}, '--i-own 203.0.113.5'],
    [[...page], {}, '--probe-metrics is given without --target'],
    [[], { CAPBENCH_PROBE_REDIS: 'redis://127.0.0.1' }, 'CAPBENCH_PROBE_REDIS is given without --target'],
    [[...target, '--probe-redis', 'http://127.0.0.1'], {}, 'redis'],
  ])('%j is refused as run refuses it', async (argv, env, message) => {
    await needOf(fast);
    const host = await cli(['check', 'mine.yaml', ...argv], { env });
    expect(host.err()).toContain(message);
    expect(host.ended()).toBe(104);
  });

  test('faults on the processes of a target are refused, too', async () => {
    await needOf(fast, [], 'faults: [{ action: kill, of: postgres, at: 1s }]\n');
    expect((await cli(['check', 'mine.yaml'])).ended()).toBe(0);
    const host = await cli(['check', 'mine.yaml', ...target]);
    expect(host.err()).toContain('faults: kill of postgres needs a stack that capbench starts');
    expect(host.ended()).toBe(104);
  });
});

test('check says what watched metrics need', async () => {
  writeFileSync(
    join(folder, 'watch.yaml'),
    'name: mine\nsystem: flux\nload: { players: 10 }\nwatch: [queue]\n',
  );
  for (const [argv, needed] of [
    [[], 'needs --target and --probe-metrics'],
    [target, 'needs --probe-metrics'],
    [[...target, ...page], 'where a page has it'],
  ] as const) {
    const host = await cli(['check', 'watch.yaml', ...argv]);
    expect(host.ended(), host.out()).toBe(0);
    expect(host.out()).toMatch(new RegExp(`WATCHED\\n +queue +${needed}`));
  }
  const { watch } = JSON.parse((await cli(['check', 'watch.yaml', '--json', ...target])).out());
  expect(watch).toEqual([
    { metric: 'queue', state: 'unmeasured', cause: 'run', options: ['--probe-metrics'], reason: null },
  ]);
});

test('deliveries and figures of the players need a module', async () => {
  const heard = `metric: delivery.lost, ${op}, unit: deliveries`;
  const queue = `metric: player.queue, stat: p95, ${op}, unit: ms`;
  for (const budget of [heard, queue]) {
    expect(await needOf(budget, target, http)).toMatchObject({
      ...{ state: 'unmeasured', cause: 'run', invalid: true },
      reason: 'only a player module reports it, and this scenario has none',
    });
    expect(await needOf(budget, target, module)).toMatchObject({ state: 'measured', invalid: false });
  }
});

test('what an outage may cost needs servers that acknowledge at two levels', async () => {
  for (const figure of ['saved', 'lostInWindow']) {
    expect(await needOf(`metric: integrity.${figure}, ${op}, unit: ops`, [], '')).toMatchObject({
      ...{ state: 'unmeasured', cause: 'run', invalid: true },
      reason: 'the servers of this system acknowledge an operation once: an outage excuses nothing',
    });
  }
});
