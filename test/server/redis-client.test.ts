import { describe, expect, onTestFinished, test } from 'vitest';
import { BreakerOpen, RedisClient, type RedisPlan, RedisUnavailable } from '../../src/server/redis-client.ts';
import { REDIS, startRealRedis } from '../real-redis.ts';

const BACKOFF = { first: 20, most: 100 };

async function openClient(url: string, plan: Partial<RedisPlan> = {}) {
  const events: string[] = [];
  const client = await RedisClient.open({
    ...{ url, name: 'test', timeout: 5_000, backoff: BACKOFF },
    opened: () => events.push('opened'),
    closed: () => events.push('closed'),
    ...plan,
  });
  onTestFinished(() => client.close());
  return { client, events };
}

describe.skipIf(REDIS === null)('Redis behind a circuit breaker', () => {
  test('sends everything of one turn in one write, and gives each its own replies', async () => {
    const { url } = await startRealRedis(onTestFinished);
    const { client } = await openClient(url);
    const all = await Promise.all([
      client.run([
        ['set', 'a', 1],
        ['get', 'a'],
      ]),
      client.run(
        [
          ['hset', 'h', 'x', '1', 'y', '2'],
          ['hgetall', 'h'],
        ],
        { atomic: true },
      ),
      client.run(
        [
          ['set', 'b', Buffer.from([0xff, 0])],
          ['get', 'b'],
        ],
        { binary: true },
      ),
      client.run([['incr', 'h']]).catch((error: Error) => error.message),
      client
        .run(
          [
            ['set', 'c', 1],
            ['incr', 'h'],
          ],
          { atomic: true },
        )
        .catch((error: Error) => error.message),
      client
        .run([['no-such-command'], ['set', 'd', 1]], { atomic: true })
        .catch((error: Error) => error.message),
    ]);
    expect(all).toEqual([
      ['OK', '1'],
      [2, { x: '1', y: '2' }],
      [Buffer.from('OK'), Buffer.from([0xff, 0])],
      expect.stringMatching(/^WRONGTYPE/),
      expect.stringMatching(/^WRONGTYPE/),
      expect.stringMatching(/^ERR unknown command/),
    ]);
    expect(await client.run([['exists', 'd']])).toEqual([0]);
    expect(client.counts).toMatchObject({ commands: 12, roundTrips: 2, failures: 0, opened: 0 });
    expect(client.state).toBe('closed');
  });

  test('a lost connection opens it at once; what is written back comes before anything else', async () => {
    const redis = await startRealRedis(onTestFinished);
    const { client, events } = await openClient(redis.url, {
      beforeClosed: async (run) => {
        events.push(`write back while ${client.state}`);
        await run([['set', 'back', 'yes']]);
      },
    });
    await redis.kill();
    await expect.poll(() => client.state).not.toBe('closed');
    await expect(client.run([['get', 'back']])).rejects.toThrow(BreakerOpen);
    await redis.start();
    await expect.poll(() => client.state).toBe('closed');
    expect(await client.run([['get', 'back']])).toEqual(['yes']);
    expect(events).toEqual(['opened', 'write back while half-open', 'closed']);
    expect(client.counts).toMatchObject({ opened: 1, closedAgain: 1, refused: 1 });
  });

  test('a Redis that does not answer opens it after three writes, and loses nothing that it executes late', async () => {
    const redis = await startRealRedis(onTestFinished);
    onTestFinished(() => redis.signal('SIGCONT'));
    const { client, events } = await openClient(redis.url, { timeout: 200 });
    redis.signal('SIGSTOP');
    for (let i = 1; i <= 3; i++) {
      expect(client.state).toBe('closed');
      const error = await client.run([['incr', 'n']]).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(RedisUnavailable);
      expect(error).toMatchObject({ mayHaveRun: true });
    }
    expect(client.state).toBe('open');
    redis.signal('SIGCONT');
    await expect.poll(() => client.state).toBe('closed');
    expect(events).toEqual(['opened', 'closed']);
    expect(await client.run([['get', 'n']])).toEqual(['3']);
  });

  test('stays open when what has to be written back fails', async () => {
    const redis = await startRealRedis(onTestFinished);
    let attempts = 0;
    const { client } = await openClient(redis.url, {
      beforeClosed: async () => {
        attempts += 1;
        if (attempts < 3) throw new Error('not yet');
      },
    });
    await redis.kill();
    await redis.start();
    await expect.poll(() => client.counts.closedAgain).toBe(1);
    expect(attempts).toBe(3);
    expect(client.counts.opened).toBe(1);
  });

  test('without a breaker every command waits for its time limit, or for the connection', async () => {
    const redis = await startRealRedis(onTestFinished);
    const { client } = await openClient(redis.url, { breaker: false, timeout: 100 });
    await redis.kill();
    await expect(client.run([['get', 'a']])).rejects.toThrow(
      /^Redis did not answer within 100 ms$|^the connection to Redis was lost$/,
    );
    const late = () => client.run([['get', 'a']]).catch((error: Error) => error.message);
    await expect.poll(late).toBe('Redis did not answer within 100 ms');
    expect(client.state).toBe('closed');
    await redis.start();
    await expect.poll(() => client.run([['set', 'a', 1]]).catch(() => null)).toEqual(['OK']);
    expect(client.counts).toMatchObject({ opened: 0, refused: 0 });
    expect(client.counts.failures).toBeGreaterThanOrEqual(2);
  });

  test('closes after the answers to what it was asked for, and takes nothing more', async () => {
    const { url } = await startRealRedis(onTestFinished);
    const { client } = await openClient(url);
    const last = client.run([['set', 'a', 1]]);
    await Promise.all([client.close(), expect(client.run([['get', 'a']])).rejects.toThrow(RedisUnavailable)]);
    expect(await last).toEqual(['OK']);
  });

  test('publishes what it did, and its state', async () => {
    const redis = await startRealRedis(onTestFinished);
    const { client } = await openClient(redis.url);
    await client.run([
      ['set', 'a', 1],
      ['get', 'a'],
    ]);
    const page = (): string[] => client.render().split('\n');
    expect(page()).toEqual(
      expect.arrayContaining([
        'capbench_world_redis_commands_total 2',
        'capbench_world_redis_round_trips_total 1',
        'capbench_world_redis_seconds_count 1',
        'capbench_world_breaker_state 0',
        'capbench_world_breaker_open_seconds_total 0',
      ]),
    );
    await redis.kill();
    await expect.poll(page).toContain('capbench_world_breaker_opened_total 1');
    expect(page()).not.toContain('capbench_world_breaker_state 0');
    expect(page()).not.toContain('capbench_world_breaker_open_seconds_total 0');
  });

  test('begins open where there is no Redis, and refuses a wrong password', async () => {
    const redis = await startRealRedis(onTestFinished);
    await expect(openClient(redis.url.replace('of-these', 'not-of-these'))).rejects.toMatchObject({
      exitCode: 93,
      message: expect.stringMatching(/^Redis refused the connection: WRONGPASS/),
    });
    await redis.kill();
    const { client } = await openClient(redis.url);
    expect(client.state).not.toBe('closed');
    await redis.start();
    await expect.poll(() => client.state).toBe('closed');
  });
});
