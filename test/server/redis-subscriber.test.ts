import { describe, expect, onTestFinished, test } from 'vitest';
import { RedisClient } from '../../src/server/redis-client.ts';
import { RedisSubscriber } from '../../src/server/redis-subscriber.ts';
import { REDIS, startRealRedis } from '../real-redis.ts';

const BACKOFF = { first: 20, most: 100 };

async function openBoth() {
  const redis = await startRealRedis(onTestFinished);
  const events: string[] = [];
  const access = { url: redis.url, name: 'test', timeout: 300, backoff: BACKOFF };
  const client = await RedisClient.open(access);
  const subscriber = await RedisSubscriber.open({
    ...access,
    message: (channel, text) => events.push(`${channel}: ${text}`),
    lost: () => events.push('lost'),
    restored: () => events.push('restored'),
  });
  onTestFinished(async () => {
    await subscriber.close();
    await client.close();
  });
  const publish = async (channel: string, text: string): Promise<number> =>
    Number((await client.run([['publish', channel, text]]))[0]);
  const channels = async (): Promise<unknown> => (await client.run([['pubsub', 'channels']]))[0];
  return { redis, events, client, subscriber, publish, channels };
}

describe.skipIf(REDIS === null)('Channels of Redis', () => {
  test('are subscribed once confirmed, and as often as they were asked for', async () => {
    const { events, subscriber, publish, channels } = await openBoth();
    expect(await Promise.all(['a', 'b', 'a'].map((name) => subscriber.subscribe(name)))).toEqual([
      true,
      true,
      true,
    ]);
    expect(await publish('a', '1')).toBe(1);
    subscriber.unsubscribe('a');
    subscriber.unsubscribe('b');
    await expect.poll(channels).toEqual(['a']);
    expect(await publish('a', '2')).toBe(1);
    expect(await publish('b', '3')).toBe(0);
    // Taken back and asked for again in one turn: nothing changes.
    subscriber.unsubscribe('a');
    expect(await subscriber.subscribe('a')).toBe(true);
    expect(await publish('a', '4')).toBe(1);
    await expect.poll(() => events).toEqual(['a: 1', 'a: 2', 'a: 4']);
    expect(subscriber.channels).toBe(1);
  });

  test('are subscribed again after Redis was away, those that were asked for meanwhile too', async () => {
    const { redis, events, client, subscriber, publish } = await openBoth();
    await subscriber.subscribe('before');
    await redis.kill();
    await expect.poll(() => subscriber.isConnected).toBe(false);
    expect(await subscriber.subscribe('meanwhile')).toBe(false);
    await redis.start();
    await expect.poll(() => [subscriber.isConnected, client.isAvailable]).toEqual([true, true]);
    expect([await publish('before', '1'), await publish('meanwhile', '2')]).toEqual([1, 1]);
    await expect.poll(() => events).toEqual(['lost', 'restored', 'before: 1', 'meanwhile: 2']);
    expect(subscriber.reconnects).toBe(1);
  });

  test('are not waited for where Redis does not answer, and are subscribed when it does', async () => {
    const { redis, subscriber, channels } = await openBoth();
    onTestFinished(() => redis.signal('SIGCONT'));
    redis.signal('SIGSTOP');
    expect(await subscriber.subscribe('late')).toBe(false);
    redis.signal('SIGCONT');
    await expect.poll(() => channels().catch(() => null)).toEqual(['late']);
  });
});
