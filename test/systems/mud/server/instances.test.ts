import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { sequenceHash } from '../../../../src/sequence-hash.ts';
import { newRoom, play } from '../../../../src/systems/mud/server/game.ts';
import { openGameTable } from '../../../../src/systems/mud/server/game-table.ts';
import { GLOBAL_KEYS, playerKeys, roomKeys } from '../../../../src/systems/mud/server/keys.ts';
import { playedAway } from '../../../../src/systems/mud/server/merge.ts';
import { decodeState } from '../../../../src/systems/mud/server/player-state.ts';
import { REDIS, type RealRedis, startRealRedis } from '../../../real-redis.ts';
import { startDatabase, type TestDatabase } from '../../flux/server/server.ts';
import { connectPlayer, startInstance } from './instances.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await startDatabase();
});
afterAll(() => db.close());

let databases = 0;
/** A Redis and a database of the test's own. */
async function openStores() {
  const name = `mud_${++databases}`;
  const sql = await db.create(name);
  const redis: RealRedis = await startRealRedis(onTestFinished);
  const { host, port, user, password } = db.postgres.database;
  const row = async (player: number) => {
    const { rows } = await sql.query<{
      last_seq: number;
      applied_n: number;
      seq_sum: string;
      seq_hash: string;
    }>('select last_seq, applied_n, seq_sum, seq_hash from game where user_id = $1', [player]);
    const [found] = rows;
    if (found === undefined) return null;
    const { last_seq: last, applied_n: count } = found;
    return { last, count, sum: Number(found.seq_sum), hash: Number(found.seq_hash) };
  };
  const inRedis = (): Redis => {
    const client = new Redis(redis.url, { retryStrategy: null });
    client.on('error', () => undefined);
    onTestFinished(() => client.disconnect());
    return client;
  };
  return {
    stores: { redis: redis.url, database: { host, port, user, password, name } },
    redis,
    row,
    inRedis,
  };
}

/** The figures of a row to which the numbers from 1 on were applied. */
const rowUpTo = (last: number) => {
  const numbers = Array.from({ length: last }, (_, i) => i + 1);
  return {
    ...{ last, count: last, sum: numbers.reduce((sum, number) => sum + number, 0) },
    hash: numbers.reduce((sum, number) => sum + sequenceHash(number), 0),
  };
};

