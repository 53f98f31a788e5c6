import { once } from 'node:events';
import type pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { END_BACKENDS, startDatabase, startWorld, type WorldProcess } from './server.ts';
import { commandsOf, connectGenerator, connectPlayer, metric } from './wire.ts';

/** Back-pressure, the other row shape, and restarts and ends of a server. */

const database = await startDatabase();
afterAll(() => database.close());

const start = (settings: Readonly<Record<string, string>> = {}): Promise<WorldProcess> =>
  startWorld({
    ...database.environment,
    ...{ PLAYERS: '4', MONSTERS: '2000', PLAYERS_PER_PLACE: '2' },
    ...settings,
  });

/** A server on a database of its own, and a connection to that. */
async function open(name: string, settings: Readonly<Record<string, string>> = {}) {
  const sql = await database.create(name);
  return { sql, world: await start(settings) };
}

const sums = async (sql: pg.Client): Promise<{ applied: number; last: number }> =>
  (await sql.query('select sum(applied_n)::int as applied, sum(last_seq)::int as last from entity')).rows[0];

const commands = commandsOf(4, 2_000);

describe('a full queue', () => {
  it('holds the 202 back until there is room, and then applies everything once', async () => {
    const { sql, world } = await open('full');
    const generator = await connectGenerator(world.url, 'g0');
    await sql.query('begin; lock table entity in exclusive mode');
    const accepted: number[] = [];
    const posts = Array.from({ length: 13 }, (_, n) =>
      generator.post(n, commands(n * 5_000, 5_000)).then((response) => {
        accepted.push(n);
        return response.status;
      }),
    );
    // One batch is in flight and 50,000 operations wait at most: ten or eleven of the posts.
    await expect.poll(() => accepted.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(10);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(accepted.length).toBeLessThan(13);
    expect(await metric(world.url, 'capbench_world_queued_operations')).toBeLessThanOrEqual(50_000);
    const player = await connectPlayer(world.url, 0);
    const answer = player.ask('guard');
    await sql.query('commit');
    expect(await Promise.all(posts)).toEqual(new Array(13).fill(202));
    // Posts may overtake one another; a number that was overtaken is rejected, and reported.
    const counts = await Promise.all(posts.map((_, n) => generator.committed(n)));
    const ok = counts.reduce((sum, [accepted]) => sum + accepted, 0);
    expect(counts.reduce((sum, [accepted, rejected]) => sum + accepted + rejected, 0)).toBe(65_000);
    expect(await answer).toEqual({ seq: 1, ok: true });
    expect((await sums(sql)).applied).toBe(ok + 1);
    expect(await metric(world.url, 'capbench_world_operations_total')).toBe(65_001);
    expect(await metric(world.url, 'capbench_world_batches_total{reason="size"}')).toBeGreaterThanOrEqual(
      Math.floor(63_000 / 1_663),
    );
    await player.close();
    await generator.close();
    expect(await world.stop()).toBe(0);
  });

  it('never puts more than the limit into a batch', async () => {
    const { world } = await open('limit', { BATCH_SIZE_LIMIT: '100' });
    const generator = await connectGenerator(world.url, 'g0');
    await generator.post(1, commands(0, 1_950));
    expect(await generator.committed(1)).toEqual([1_950, 0]);
    expect(await metric(world.url, 'capbench_world_batch_operations_count')).toBe(20);
    expect(await metric(world.url, 'capbench_world_batch_operations_bucket{le="100"}')).toBe(20);
    expect(await metric(world.url, 'capbench_world_batches_total{reason="size"}')).toBe(19);
    expect(await metric(world.url, 'capbench_world_batches_total{reason="time"}')).toBe(1);
    await generator.close();
    await world.stop();
  });
});

describe('a client that sends without waiting for answers', () => {
  it('still gets its answers, each number once', async () => {
    const { world } = await open('eager');
    const player = await connectPlayer(world.url, 1);
    const last = player.ack(500);
    for (let seq = 1; seq <= 500; seq++) player.send(seq, seq % 2 === 0 ? 'guard' : 'look');
    await last;
    expect(player.acks.map(({ seq }) => seq)).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
    await player.close();
    await world.stop();
  });
});

describe('jsonb rows', () => {
  it('hold a document of about 2 KB, written whole, beside the same three columns', async () => {
    const { sql, world } = await open('documents', { ROW_SHAPE: 'jsonb' });
    const player = await connectPlayer(world.url, 0);
    const generator = await connectGenerator(world.url, 'g0');
    expect(await player.ask('attack 2')).toEqual({ seq: 1, ok: true });
    await generator.post(1, commands(0, 2_000));
    expect(await generator.committed(1)).toEqual([2_000, 0]);
    const { rows } = await sql.query(`
      select id, last_seq, applied_n, seq_sum, state->>'place' as place, state->>'damage' as damage,
             jsonb_array_length(state->'inventory') as items, length(state::text) as characters,
             pg_column_size(state) as stored
        from entity where id in (0, 2, 4) order by id`);
    expect(rows.map(({ last_seq, applied_n, damage }) => [last_seq, applied_n, damage])).toEqual([
      [1, 1, '0'],
      [0, 0, '10'],
      [1, 1, '0'],
    ]);
    for (const row of rows) {
      expect(row.items).toBe(37);
      expect(row.characters).toBeGreaterThan(1_800);
      expect(row.stored).toBeGreaterThan(1_750);
      // It stays in its row, uncompressed.
      expect(row.stored).toBeLessThan(1_970);
    }
    const all = (await sql.query('select state from entity')).rows;
    expect(new Set(all.map((row) => JSON.stringify(row.state.inventory))).size).toBeGreaterThan(1_900);
    await player.close();
    await generator.close();
    expect(await world.stop()).toBe(0);
    const again = await start({ ROW_SHAPE: 'jsonb' });
    const returned = await connectPlayer(again.url, 0);
    expect(returned.welcome.lastSeq).toBe(1);
    await returned.close();
    await again.stop();
  });
});

describe('a table that is there already', () => {
  it('is continued by a server that starts again', async () => {
    const { sql, world: first } = await open('again');
    const player = await connectPlayer(first.url, 0);
    await player.ask('attack 4');
    const move = await player.ask(`go ${player.welcome.exits[0]}`);
    expect(move.ok).toBe(true);
    await player.close();
    expect(await first.stop()).toBe(0);
    const second = await start();
    const back = await connectPlayer(second.url, 0);
    expect(back.welcome).toMatchObject({ place: move.place, lastSeq: 2 });
    await back.ask('guard');
    await back.close();
    await second.stop();
    expect(await sums(sql)).toEqual({ applied: 3, last: 3 });
    expect((await sql.query('select damage from entity where id = 4')).rows).toEqual([{ damage: 10 }]);
  });

  it('gets back rows that were removed', async () => {
    const { sql, world } = await open('removed');
    await world.stop();
    await sql.query('delete from entity where id % 3 = 0');
    await (await start()).stop();
    expect((await sql.query('select count(*)::int as n from entity')).rows).toEqual([{ n: 2_004 }]);
  });

  it.each([
    ['of another population', { PLAYERS: '5' }],
    ['of the other shape', { ROW_SHAPE: 'jsonb' }],
    ['of other places', { PLAYERS_PER_PLACE: '1' }],
  ])('is refused when it is %s', async (what, settings) => {
    await database.create(`other_${what.split(' ').at(-1)}`);
    await (await start()).stop();
    const refused = await start(settings);
    expect(await refused.exited).toBe(93);
    expect(refused.log()).toContain('belongs to another world');
  });

  it('is refused when the world did not make it', async () => {
    const sql = await database.create('foreign_table');
    await sql.query('create table entity (id int)');
    const refused = await start();
    expect(await refused.exited).toBe(93);
    expect(refused.log()).toContain('not made by a flux world server');
  });

  it('has one writer for each entity', async () => {
    const { world: first } = await open('twice');
    const second = await start();
    expect(await second.exited).toBe(93);
    expect(second.log()).toContain('INSTANCE_ID 1 already runs');
    await first.stop();
  });
});

describe('the end of a server', () => {
  it('commits and answers the queued operations on SIGTERM', async () => {
    const { sql, world } = await open('stopped', { BATCH_TIME_LIMIT_MS: '60000' });
    const player = await connectPlayer(world.url, 0);
    const generator = await connectGenerator(world.url, 'g0');
    const answered = player.ask('guard');
    expect((await generator.post(1, commands(0, 100))).status).toBe(202);
    expect((await sums(sql)).applied).toBe(0);
    const closed = once(player.socket, 'close');
    world.process.kill('SIGTERM');
    expect(await answered).toEqual({ seq: 1, ok: true });
    expect(await generator.committed(1)).toEqual([100, 0]);
    expect((await closed)[0]).toBe(1001);
    expect(await world.exited).toBe(0);
    expect((await sums(sql)).applied).toBe(101);
  });

  it('follows the end of its parent', async () => {
    const { world } = await open('orphan');
    world.process.disconnect();
    expect(await world.exited).toBe(0);
  });

  it('names the lost connection to PostgreSQL, and unwritten operations are not answered', async () => {
    const { sql, world } = await open('lost');
    const player = await connectPlayer(world.url, 0);
    await sql.query('begin; lock table entity in exclusive mode');
    player.send(1, 'guard');
    await new Promise((resolve) => setTimeout(resolve, 100));
    await sql.query(END_BACKENDS);
    expect(await world.exited).toBe(1);
    expect(world.log()).toMatch(/Flux world server 1 of 1 ends: .*PostgreSQL|a batch could not be written/);
    expect(player.acks).toEqual([]);
    await sql.query('rollback');
    expect((await sums(sql)).applied).toBe(0);
  });

  it('names the missing rows', async () => {
    const { sql, world } = await open('gone');
    const player = await connectPlayer(world.url, 0);
    await sql.query('delete from entity where id = 0');
    player.send(1, 'guard');
    expect(await world.exited).toBe(1);
    expect(world.log()).toContain('a batch of 1 rows updated 0');
    expect(player.acks).toEqual([]);
  });

  it('is refused a port that is taken', async () => {
    const { world } = await open('port');
    const second = await start({ PORT: new URL(world.url).port });
    expect(await second.exited).toBe(93);
    expect(second.log()).toContain('cannot listen at 127.0.0.1:');
    await world.stop();
  });
});
