import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { monotonic } from '../../src/clock.ts';
import type { Disturbance, Stack } from '../../src/stack/stack.ts';
import { descendantsOf, startTime } from '../../src/supervision/process-tree.ts';
import { openWatchdog } from '../../src/supervision/watchdog.ts';
import { askHealth } from '../../src/systems/flux/health.ts';
import { micros, seconds } from '../../src/units.ts';
import { processesIn } from './leftovers.ts';
import { failureOf, KILL, never, openSmallStack, scenarioOf } from './small-scenario.ts';
import { query as queryAt } from './sql.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const watchdog = await openWatchdog(process.env);
afterAll(() => watchdog.close());
let stack: Stack;
let opened: Stack | null = null;
afterEach(async () => {
  await opened?.close();
  opened = null;
});

async function open(): Promise<Disturbance> {
  stack = await openSmallStack(scenarioOf({}, { faults: [KILL] }), { watchdog });
  opened = stack;
  if (stack.disturb === null) throw new Error('nothing can be done to it');
  return stack.disturb;
}

const postmaster = () => stack.endpoints.database?.pid ?? 0;
const worldPid = (index: number) => stack.endpoints.worlds[index]?.pid ?? 0;
const folder = () => dirname(stack.endpoints.database?.host ?? '');

const query = (sql: string) => queryAt(stack.endpoints.database, sql);
const failure = () => failureOf(stack);

/** The state of a process: `T` for a stopped one. */
const states = (pids: readonly number[]) =>
  pids.map((pid) => execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })[0]);

async function closes(): Promise<void> {
  const run = folder();
  await stack.close();
  await expect.poll(() => processesIn(run), { timeout: 20_000 }).toEqual([]);
  expect(existsSync(run)).toBe(false);
}

describe('PostgreSQL, killed on purpose', () => {
  it('ends with all its processes, and comes back on the same data, each time', async () => {
    const disturb = await open();
    await query('create table kept (n int)');
    for (let n = 1; n <= 3; n++) {
      await query(`insert into kept values (${n})`);
      const [before, family] = [postmaster(), descendantsOf(postmaster())];
      expect(family.length).toBeGreaterThan(4);
      const asked = monotonic();
      const killed = disturb.kill('postgres', micros(200_000));
      await expect.poll(() => startTime(before), { interval: 5 }).toBeNull();
      await expect.poll(() => family.filter((pid) => startTime(pid) !== null), { interval: 5 }).toEqual([]);
      await expect(query('select 1')).rejects.toThrow();
      const { from, to } = await killed;
      expect(from).toBeGreaterThanOrEqual(asked);
      expect(to - from).toBeGreaterThanOrEqual(200_000);
      expect(to).toBeLessThanOrEqual(monotonic());
      expect(postmaster()).not.toBe(before);
      expect(await query('select count(*)::int as n from kept')).toEqual([{ n }]);
      // It is killed, not asked to stop.
      const log = readFileSync(stack.logs.get('postgres') ?? '', 'utf8');
      expect(log.match(/automatic recovery in progress/g)).toHaveLength(n);
      expect(log).not.toContain('terminating any other active server processes');
    }
    expect(await failure()).toBeNull();
    // Then it ends by itself, which fails the stack.
    process.kill(postmaster(), 'SIGKILL');
    expect(await stack.failure).toMatchObject({ component: 'postgres', message: /killed by SIGKILL/ });
    await closes();
  });

  it('is restarted by its own signals: nothing has to be recovered', async () => {
    const disturb = await open();
    await query('create table kept (n int)');
    const before = postmaster();
    const { from, to, forced } = await disturb.restart('postgres', micros(100_000));
    expect(to - from).toBeGreaterThanOrEqual(100_000);
    expect(forced).toBeUndefined();
    expect(postmaster()).not.toBe(before);
    expect(await query('select count(*)::int as n from kept')).toEqual([{ n: 0 }]);
    const log = readFileSync(stack.logs.get('postgres') ?? '', 'utf8');
    expect(log).toContain('received fast shutdown request');
    expect(log).not.toContain('automatic recovery in progress');
    expect(await failure()).toBeNull();
    await closes();
  });

  it('fails the stack when it does not come back: 93', async () => {
    const disturb = await open();
    rmSync(join(folder(), 'data/global/pg_control'));
    await expect(disturb.kill('postgres', micros(0))).rejects.toMatchObject({
      exitCode: 93,
      message: expect.stringMatching(/^postgres: did not recover after it was killed: /),
    });
    expect(await stack.failure).toMatchObject({ component: 'postgres' });
    await closes();
  });
});

