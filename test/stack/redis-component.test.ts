import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { CapbenchError } from '../../src/errors.ts';
import type { RedisSettings } from '../../src/scenario/redis-settings.ts';
import { openLocalStack } from '../../src/stack/local.ts';
import { redisComponent } from '../../src/stack/redis-component.ts';
import { lookForRedis } from '../../src/stack/redis-program.ts';
import { openWatchdog, type Watchdog } from '../../src/supervision/watchdog.ts';
import { seconds } from '../../src/units.ts';
import { processesIn } from './leftovers.ts';

const PASSWORD = 'of-these-tests-alone';

let watchdog: Watchdog;
beforeAll(async () => {
  watchdog = await openWatchdog(process.env);
});
afterAll(() => watchdog.close());

const open = (settings: RedisSettings['settings'], env: Record<string, string | undefined> = process.env) =>
  openLocalStack([redisComponent({ version: 7, settings })], {
    ...{ watchdog, signal: new AbortController().signal, env },
    ...{ token: '', password: PASSWORD, mayRestart: true },
  });

const refusal = (settings: RedisSettings['settings'], env?: Record<string, string | undefined>) =>
  open(settings, env).then(
    async (stack) => {
      await stack.close();
      return expect.fail('it started');
    },
    ({ exitCode, message, hint }: CapbenchError) => ({ exitCode, message, hint }),
  );

/** A client that is closed with the test. */
function clientOf(url: string | undefined): Redis {
  const client = new Redis(url!, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on('error', () => {});
  onTestFinished(() => client.disconnect());
  return client;
}

describe.skipIf((await lookForRedis(process.env)) === null)('with a Redis', () => {
  test('it starts with its settings, survives faults at its port, and leaves nothing behind', {
    timeout: 60_000,
  }, async () => {
    const stack = await open({
      appendonly: 'yes',
      appendfsync: 'always',
      maxmemory: '64mb',
      save: '900 1 60 9',
    });
    const folder = dirname(stack.logs.get('redis') ?? '');
    try {
      const url = stack.endpoints.addresses?.redis;
      expect(url).toMatch(new RegExp(`^redis://:${PASSWORD}@127\\.0\\.0\\.1:\\d+/0$`));
      const client = clientOf(url);
      expect(await client.config('GET', 'maxmemory')).toEqual(['maxmemory', String(64 * 2 ** 20)]);
      expect(await client.config('GET', 'save')).toEqual(['save', '900 1 60 9']);
      // The password is in no command line, where every user of the host could read it.
      const [{ pid = 0 } = {}] = processesIn(folder);
      expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(PASSWORD);
      const noPassword = clientOf(url?.replace(`:${PASSWORD}@`, ''));
      await expect(noPassword.get('kept')).rejects.toThrow(/NOAUTH/);

      for (const [turn, action] of (['kill', 'restart', 'stop'] as const).entries()) {
        await client.set('kept', turn);
        const { from, to } = await stack.disturb![action]('redis', seconds(0.1));
        expect(to - from).toBeGreaterThanOrEqual(100_000);
        expect(await client.get('kept')).toBe(String(turn));
      }
      expect(stack.settings.filter(({ setting }) => setting.startsWith('redis'))).toEqual([
        expect.objectContaining({
          setting: 'redis.appendonly',
          documented: 'yes',
          applied: 'yes',
          reason: null,
        }),
        expect.objectContaining({ setting: 'redis.appendfsync', applied: 'always', reason: null }),
        expect.objectContaining({ setting: 'redis.maxmemory', applied: '64mb', reason: null }),
        expect.objectContaining({ setting: 'redis.save', applied: '900 1 60 9', reason: null }),
        expect.objectContaining({ setting: 'redisVersion', documented: '7' }),
      ]);
    } finally {
      await stack.close();
    }
    expect(processesIn(folder)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });

  test('without settings, a killed Redis has forgotten everything, and an unexpected end fails the stack', {
    timeout: 60_000,
  }, async () => {
    const stack = await open({});
    try {
      const client = clientOf(stack.endpoints.addresses?.redis);
      await client.set('forgotten', 1);
      await stack.disturb!.kill('redis', seconds(0));
      expect(await client.get('forgotten')).toBeNull();
      const [{ pid = 0 } = {}] = processesIn(dirname(stack.logs.get('redis') ?? ''));
      process.kill(pid, 'SIGKILL');
      expect(await stack.failure).toEqual({
        component: 'redis',
        message: 'Redis ended unexpectedly: killed by SIGKILL',
        hint: 'check whether the host ran out of memory',
      });
    } finally {
      await stack.close();
    }
  });

  test('a setting that Redis refuses ends with the last lines of its log', async () => {
    expect(await refusal({ 'maxmemory-policy': 'most-loved' })).toMatchObject({
      exitCode: 93,
      message: expect.stringMatching(/^Redis ended unexpectedly: exit code 1\n {2}\| .*maxmemory-policy/s),
      hint: 'correct redis.settings in the scenario',
    });
  });
});

test('without a Redis on the host, the error names what brings one', async () => {
  expect(await refusal({}, { PATH: '/nowhere', HOME: '/nowhere' })).toEqual({
    exitCode: 93,
    message: 'this scenario needs Redis, which is not installed here',
    hint: expect.stringMatching(/^capbench setup redis .*apt-get install redis-server.*--redis URL$/),
  });
});
