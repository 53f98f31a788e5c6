import { readdirSync, readFileSync } from 'node:fs';
import { getPriority, platform } from 'node:os';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { descendantsOf } from '../../src/supervision/process-tree.ts';
import { openWatchdog } from '../../src/supervision/watchdog.ts';
import { micros } from '../../src/units.ts';
import { openSmallStack, scenarioOf } from '../stack/small-scenario.ts';
import { connectTo } from '../stack/sql.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const watchdog = await openWatchdog(process.env);
const stack = await openSmallStack(scenarioOf({}), { watchdog });
afterAll(async () => {
  await stack.close();
  await watchdog.close();
});

const below = Math.min(19, getPriority() + 5);
const postmaster = () => stack.endpoints.database?.pid ?? 0;
const worlds = () => stack.endpoints.worlds.map(({ pid }) => pid ?? 0);
const sessionNiceness = (pid: number): string =>
  readFileSync(`/proc/${pid}/autogroup`, 'utf8').trim().split(' ').slice(1).join(' ');

const hasSessions = (): boolean => {
  try {
    return readFileSync('/proc/sys/kernel/sched_autogroup_enabled', 'utf8').trim() === '1';
  } catch {
    return false;
  }
};

describe('what is under test', () => {
  it.skipIf(below === getPriority())(
    'runs at a lower priority than the generator, and the report says so',
    () => {
      for (const pid of [postmaster(), ...worlds()]) expect(getPriority(pid)).toBe(below);
      for (const pid of descendantsOf(postmaster())) expect(getPriority(pid)).toBe(below);
      expect(getPriority(watchdog.pid)).toBe(getPriority());
      expect(stack.settings.filter(({ setting }) => setting === 'priority')).toEqual([
        {
          setting: 'priority',
          documented: 'not stated',
          applied: `nice ${below - getPriority()} below the generator`,
          reason: expect.stringContaining('share this host'),
          hardware: false,
        },
      ]);
    },
  );

  it.runIf(platform() === 'linux')('with all its threads', () => {
    for (const pid of worlds()) {
      const threads = readdirSync(`/proc/${pid}/task`).map((thread) => getPriority(Number(thread)));
      expect(threads.length).toBeGreaterThan(4);
      expect(new Set(threads)).toEqual(new Set([below]));
    }
  });

  it.runIf(hasSessions())('as do new backends, also after a restart of PostgreSQL', async () => {
    const all = () => [postmaster(), ...descendantsOf(postmaster()), ...worlds()].map(sessionNiceness);
    const client = await connectTo(stack.endpoints.database);
    await expect.poll(() => new Set(all()), { timeout: 20_000 }).toEqual(new Set(['nice 5']));
    await client.end();
    // Its world servers end with it, because the scenario has no faults; this test does not check that.
    await stack.disturb?.kill('postgres', micros(0));
    const again = await connectTo(stack.endpoints.database);
    const now = () => [postmaster(), ...descendantsOf(postmaster())].map(sessionNiceness);
    await expect.poll(() => new Set(now()), { timeout: 20_000 }).toEqual(new Set(['nice 5']));
    await again.end();
  });
});
