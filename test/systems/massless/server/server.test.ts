import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { sequenceHash } from '../../../../src/sequence-hash.ts';
import { LEADERBOARD, sessionKey, writesKey } from '../../../../src/systems/massless/keys.ts';
import { firstItem } from '../../../../src/systems/massless/tables.ts';
import { CLOSE, moved, type Place, REFUSED_JOIN } from '../../../../src/systems/massless/wire.ts';
import { bundled } from '../../../bundled.ts';
import { REDIS, startRealRedis } from '../../../real-redis.ts';
import { startDatabase, type TestDatabase } from '../../flux/server/server.ts';
import { enter, reserve } from './player.ts';

/** Servers of zones as processes, on real Redis and PostgreSQL; players are driven message by message. */

const [SIDE, ITEMS, PLAYERS] = [256, 3, 8];
let db: TestDatabase;
let programs: Awaited<ReturnType<typeof bundled>>;
beforeAll(async () => {
  [db, programs] = await Promise.all([
    startDatabase(),
    bundled({ 'massless-server': 'src/systems/massless/server/main.ts' }),
  ]);
});
afterAll(async () => {
  programs?.remove();
  await db?.close();
});

let databases = 0;
async function world(more: Readonly<Record<string, string>> = {}) {
  const sql = await db.create(`massless_${++databases}`);
  const redis = await startRealRedis(onTestFinished);
  const children: ChildProcess[] = [];
  onTestFinished(() => {
    for (const one of children) one.kill('SIGKILL');
  });
  async function start(own: Readonly<Record<string, string>> = {}) {
    const child = fork(programs.file('massless-server'), {
      env: {
        ...{ PATH: process.env.PATH, ...db.environment, REDIS_URL: redis.url, HOST: '127.0.0.1', PORT: '0' },
        ...{ INSTANCE_ID: '1', INSTANCES: '1', ZONES: '1', PLAYERS: String(PLAYERS) },
        ...{ ITEMS_PER_CHARACTER: String(ITEMS), ZONE_SIZE: String(SIDE), SAVE_MS: '600000' },
        ...more,
        ...own,
      },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    children.push(child);
    const [{ port }] = await once(child, 'message');
    const ended = once(child, 'exit').then(([code]) => code as number | null);
    return {
      url: `http://127.0.0.1:${port}`,
      stop(signal: NodeJS.Signals) {
        child.kill(signal);
        return ended;
      },
    };
  }
  const client = new Redis(redis.url, { disableClientInfo: true });
  client.on('error', () => undefined);
  onTestFinished(() => client.disconnect());
  const character = async (id: number) => {
    const { rows } = await sql.query(
      `select zone, x, z, last_seq::int as last, applied_n::int as n, seq_sum::int as sum, seq_hash::float8 as hash,
        transfer_seq::int as transferred from character where id = $1`,
      [id],
    );
    return rows[0];
  };
  const itemsOf = async (owner: number): Promise<readonly number[]> =>
    (await sql.query('select id::int from item where owner = $1 order by id', [owner])).rows.map(
      ({ id }) => id,
    );
  const count = async (table: string): Promise<number> =>
    (await sql.query(`select count(*)::int as n from ${table}`)).rows[0].n;
  return { sql, redis, client, start, character, itemsOf, count };
}

/** The sums of a row to which these numbers were applied. */
const sumsOf = (numbers: readonly number[]) => ({
  n: numbers.length,
  sum: numbers.reduce((sum, number) => sum + number, 0),
  hash: numbers.reduce((sum, number) => sum + sequenceHash(number), 0),
});

/** One number of the page. */
async function metric(url: string, name: string): Promise<number> {
  const page = await (await fetch(`${url}/metrics`)).text();
  const lines = page.split('\n').filter((line) => line.startsWith(name) && !line.startsWith('#'));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

describe.skipIf(REDIS === null)('servers of zones', { timeout: 60_000 }, () => {
  test('inputs are acknowledged at a tick with the place they lead to, and are saved when the server is asked to end', async () => {
    const { start, character } = await world();
    const first = await start();
    const one = await enter(first.url, 2);
    const welcome = await one.next('welcome');
    expect(welcome).toMatchObject({ player: 2, character: 2, last: 0, transferred: 0, zone: 0 });
    expect(welcome.items).toEqual([7, 8, 9]);
    expect(await character(2)).toMatchObject({ x: welcome.x, z: welcome.z, last: 0 });
    const steps = [0.5, -1, 1, 0.25].map((x, i) => ({ seq: i + 1, x, z: x / 2 }));
    for (const step of steps) one.send('input', step);
    const ack = await one.ackedTo(4);
    const { x, z } = steps.reduce<Place>((place, step) => moved(place, step, SIDE), welcome);
    expect(ack).toMatchObject({ seq: 4, x, z });
    expect(ack.tick).toBeGreaterThan(0);
    await expect.poll(() => one.state.near?.get('2')?.x).toBe(Math.fround(x));
    // Sent again, it is not applied again.
    one.send('input', { seq: 4, x: 1, z: 1 });
    one.send('input', { seq: 6, x: 0, z: 0 });
    expect(await one.ackedTo(6)).toMatchObject({ x, z });
    expect(await character(2)).toMatchObject({ last: 0 });

    expect(await first.stop('SIGTERM')).toBe(0);
    expect(await one.closed).toBe(CLOSE.leaving);
    expect(await character(2)).toMatchObject({ x, z, last: 6, ...sumsOf([1, 2, 3, 4, 6]) });
    const again = await enter((await start()).url, 2, 0, welcome.token);
    expect(await again.next('welcome')).toMatchObject({ x, z, last: 6, token: welcome.token });
  });

  test('a killed server loses what was not saved, and no trade', async () => {
    const { start, character, itemsOf, count, client } = await world();
    const first = await start();
    const [giver, taker] = await Promise.all([enter(first.url, 0), enter(first.url, 1)]);
    await Promise.all([giver.next('welcome'), taker.next('welcome')]);
    giver.send('input', { seq: 1, x: 1, z: 1 });
    await giver.ackedTo(1);
    const item = firstItem(0, ITEMS);
    giver.send('trade', { seq: 2, to: 1, item });
    const traded = { seq: 2, from: 0, to: 1, item };
    expect(await giver.next('traded')).toEqual(traded);
    expect(await taker.next('traded')).toEqual(traded);
    // It was acknowledged once it was committed.
    expect(await itemsOf(1)).toEqual([item, 4, 5, 6]);
    // Sent again, it gets the same answer, and nothing happens.
    giver.send('trade', { seq: 2, to: 1, item });
    expect(await giver.next('traded')).toEqual(traded);
    for (const [seq, to, what, reason] of [
      [3, 1, item, 'not-owned'],
      [4, 0, item + 1, 'no-such-target'],
      [5, PLAYERS, item + 1, 'no-such-target'],
    ] as const) {
      giver.send('trade', { seq, to, item: what });
      expect(await giver.next('refused')).toEqual({ seq, reason });
    }
    await first.stop('SIGKILL');
    expect(await character(0)).toMatchObject({ last: 0, n: 0 });
    expect(await itemsOf(0)).toEqual([2, 3]);
    expect(await count('trade')).toBe(1);
    expect(await count('item')).toBe(PLAYERS * ITEMS);
    // As if it had been killed before Redis was told of the trade.
    await client.zadd(LEADERBOARD, 0, '0', 0, '1');
    const again = await enter((await start()).url, 1);
    expect(await again.next('welcome')).toMatchObject({
      ...{ items: [item, 4, 5, 6], got: [{ item, from: 0, seq: 2 }] },
    });
    expect(await client.zrange(LEADERBOARD, 0, '-1', 'WITHSCORES')).toEqual(['0', '1', '1', '1']);
  });

  test('characters are saved at the interval, those who have left too', async () => {
    const { start, character } = await world({ SAVE_MS: '200' });
    const { url } = await start();
    const one = await enter(url, 3);
    await one.next('welcome');
    one.send('input', { seq: 1, x: 1, z: 0 });
    const { x } = await one.ackedTo(1);
    one.socket.close();
    await expect.poll(() => character(3), { timeout: 5_000 }).toMatchObject({ x, last: 1 });
    await expect.poll(() => metric(url, 'capbench_massless_characters')).toBe(0);
    expect(await metric(url, 'capbench_massless_saved_rows_total')).toBe(1);
  });

  test('a character goes to the zone of another server, with all that was acknowledged, and whoever knocks at its old zone is sent on', async () => {
    const { start, character, client } = await world({ INSTANCES: '2', ZONES: '2' });
    const [first, second] = [await start(), await start({ INSTANCE_ID: '2' })];
    const one = await enter(first.url, 4);
    const welcome = await one.next('welcome');
    one.send('input', { seq: 1, x: 1, z: 1 });
    one.send('zone', { seq: 2, to: 1 });
    // On its way already, and not applied.
    one.send('input', { seq: 3, x: 1, z: 1 });
    const { token, ...transfer } = await one.next('transfer');
    expect(transfer).toEqual({ seq: 2, zone: 1, server: 1 });
    expect(await one.closed).toBe(CLOSE.transferred);
    const place = moved(welcome, { x: 1, z: 1 }, SIDE);
    expect(await character(4)).toMatchObject({
      zone: 1,
      ...place,
      last: 2,
      transferred: 2,
      ...sumsOf([1, 2]),
    });
    const there = await enter(second.url, 4, 1, token);
    expect(await there.next('welcome')).toMatchObject({ zone: 1, ...place, last: 2, transferred: 2 });
    await expect
      .poll(async () => JSON.parse((await client.get(sessionKey(4))) ?? '{}'))
      .toEqual({ token, zone: 1, server: 1 });
    expect(await client.ttl(sessionKey(4))).toBeGreaterThan(0);

    const astray = await enter(first.url, 4, 0, token);
    expect(await astray.next('transfer')).toMatchObject({ seq: 2, zone: 1, server: 1 });
    expect(await astray.closed).toBe(CLOSE.transferred);
    there.send('zone', { seq: 3, to: 1 });
    expect(await there.next('refused')).toEqual({ seq: 3, reason: 'no-such-target' });
    there.send('zone', { seq: 4, to: 2 });
    expect(await there.next('refused')).toEqual({ seq: 4, reason: 'no-such-target' });
    // Of both servers: an item that goes from one to the other.
    const other = await enter(first.url, 0);
    await other.next('welcome');
    other.send('trade', { seq: 1, to: 4, item: 1 });
    expect(await there.next('traded')).toEqual({ seq: 1, from: 0, to: 4, item: 1 });
  });

  test('a seat of a zone that another server has is found through Redis', async () => {
    const { start } = await world({ INSTANCES: '2', ZONES: '2' });
    const [first, second] = [await start(), await start({ INSTANCE_ID: '2' })];
    const { seat, ...answer } = await reserve(first.url, 1, 1);
    expect(seat).toHaveProperty('path');
    expect(answer).toMatchObject({ room: { publicAddress: new URL(second.url).host } });
    await second.stop('SIGKILL');
    const again = await start({ INSTANCE_ID: '2' });
    expect(await reserve(first.url, 1, 1)).toMatchObject({
      room: { publicAddress: new URL(again.url).host },
    });
  });

  test('a player has one connection and one session, and needs the token of the run', async () => {
    const { start } = await world({ TOKEN: 'run' });
    const { url } = await start();
    expect(await reserve(url, 1, 0)).toMatchObject({ code: REFUSED_JOIN.token });
    expect(await reserve(url, 1, 0, '', 'run')).not.toHaveProperty('error');
    for (const zone of [7, -1, 'x', null])
      expect(await reserve(url, 1, zone as number, '', 'run')).toMatchObject({ code: REFUSED_JOIN.unknown });
    const { start: openly } = await world();
    const { url: open } = await openly();
    const one = await enter(open, 1);
    const { token } = await one.next('welcome');
    const second = await enter(open, 1, 0, token);
    expect((await second.next('welcome')).token).toBe(token);
    expect(await one.closed).toBe(CLOSE.replaced);
    const thief = await enter(open, 1, 0, 'another');
    await thief.closed;
    expect(thief.error()).toContain('another session');
    second.send('input', { seq: 1, x: 0, z: 0 });
    await second.ackedTo(1);
    const nobody = await enter(open, PLAYERS);
    await nobody.closed;
    expect(nobody.error()).toContain('no such player');
    expect(await metric(open, 'capbench_massless_refused_joins_total')).toBe(2);
    expect(await metric(open, 'capbench_massless_players')).toBe(1);
  });

  test('messages that are not as they should be are refused, or end the connection', async () => {
    const { start } = await world();
    const { url } = await start();
    const one = await enter(url, 1);
    await one.next('welcome');
    one.send('trade', { seq: 1, to: 2 } as never);
    expect(await one.next('refused')).toEqual({ seq: 1, reason: 'malformed' });
    one.send('input', { seq: 2, x: 3, z: 0 });
    expect(await one.closed).toBe(CLOSE.malformed);
  });

  test('an emptied Redis is filled again: the leaderboard from PostgreSQL, and rooms to be found', async () => {
    const { start, client } = await world();
    const { url } = await start();
    const one = await enter(url, 0);
    await one.next('welcome');
    for (const [i, to] of [1, 1, 2].entries()) {
      one.send('trade', { seq: i + 1, to, item: firstItem(0, ITEMS) + i });
      await one.next('traded');
    }
    const scores = ['2', '1', '1', '2', '0', '3'];
    await expect.poll(() => client.zrange(LEADERBOARD, 0, '-1', 'WITHSCORES')).toEqual(scores);
    await client.flushall();
    await expect
      .poll(() => client.zrange(LEADERBOARD, 0, '-1', 'WITHSCORES'), { timeout: 10_000 })
      .toEqual(scores);
    await expect.poll(() => client.hlen('roomcaches'), { timeout: 10_000 }).toBe(1);
    expect(await metric(url, 'capbench_massless_leaderboard_rebuilt_total')).toBe(1);
    await (await enter(url, 1)).next('welcome');
  });

  test('without Redis the zones go on, nobody comes in, and what Redis lost is measured', async () => {
    const { start, redis } = await world();
    const { url } = await start();
    const one = await enter(url, 0);
    await one.next('welcome');
    await expect.poll(() => metric(url, 'capbench_world_redis_commands_total')).toBeGreaterThan(20);
    await redis.kill();
    await expect.poll(() => metric(url, 'capbench_world_breaker_state')).toBeGreaterThan(0);
    expect(await reserve(url, 1, 0)).toMatchObject({ code: REFUSED_JOIN.unavailable });
    one.send('input', { seq: 1, x: 1, z: 1 });
    one.send('trade', { seq: 2, to: 1, item: 1 });
    await Promise.all([one.ackedTo(1), one.next('traded')]);
    await redis.start();
    const lost = () => metric(url, 'capbench_massless_redis_lost_seconds');
    await expect.poll(lost, { timeout: 20_000 }).toBeGreaterThan(0.5);
    const client = new Redis(redis.url, { disableClientInfo: true });
    onTestFinished(() => client.disconnect());
    await expect
      .poll(() => client.zrange(LEADERBOARD, 0, '-1', 'WITHSCORES'), { timeout: 20_000 })
      .toEqual(['0', '1', '1', '1']);
    await expect.poll(() => client.xlen(writesKey(1))).toBeGreaterThan(5);
    await expect.poll(() => reserve(url, 1, 0), { timeout: 20_000 }).not.toHaveProperty('error');
    await (await enter(url, 1)).next('welcome');
    expect(await metric(url, 'capbench_massless_ticks_total')).toBeGreaterThan(10);
  });

  test('while PostgreSQL is away the zones go on, and trades and transfers are acknowledged once it has them', async () => {
    const { sql, start, count, character } = await world({ ZONES: '2' });
    const { url } = await start();
    const [one, other] = await Promise.all([enter(url, 0), enter(url, 2)]);
    await Promise.all([one.next('welcome'), other.next('welcome')]);
    await sql.query('begin; lock table trade, character');
    one.send('trade', { seq: 1, to: 2, item: 1 });
    other.send('zone', { seq: 1, to: 1 });
    other.send('input', { seq: 2, x: 1, z: 1 });
    one.send('input', { seq: 2, x: 0, z: 0 });
    await one.ackedTo(2);
    // Its batch waits: lost with its connection, it is written again over the next one.
    const ended = await sql.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where application_name like 'capbench massless%' and datname = current_database()`,
    );
    expect(ended.rowCount).toBe(2);
    one.send('input', { seq: 3, x: 0, z: 0 });
    await one.ackedTo(3);
    expect(one.messages.concat(other.messages).filter(({ type }) => type !== 'ack')).toEqual([]);
    await sql.query('commit');
    expect(await one.next('traded')).toMatchObject({ seq: 1, to: 2, item: 1 });
    expect(await other.next('transfer')).toMatchObject({ seq: 1, zone: 1, server: 0 });
    expect(await count('trade')).toBe(1);
    expect(await character(2)).toMatchObject({ zone: 1, last: 1, ...sumsOf([1]) });
    const there = await enter(url, 2, 1);
    expect(await there.next('welcome')).toMatchObject({ last: 1, transferred: 1, items: [1, 7, 8, 9] });
  });

  test('patches and ticks are counted, and each tick is one patch for each player', async () => {
    const { start } = await world();
    const { url } = await start();
    const [one, other] = await Promise.all([enter(url, 0), enter(url, 1)]);
    await Promise.all([one.next('welcome'), other.next('welcome')]);
    const [ticks, patches] = [await metric(url, 'capbench_massless_ticks_total'), one.patches];
    await expect.poll(() => one.patches - patches).toBeGreaterThan(20);
    const since = (await metric(url, 'capbench_massless_ticks_total')) - ticks;
    expect(Math.abs(one.patches - patches - since)).toBeLessThan(5);
    expect(await metric(url, 'capbench_massless_patches_total')).toBeGreaterThan(40);
    expect(await metric(url, 'capbench_massless_patch_bytes_total')).toBeGreaterThan(40 * 5);
  });

  test('broken variants: nothing saved at the end, a trade acknowledged early, an item copied', async () => {
    const unsaved = await world({ SAVE_ON_EXIT: 'off' });
    const first = await unsaved.start();
    const one = await enter(first.url, 1);
    await one.next('welcome');
    one.send('input', { seq: 1, x: 1, z: 1 });
    await one.ackedTo(1);
    await first.stop('SIGTERM');
    expect(await unsaved.character(1)).toMatchObject({ last: 0 });

    const early = await world({ TRADE: 'early' });
    const second = await early.start();
    const giver = await enter(second.url, 0);
    await giver.next('welcome');
    giver.send('trade', { seq: 1, to: 1, item: 1 });
    await giver.next('traded');
    await second.stop('SIGKILL');
    expect(await early.count('trade')).toBe(0);

    const torn = await world({ TRADE: 'torn' });
    const third = await torn.start();
    const copier = await enter(third.url, 0);
    await copier.next('welcome');
    copier.send('trade', { seq: 1, to: 1, item: 1 });
    await copier.next('traded');
    expect(await torn.count('item')).toBe(PLAYERS * ITEMS + 1);
  });

  test('without interest everybody is near', async () => {
    const { start } = await world({ INTEREST: 'off' });
    const { url } = await start();
    const players = await Promise.all([0, 1, 2, 3].map((player) => enter(url, player)));
    for (const one of players) await one.next('welcome');
    await expect.poll(() => players.map(({ state }) => state.near?.size)).toEqual([4, 4, 4, 4]);
  });
});
