import { expect, test } from 'vitest';
import { refuseUnreachableFaults } from '../../src/commands/fault-processes.ts';
import { readGivenRedis, resolveGivenRedis } from '../../src/commands/given-redis.ts';
import type { LoadedScenario } from '../../src/commands/scenario-files.ts';
import type { GivenRedis } from '../../src/stack/given-redis.ts';
import { memoryHost } from '../memory-host.ts';
import { refusalOf } from './refusal.ts';

const systemWith = (redis?: true) =>
  ({ system: { name: 'game', scenario: { redis } } }) as unknown as LoadedScenario;
const around = {
  resolve: async () => ['10.1.2.3'],
  own: { addresses: new Set<string>(), broadcasts: new Set<string>() },
};

async function given(text: string, { hasTargets = false, hasRedis = true, owned = [] as string[] } = {}) {
  const host = memoryHost([]);
  const read = readGivenRedis(host, systemWith(hasRedis ? true : undefined), { redis: text }, hasTargets);
  const redis = await resolveGivenRedis(read!, owned, around);
  return { redis, host };
}

test('the address keeps its login and its database, and its password is a secret', async () => {
  const { redis, host } = await given('redis://game:s3cret-77@127.0.0.1:7001/3');
  expect(redis).toEqual({
    ...{ url: 'redis://game:s3cret-77@127.0.0.1:7001/3', shown: '127.0.0.1:7001', onThisHost: true },
  });
  expect(host.redaction.text('with s3cret-77')).toBe('with (redacted)');
  expect((await given('redis://127.0.0.1')).redis.url).toBe('redis://127.0.0.1:6379/0');
  const elsewhere = await given('redis://cache.example/1', { owned: ['cache.example'] });
  expect(elsewhere.redis).toMatchObject({ url: 'redis://10.1.2.3:6379/1', onThisHost: false });
  expect(readGivenRedis(memoryHost([]), systemWith(), {}, true)).toBeNull();
});

test.each([
  ['redis://cache.example/1', {}, /--i-own cache\.example/],
  ['redis://127.0.0.1', { hasTargets: true }, /servers that run already.*--probe-redis/s],
  ['redis://127.0.0.1', { hasRedis: false }, /the system game has no Redis/],
  ['rediss://127.0.0.1', {}, /without TLS/],
  ['redis://127.0.0.1/world', {}, /not the number of a database/],
  ['http://127.0.0.1', {}, /another scheme/],
])('%s %j is refused', async (text, options, message) => {
  const error = await refusalOf(given(text, options));
  expect(`${error.message}\n${error.hint}`).toMatch(message);
});

test('no fault reaches a Redis that capbench did not start', () => {
  const components = () => [{ name: 'redis', faults: ['kill'] }];
  const loaded = {
    scenario: { faults: [{ action: 'kill', of: 'redis' }] },
    system: { scenario: { components } },
  } as unknown as LoadedScenario;
  const at = { targets: [], starts: null };
  expect(() => refuseUnreachableFaults(loaded, at, [])).not.toThrow();
  expect(() => refuseUnreachableFaults(loaded, { ...at, redis: {} as GivenRedis }, [])).toThrow(
    'faults: kill of redis, and --redis names one that capbench did not start',
  );
});
