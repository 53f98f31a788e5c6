import { expect, test } from 'vitest';
import { redisSchema } from '../../src/scenario/redis-settings.ts';

const refusal = (settings: object): string | undefined =>
  redisSchema.safeParse({ settings }).error?.issues[0]?.message;

test.each<[object, RegExp]>([
  [{ maxmemory: -1 }, /^a size in bytes/],
  [{ maxmemory: '64 mb' }, /^a size in bytes/],
  [{ databases: 0 }, /^a whole number above 0$/],
  [{ hz: 1.5 }, /^a whole number above 0$/],
  [{ timeout: -5 }, /^a whole number$/],
  [{ appendonly: 'maybe' }, /^yes or no$/],
  [{ appendfsync: 'sometimes' }, /^always, everysec or no$/],
  [{ save: '900' }, /^pairs of seconds and changes/],
  [{ save: '900 1 60' }, /^pairs of seconds and changes/],
  [{ save: 'never' }, /^pairs of seconds and changes/],
])('%o is refused with what was expected', (settings, expected) => {
  expect(refusal(settings)).toMatch(expected);
});

test('what Redis understands is kept as it is written', () => {
  const settings = {
    ...{ maxmemory: '64mb', databases: 2, save: '900 1 60 1000', appendonly: true, appendfsync: 'everysec' },
    ...{ 'maxmemory-policy': 'allkeys-lru', 'maxmemory-clients': '5%', timeout: 0 },
  };
  expect(redisSchema.parse({ settings }).settings).toEqual({
    ...{
      maxmemory: '64mb',
      databases: '2',
      save: '900 1 60 1000',
      appendonly: 'yes',
      appendfsync: 'everysec',
    },
    ...{ 'maxmemory-policy': 'allkeys-lru', 'maxmemory-clients': '5%', timeout: '0' },
  });
  expect(refusal({ save: '' })).toBeUndefined();
});
