import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { CapbenchError } from '../../src/errors.ts';
import { Redaction } from '../../src/redaction.ts';
import type { ComponentSpec } from '../../src/stack/component-spec.ts';
import { givenRedis } from '../../src/stack/given-redis.ts';
import { openLocalStack } from '../../src/stack/local.ts';
import { redisComponent } from '../../src/stack/redis-component.ts';
import { lookForRedis } from '../../src/stack/redis-program.ts';
import type { Stack } from '../../src/stack/stack.ts';
import { openWatchdog, type Watchdog } from '../../src/supervision/watchdog.ts';

describe.skipIf((await lookForRedis(process.env)) === null)('a Redis that runs already', () => {
  let watchdog: Watchdog;
  let running: Stack;
  let client: Redis;
  let url = '';
  beforeAll(async () => {
    watchdog = await openWatchdog(process.env);
    running = await open(redisComponent());
    url = (running.endpoints.addresses?.redis ?? '').replace(/0$/, '3');
    client = new Redis(url);
  });
  afterAll(async () => {
    client.disconnect();
    await running.close();
    await watchdog.close();
  });

  const open = (spec: ComponentSpec): Promise<Stack> =>
    openLocalStack([spec], {
      ...{ watchdog, signal: new AbortController().signal, env: process.env },
      ...{ token: '', password: 'of-these-tests-alone', mayRestart: true },
    });
  const use = (at = url) => open(givenRedis({ url: at, shown: '127.0.0.1:7001', onThisHost: true }));

  test('it is used as it is, and its database is emptied at the end, and no other', async () => {
    const other = new Redis(url.replace(/3$/, '4'));
    onTestFinished(async () => {
      await other.flushdb();
      other.disconnect();
    });
    await other.set('kept', 1);
    const stack = await use();
    expect(stack.endpoints).toMatchObject({ addresses: { redis: url }, partlyGiven: true });
    expect(stack.logs.size).toBe(0);
    await client.set('of the run', 1);
    await expect(stack.disturb!.kill('redis', 0 as never)).rejects.toMatchObject({ exitCode: 93 });
    await stack.close();
    expect(await client.dbsize()).toBe(0);
    expect(await other.get('kept')).toBe('1');
  });

  test('a database that has keys is refused, and stays as it is', async () => {
    await client.set('somebody else has', 1);
    await expect(use()).rejects.toMatchObject({
      exitCode: 93,
      message: 'the database of the Redis at 127.0.0.1:7001 has 1 key, expected an empty one (--redis)',
    });
    expect(await client.dbsize()).toBe(1);
    await client.flushdb();
  });

  test.each([
    [(at: string) => at.replace(/:[^@:]*@/, ':wrong@'), /WRONGPASS/],
    [(at: string) => at.replace(/\d+\/3$/, '1/3'), /ECONNREFUSED/],
    [(at: string) => at.replace(/3$/, '99'), /^the Redis at 127.0.0.1:7001 has no database 99 \(--redis\)$/],
  ])('%s cannot be used', async (change, reason) => {
    const error: CapbenchError = await use(change(url)).then(
      () => expect.fail('it was used'),
      (thrown) => thrown,
    );
    expect(error).toMatchObject({
      exitCode: 93,
      message: expect.stringMatching(reason),
      hint: expect.stringContaining('redis://'),
    });
    // What has the shape of a login in a URL would be removed from the hint.
    expect(new Redaction().text(error.hint ?? '')).toBe(error.hint);
  });

  test('a password that Redis does not need is refused in words of its own, and nothing else is written', async () => {
    const warn = vi.spyOn(console, 'warn');
    await client.config('SET', 'requirepass', '');
    onTestFinished(async () => {
      await client.config('SET', 'requirepass', 'of-these-tests-alone');
      warn.mockRestore();
    });
    await expect(use()).rejects.toMatchObject({
      exitCode: 93,
      message: 'the Redis at 127.0.0.1:7001 needs no password, and the URL has one (--redis)',
      hint: expect.stringContaining('leave the password out'),
    });
    expect(warn).not.toHaveBeenCalled();
  });

  test('an account that may not ask for INFO is refused before a server of the run is', async () => {
    await client.acl('SETUSER', 'blind', 'on', '>of-these-tests-blind', '~*', '+@all', '-info');
    await expect(use(url.replace(/:[^@/]*@/, 'blind:of-these-tests-blind@'))).rejects.toMatchObject({
      exitCode: 93,
      message: expect.stringContaining('NOPERM'),
    });
  });
});