describe.skipIf(REDIS === null)('Instances of the text game over a real Redis and PostgreSQL', () => {
  test('a command is answered once Redis has it, under the documented keys, and is saved soon after', async () => {
    const { stores, row, inRedis } = await openStores();
    const { address } = await startInstance(stores);
    const player = await connectPlayer(address, 2);
    expect(player.last).toBe(0);
    expect(await player.type('get coin')).toEqual({
      type: 'response',
      id: '1',
      messages: ['You take the coin.'],
    });
    const redis = inRedis();
    const keys = playerKeys(2);
    const [state, location] = await redis.mget(keys.state, keys.location);
    expect(decodeState(state ?? '')).toMatchObject({ numbers: [[1, 1]], inventory: ['coin'] });
    expect(location).toBe('room-1');
    for (const key of Object.values(keys)) expect(await redis.ttl(key)).toBeGreaterThan(590);
    const room = roomKeys(1);
    expect(await redis.smembers(room.players)).toEqual(['player-2']);
    expect(JSON.parse((await redis.get(room.state)) ?? '{}').items).toHaveLength(5);
    expect(await redis.exists(...Object.values(GLOBAL_KEYS))).toBe(4);
    await expect.poll(player.savedUpTo).toBe(1);
    expect(await row(2)).toEqual(rowUpTo(1));
  });

  test('what is said reaches the others in the room at every instance, and not the speaker', async () => {
    const { stores } = await openStores();
    const [first, second] = [await startInstance(stores), await startInstance(stores)];
    const [speaker, near, far, elsewhere] = await Promise.all([
      connectPlayer(first.address, 0),
      connectPlayer(first.address, 4),
      connectPlayer(second.address, 8),
      connectPlayer(second.address, 2),
    ]);
    await speaker.type('say hello 0:1');
    for (const one of [near, far]) await expect.poll(one.heard).toEqual(['player-0 says: hello 0:1']);
    await elsewhere.type('look');
    expect([speaker.heard(), elsewhere.heard()]).toEqual([[], []]);
  });

  test('publish: local reaches only the own instance', async () => {
    const { stores } = await openStores();
    const own = { publish: 'local' } as const;
    const [first, second] = [await startInstance(stores, own), await startInstance(stores, own)];
    const [speaker, near, far] = await Promise.all([
      connectPlayer(first.address, 0),
      connectPlayer(first.address, 4),
      connectPlayer(second.address, 8),
    ]);
    await speaker.type('say hello');
    await expect.poll(near.heard).toHaveLength(1);
    await far.type('look');
    expect(far.heard()).toEqual([]);
  });

  test('two players do not take the same thing', async () => {
    const { stores } = await openStores();
    const [first, second] = [await startInstance(stores), await startInstance(stores)];
    const players = await Promise.all([
      ...[0, 4, 8].map((player) => connectPlayer(first.address, player)),
      ...[12, 16].map((player) => connectPlayer(second.address, player)),
    ]);
    const answers = await Promise.all(players.map((player) => player.type('get lantern')));
    const texts = answers.map((answer) => (answer.type === 'response' ? answer.messages[0] : answer.type));
    expect(texts.toSorted()).toEqual([
      ...Array.from({ length: 4 }, () => 'There is no lantern here.'),
      'You take the lantern.',
    ]);
  });

  test('a player who types too fast is refused, which uses up the number', async () => {
    const { stores, row } = await openStores();
    const { address } = await startInstance(stores, { spacingMillis: 60_000 });
    const player = await connectPlayer(address, 2);
    const [answer, refusal] = await Promise.all([player.type('get coin'), player.type('get coin')]);
    expect(answer).toMatchObject({ type: 'response' });
    expect(refusal).toMatchObject({ type: 'error', id: '2', code: 'rate_limited' });
    await expect.poll(player.savedUpTo).toBe(2);
    expect(await row(2)).toEqual(rowUpTo(2));
  });

  test('a player goes on at another instance, and what the earlier connection sends is not applied', async () => {
    const { stores, row } = await openStores();
    const [first, second] = [await startInstance(stores), await startInstance(stores)];
    const before = await connectPlayer(first.address, 2);
    await before.type('look');
    const after = await connectPlayer(second.address, 2);
    expect(after.last).toBe(1);
    void before.type('get coin');
    expect(await before.closed).toBe(4001);
    expect(await after.type('inventory')).toMatchObject({ messages: ['You carry nothing.'] });
    await expect.poll(after.savedUpTo).toBe(2);
    expect(await row(2)).toEqual(rowUpTo(2));
  });

  test('an instance that is asked to end has saved what it acknowledged', async () => {
    const { stores, row } = await openStores();
    const { address, close } = await startInstance(stores, { saveMillis: 60_000 });
    const players = await Promise.all([0, 2, 4, 6].map((player) => connectPlayer(address, player)));
    await Promise.all(players.map((player) => player.type('look')));
    expect(await row(0)).toBeNull();
    await close();
    expect(await players[0]!.closed).toBe(1001);
    for (const player of [0, 2, 4, 6]) expect(await row(player)).toEqual(rowUpTo(1));
  });

  test('without Redis, commands are carried out on PostgreSQL; with Redis again, on what the rows have', async () => {
    const { stores, redis, row, inRedis } = await openStores();
    const { address, log } = await startInstance(stores);
    const player = await connectPlayer(address, 2);
    await player.type('get coin');
    await expect.poll(player.savedUpTo).toBe(1);
    await redis.kill();
    expect(await player.type('get coin')).toMatchObject({
      type: 'response',
      messages: ['You take the coin.'],
    });
    expect(await row(2)).toEqual(rowUpTo(2));
    expect(player.savedUpTo()).toBe(2);
    const newcomer = await connectPlayer(address, 4);
    expect(await newcomer.type('look')).toMatchObject({ type: 'response' });
    await redis.start();
    await expect.poll(() => log.join(), { timeout: 10_000 }).toMatch(/is back/);
    expect(await player.type('inventory')).toMatchObject({ messages: ['You carry coin, coin.'] });
    const state = await inRedis().get(playerKeys(2).state);
    expect(decodeState(state ?? '')).toMatchObject({ numbers: [[1, 3]], outage: [] });
    // Whether the player hears of it depends on when the channels are subscribed to again.
    await expect.poll(() => row(2)).toEqual(rowUpTo(3));
  });

  test('a Redis that was only stopped loses nothing: neither what it had, nor what was played meanwhile', async () => {
    const { stores, redis, row } = await openStores();
    const { address, close, log } = await startInstance(stores, { saveMillis: 60_000 });
    const player = await connectPlayer(address, 2);
    await player.type('get coin');
    expect(await row(2)).toBeNull();
    redis.signal('SIGSTOP');
    // The first of them is sent to the stopped Redis, which carries it out later.
    expect(await player.type('get coin')).toMatchObject({ type: 'response' });
    expect(await player.type('get coin')).toMatchObject({ type: 'response' });
    redis.signal('SIGCONT');
    await player.type('look');
    // An instance that ends while Redis is away leaves what only Redis has to the others.
    await expect.poll(() => log.join(), { timeout: 10_000 }).toMatch(/is back/);
    await expect
      .poll(async () => (await player.type('inventory')).type, { timeout: 10_000 })
      .toBe('response');
    await close();
    const last = (await row(2))?.last ?? 0;
    expect(last).toBeGreaterThanOrEqual(5);
    expect(await row(2), log.join('\n')).toEqual(rowUpTo(last));
  });

  test('a Redis that stops again and again, while all type and two instances save, loses nothing', {
    timeout: 60_000,
  }, async () => {
    const { stores, redis, row } = await openStores();
    const instances = [
      await startInstance(stores, { instance: 1, instances: 2 }),
      await startInstance(stores, { instance: 2, instances: 2 }),
    ];
    const numbers = Array.from({ length: 12 }, (_, player) => player);
    const players = await Promise.all(
      numbers.map((player) => connectPlayer(instances[player % 2]!.address, player)),
    );
    let isOver = false;
    const typing = players.map(async (player) => {
      let typed = 0;
      for (; !isOver; typed++) expect(await player.type('look')).toMatchObject({ type: 'response' });
      return typed;
    });
    const times = (what: string): readonly number[] =>
      instances.map(({ log }) => log.filter((line) => line.includes(what)).length);
    for (let stop = 1; stop <= 3; stop++) {
      redis.signal('SIGSTOP');
      await expect.poll(() => times('breaker opens'), { timeout: 10_000 }).toEqual([stop, stop]);
      redis.signal('SIGCONT');
      await expect.poll(() => times('is back'), { timeout: 10_000 }).toEqual([stop, stop]);
    }
    isOver = true;
    const typed = await Promise.all(typing);
    for (const { close } of instances) await close();
    for (const player of numbers) expect(await row(player)).toEqual(rowUpTo(typed[player]!));
  });

  test('what another server has played without Redis comes into Redis once the state is saved', async () => {
    const { stores, inRedis } = await openStores();
    const { address } = await startInstance(stores);
    const player = await connectPlayer(address, 2);
    await player.type('look');
    await expect.poll(player.savedUpTo).toBe(1);
    const table = await openGameTable({
      ...{ database: stores.database, application: 'another server', most: 10, rooms: 2 },
      log: () => undefined,
    });
    onTestFinished(() => table.close(1_000));
    const row = await table.load(2);
    const { state } = play(2, 'get coin', row!, { room: newRoom(1), present: [], rooms: 2 });
    await table.save(2, playedAway(state, 900, 'get coin'));
    await expect.poll(() => player.type('inventory')).toMatchObject({ messages: ['You carry coin.'] });
    const text = await inRedis().get(playerKeys(2).state);
    expect(decodeState(text ?? '')).toMatchObject({
      numbers: [
        [1, expect.any(Number)],
        [900, 900],
      ],
      outage: [],
    });
  });

  test('degrade: off has no answer without Redis', async () => {
    const { stores, redis } = await openStores();
    const { address } = await startInstance(stores, { degrade: 'off' });
    const player = await connectPlayer(address, 2);
    await redis.kill();
    expect(await player.type('look')).toMatchObject({ type: 'error', code: 'unavailable' });
  });

  test('acknowledge: early answers before Redis has it', async () => {
    const { stores, inRedis } = await openStores();
    const { address } = await startInstance(stores, { acknowledge: 'early' });
    const player = await connectPlayer(address, 2);
    expect(await player.type('look')).toMatchObject({ type: 'response' });
    const redis = inRedis();
    expect(await redis.get(playerKeys(2).state)).toBeNull();
    await expect.poll(() => redis.get(playerKeys(2).state)).not.toBeNull();
  });
});
