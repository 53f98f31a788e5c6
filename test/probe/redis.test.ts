import { expect, test, vi } from 'vitest';
import type { RedisAddress } from '../../src/address/probe-address.ts';
import { openRedisProbe } from '../../src/probe/redis.ts';
import { INFO, smallRedis } from '../redis-server.ts';

const at = (port: number, password: string | null): RedisAddress => ({
  ...{ host: '127.0.0.1', address: '127.0.0.1', port, username: null, password, database: null, tls: false },
  shown: `127.0.0.1:${port}`,
  onThisHost: true,
});

test('the probe sends only INFO, once for each reading, and reconnects after a lost connection', async () => {
  const redis = await smallRedis('sesame-77', INFO);
  const probe = await openRedisProbe(at(redis.port, 'sesame-77'));
  const read = async () =>
    Object.fromEntries((await probe.sample()).map(({ series, value }) => [series, value]));
  expect(await read()).toEqual({
    'redis.operations': 20,
    'redis.usedMemoryBytes': 1_048_576,
    'redis.memoryBytes': 2_097_152,
    'redis.connections': 3,
    'redis.cpuSeconds': 0.75,
    'redis.evictedKeys': 0,
    'redis.expiredKeys': 2,
    'redis.keyspaceHits': 18,
    'redis.keyspaceMisses': 2,
    'redis.rejectedConnections': 0,
    'redis.networkBytes': 300,
    'redis.keys': 42,
    'redis.command.get.calls': 14,
    'redis.command.get.micros': 28,
    'redis.command.config|get.calls': 2,
    'redis.command.config|get.micros': 30,
  });
  expect(redis.commands).toEqual(['AUTH', 'INFO', 'INFO']);
  const hasNo = `INFO of the Redis at 127.0.0.1:${redis.port} has no`;
  expect(probe.absences()).toEqual([
    { of: 'redis.commandsPerRead', because: `${hasNo} total_reads_processed` },
    { of: 'redis.errorReplies', because: `${hasNo} total_error_replies` },
  ]);
  redis.cut();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect((await read())['redis.operations']).toBe(30);
  expect(redis.commands).toEqual(['AUTH', 'INFO', 'INFO', 'AUTH', 'INFO']);
  await probe.close();
});

test('an address that refuses the login, is not a Redis or does not listen ends with 93', async () => {
  const locked = await smallRedis('sesame-77', INFO);
  for (const password of [null, 'open-please']) {
    await expect(openRedisProbe(at(locked.port, password))).rejects.toMatchObject({
      exitCode: 93,
      message: expect.stringMatching(/cannot be read: (NOAUTH|WRONGPASS)/),
    });
  }
  const other = await smallRedis(null, () => 'hello:world');
  await expect(openRedisProbe(at(other.port, null))).rejects.toMatchObject({
    exitCode: 93,
    message: expect.stringContaining('no figures of Redis'),
  });
  await expect(openRedisProbe(at(1, null))).rejects.toMatchObject({
    exitCode: 93,
    message: 'connection refused at 127.0.0.1:1 (--probe-redis)',
  });
});

test('the keys are those of the database that the address names', async () => {
  const redis = await smallRedis(null, INFO);
  for (const [database, keys] of [
    [null, 42],
    [0, 40],
    [3, 2],
    [5, 0],
  ] as const) {
    const probe = await openRedisProbe({ ...at(redis.port, null), database });
    expect(await probe.sample()).toContainEqual({ series: 'redis.keys', kind: 'gauge', value: keys });
    await probe.close();
  }
});

test('a password that Redis does not need is no obstacle, and writes nothing to the terminal', async () => {
  const warn = vi.spyOn(console, 'warn');
  const redis = await smallRedis(null, INFO, { needsNoPassword: true });
  const probe = await openRedisProbe(at(redis.port, 'sesame-77'));
  expect((await probe.sample()).length).toBeGreaterThan(10);
  await probe.close();
  expect(redis.commands).toEqual(['AUTH', 'INFO', 'INFO']);
  expect(warn).not.toHaveBeenCalled();
  warn.mockRestore();
});

test('a server that takes no section of INFO is asked without one', async () => {
  const redis = await smallRedis(null, INFO, { refusesSections: true });
  const probe = await openRedisProbe(at(redis.port, null));
  await probe.sample();
  expect(redis.commands).toEqual(['INFO', 'INFO', 'INFO']);
  await probe.close();
});

test('a command that was called before and is not listed any more was not called since a new start', async () => {
  const redis = await smallRedis(null, (asked) =>
    asked < 3 ? INFO(asked) : INFO(asked).replace(/^cmdstat_get:.*$/m, ''),
  );
  const probe = await openRedisProbe(at(redis.port, null));
  const calls = async () =>
    (await probe.sample()).find(({ series }) => series === 'redis.command.get.calls')?.value;
  expect(await calls()).toBe(14);
  expect(await calls()).toBe(0);
  await probe.close();
});