describe('a world server, killed on purpose', () => {
  it('comes back at the same port, and continues its log', async () => {
    const disturb = await open();
    const [before, url] = [worldPid(1), stack.endpoints.worlds[1]?.url ?? ''];
    const other = worldPid(0);
    const killed = disturb.kill('world-2', micros(200_000));
    await expect.poll(() => startTime(before), { interval: 5 }).toBeNull();
    await expect(askHealth({ url }, never)).rejects.toMatchObject({ exitCode: 93 });
    const { from, to } = await killed;
    expect(to - from).toBeGreaterThanOrEqual(200_000);
    expect(worldPid(1)).not.toBe(before);
    expect(worldPid(0)).toBe(other);
    expect(stack.endpoints.worlds[1]?.url).toBe(url);
    expect(await askHealth({ url }, never)).toMatchObject({ status: 'ok', instance: 2 });
    const log = (): string => readFileSync(stack.logs.get('world-2') ?? '', 'utf8');
    await expect.poll(() => log().match(/listens at/g)).toHaveLength(2);
    expect(await failure()).toBeNull();
    process.kill(worldPid(1), 'SIGKILL');
    expect(await stack.failure).toMatchObject({ component: 'world-2', message: /killed by SIGKILL/ });
  });
});

describe('a component that is stopped on purpose', () => {
  it('stands still, and goes on', async () => {
    const disturb = await open();
    for (const component of ['postgres', 'world-1']) await standsStill(disturb, component);
  });

  async function standsStill(disturb: Disturbance, component: string): Promise<void> {
    const pid = component === 'postgres' ? postmaster() : worldPid(0);
    const family = [pid, ...descendantsOf(pid)];
    const stopped = disturb.stop(component, micros(400_000));
    await expect.poll(() => new Set(states(family)), { interval: 5 }).toEqual(new Set(['T']));
    const { from, to } = await stopped;
    expect(to - from).toBeGreaterThanOrEqual(400_000);
    expect(new Set(states(family))).not.toContain('T');
    expect(await query('select 1 as one')).toEqual([{ one: 1 }]);
    expect((await askHealth({ url: stack.endpoints.worlds[0]?.url ?? '' }, never)).status).toBe('ok');
    expect(await failure()).toBeNull();
  }
});

it('disturbances of one component are carried out one after another, and an unknown component is refused', async () => {
  const disturb = await open();
  const [first, second] = await Promise.all([
    disturb.kill('world-1', micros(50_000)),
    disturb.stop('world-1', micros(50_000)),
  ]);
  expect(second.from).toBeGreaterThanOrEqual(first.to);
  await expect(disturb.kill('world-3', micros(0))).rejects.toMatchObject({
    exitCode: 93,
    message: 'the stack has no component "world-3"',
  });
});

describe('a stack that is closed while a component is', () => {
  it.each([
    ['killed', 'postgres'],
    ['killed', 'world-1'],
    ['stopped', 'postgres'],
    ['stopped', 'world-1'],
  ] as const)('%s: %s leaves nothing, and says so', async (done, component) => {
    const disturb = await open();
    const pid = component === 'postgres' ? postmaster() : worldPid(0);
    const how = done === 'killed' ? disturb.kill : disturb.stop;
    const disturbed = how(component, seconds(60)).catch((error: unknown) => error);
    await expect
      .poll(() => startTime(pid) === null || states([pid]).includes('T'), { interval: 5 })
      .toBe(true);
    await closes();
    expect(await disturbed).toMatchObject({
      exitCode: 93,
      message: `the stack was closed while ${component} was ${done}`,
    });
    expect(await failure()).toBeNull();
  });

  it('brought back leaves nothing', async () => {
    for (const delay of [0, 100]) {
      const disturb = await open();
      const killed = disturb.kill('postgres', micros(0)).catch((error: unknown) => error);
      await new Promise((resolve) => setTimeout(resolve, delay));
      await closes();
      await killed;
    }
  });
});
