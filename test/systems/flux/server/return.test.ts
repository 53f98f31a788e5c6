import { once } from 'node:events';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { startDatabase, startWorld, type WorldProcess } from './server.ts';
import { commandsOf, connectGenerator, connectPlayer, metric } from './wire.ts';

/** Reconnecting players and generators: what their welcome states is in the rows, and nothing older follows it. */

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const PLAYERS = 4;
const MONSTERS = 2_000;
const database = await startDatabase();
let world: WorldProcess;
let sql: pg.Client;
let worlds = 0;

afterAll(() => database.close());
afterEach(() => world.stop());

async function start(): Promise<void> {
  sql = await database.create(`return_${worlds++}`);
  world = await startWorld({
    ...database.environment,
    ...{ PLAYERS: String(PLAYERS), MONSTERS: String(MONSTERS), PLAYERS_PER_PLACE: '2' },
  });
}

/** Holds every batch back, until the returned function lets them go. */
async function holdRows(): Promise<() => Promise<unknown>> {
  await sql.query('begin; lock table entity in exclusive mode');
  return () => sql.query('rollback');
}

/** Retries while the server answers 409, because it may not have seen the end of the earlier connection. */
async function comeBack<T>(connect: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      if (!String(error).includes('409')) throw error;
    }
    await sleep(10);
  }
}

/** A socket that has not received its welcome. */
const openAgain = (): Promise<WebSocket> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`${world.url.replace('http', 'ws')}/play?player=0`);
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });

const isPending = async (promise: Promise<unknown>, millis: number): Promise<boolean> =>
  (await Promise.race([promise, sleep(millis, 'pending')])) === 'pending';

const lastSeqs = async (from: number, to: number): Promise<number[]> => {
  const text = 'select last_seq from entity where id >= $1 and id < $2 order by id';
  return (await sql.query(text, [from, to])).rows.map((row) => row.last_seq);
};

async function cut(player: { readonly socket: WebSocket }): Promise<void> {
  player.socket.terminate();
  await once(player.socket, 'close');
}

/** Cuts a player off while its one intent is in flight. Returns a function that releases the intent. */
async function cutInFlight(): Promise<() => Promise<unknown>> {
  await start();
  const player = await connectPlayer(world.url, 0);
  const release = await holdRows();
  player.send(1, 'guard');
  await sleep(50);
  await cut(player);
  return release;
}

describe('a player who comes back', () => {
  it('is welcomed when everything that it had sent has committed, and continues from there', async () => {
    await start();
    const player = await connectPlayer(world.url, 0);
    await player.ask('guard');
    const release = await holdRows();
    // The first is in flight, and the others wait for it.
    player.send(2, 'guard');
    await sleep(100);
    player.send(3, 'attack 2');
    player.send(4, 'sing');
    await expect.poll(() => metric(world.url, 'capbench_world_queued_operations')).toBe(2);
    await cut(player);
    const back = comeBack(() => connectPlayer(world.url, 0));
    expect(await isPending(back, 300)).toBe(true);
    // A player with nothing in flight does not wait.
    const other = await connectPlayer(world.url, 1);
    expect(other.welcome.lastSeq).toBe(0);
    // Each player still has only one connection.
    const [refused] = await once(new WebSocket(`${world.url.replace('http', 'ws')}/play?player=0`), 'error');
    expect(String(refused)).toContain('409');
    await release();
    const returned = await back;
    expect(returned.welcome.lastSeq).toBe(4);
    expect(await lastSeqs(0, 1)).toEqual([4]);
    // Nothing from the earlier connection.
    expect(returned.acks).toEqual([]);
    expect(await returned.ask('look')).toMatchObject({ seq: 5, ok: true });
    await returned.close();
    await other.close();
  });

  it('and is cut off again before its welcome is no longer connected', async () => {
    const release = await cutInFlight();
    const held = await comeBack(openAgain);
    held.terminate();
    await once(held, 'close');
    const back = comeBack(() => connectPlayer(world.url, 0));
    await release();
    expect((await back).welcome.lastSeq).toBe(1);
    await (await back).close();
  });

  it('and sends a message before its welcome is disconnected', async () => {
    const release = await cutInFlight();
    const early = await comeBack(openAgain);
    early.send('{"seq":2,"text":"guard"}');
    expect((await once(early, 'close'))[0]).toBe(1007);
    await release();
    await expect.poll(() => lastSeqs(0, 1)).toEqual([1]);
  });

  it('can reconnect although the server had stopped reading from it', async () => {
    await start();
    const player = await connectPlayer(world.url, 0);
    const release = await holdRows();
    // The first is in flight, and the others wait for it.
    player.send(1, 'guard');
    await sleep(100);
    for (let seq = 2; seq <= 200; seq++) player.send(seq, 'guard');
    await expect.poll(() => metric(world.url, 'capbench_world_queued_operations')).toBeGreaterThanOrEqual(31);
    await cut(player);
    const back = comeBack(() => connectPlayer(world.url, 0));
    expect(await isPending(back, 200)).toBe(true);
    await expect.poll(() => metric(world.url, 'capbench_world_connections')).toBe(0);
    await release();
    const { lastSeq } = (await back).welcome;
    expect(lastSeq).toBeGreaterThanOrEqual(32);
    expect(await lastSeqs(0, 1)).toEqual([lastSeq]);
    await (await back).close();
  });
});

const commands = commandsOf(PLAYERS, MONSTERS);

/** Over a connection of its own. */
async function postAnew(post: number, body: unknown): Promise<number | undefined> {
  const sent = request(`${world.url}/commands?generator=g0&post=${post}`, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json' },
  });
  sent.end(JSON.stringify(body));
  const [response] = await once(sent, 'response');
  response.resume();
  return response.statusCode;
}

describe('a generator that comes back', () => {
  it('receives what has committed; its held posts are refused, and so are its late ones', async () => {
    await start();
    const generator = await connectGenerator(world.url, 'g0');
    const release = await holdRows();
    const answers = Array.from({ length: 13 }, (_, n) =>
      generator.post(n, commands(n * 5_000, 5_000)).then(({ status }) => status),
    );
    await expect
      .poll(() => metric(world.url, 'capbench_world_queued_operations'), { timeout: 20_000 })
      .toBeGreaterThan(45_000);
    generator.socket.terminate();
    const statuses = await Promise.all(answers);
    expect(new Set(statuses)).toEqual(new Set([202, 409]));
    const taken = statuses.filter((status) => status === 202).length;
    // Posts over an earlier connection, and over a new one while no socket for commits is open.
    expect((await generator.post(90, commands(65_000, 10))).status).toBe(409);
    expect(await postAnew(91, commands(65_000, 10))).toBe(409);
    const back = comeBack(() => connectGenerator(world.url, 'g0'));
    expect(await isPending(back, 300)).toBe(true);
    expect(await postAnew(92, commands(65_000, 10))).toBe(409);
    await release();
    const { welcome, commits, committed, close } = await back;
    expect(welcome.lastSeq).toEqual(await lastSeqs(PLAYERS, PLAYERS + MONSTERS));
    const { rows } = await sql.query('select sum(applied_n)::int as n from entity');
    expect(rows).toEqual([{ n: taken * 5_000 }]);
    expect(commits).toEqual([]);
    // One of the earlier connections still waits with a post.
    expect((await generator.post(93, commands(65_000, 10))).status).toBe(409);
    const next = (welcome.lastSeq ?? []).slice(0, 100).map((seq, i) => [PLAYERS + i, seq + 1, 'guard']);
    expect(await postAnew(14, next)).toBe(202);
    expect(await committed(14)).toEqual([100, 0]);
    expect((await sql.query('select sum(applied_n)::int as n from entity')).rows).toEqual([
      { n: taken * 5_000 + 100 },
    ]);
    await close();
  });

  it('is not welcomed with numbers that are in flight', async () => {
    await start();
    const first = await connectGenerator(world.url, 'g0');
    const second = await connectGenerator(world.url, 'g1');
    expect((await first.post(1, commands(0, 10))).status).toBe(202);
    await first.committed(1);
    await second.close();
    const release = await holdRows();
    expect((await first.post(2, commands(MONSTERS, 10))).status).toBe(202);
    await sleep(100);
    const back = comeBack(() => connectGenerator(world.url, 'g1'));
    await isPending(back, 200);
    await release();
    expect((await back).welcome.lastSeq).toEqual(await lastSeqs(PLAYERS, PLAYERS + MONSTERS));
    await (await back).close();
    await first.close();
  });
});
