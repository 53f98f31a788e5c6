import { once } from 'node:events';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { WorldHealth } from '../../../../src/systems/flux/health.ts';
import { startDatabase, startWorld, type WorldProcess } from './server.ts';
import { type Ack, connectGenerator, connectPlayer, metric, type TestPlayer } from './wire.ts';

const database = await startDatabase();
afterAll(() => database.close());

/** 12 players and 24 monsters in 4 places (two by two) of one server. */
const SMALL = { PLAYERS: '12', MONSTERS: '24', PLAYERS_PER_PLACE: '3' };

/** A row as other programs read it. */
interface Row {
  readonly id: number;
  readonly last_seq: number;
  readonly applied_n: number;
  readonly seq_sum: string;
}

const rowsOf = async (sql: pg.Client): Promise<Row[]> =>
  (await sql.query<Row>('select id, last_seq, applied_n, seq_sum from entity order by id')).rows;

const anyExit = (player: TestPlayer): string => {
  const exit = player.welcome.exits[0];
  if (exit === undefined) throw new Error('the place of this player has no exit: choose another one');
  return exit;
};

describe('a world server', () => {
  let sql: pg.Client;
  let world: WorldProcess;
  const open: TestPlayer[] = [];
  const connect = async (player: number): Promise<TestPlayer> => {
    const client = await connectPlayer(world.url, player);
    open.push(client);
    return client;
  };

  beforeAll(async () => {
    sql = await database.create('one');
    world = await startWorld({ ...database.environment, ...SMALL });
    expect(world.log()).toContain('listens at');
  });
  afterAll(async () => {
    await Promise.all(open.map((client) => client.close()));
    expect(await world.stop()).toBe(0);
  });

  it('identifies itself at /health', async () => {
    const health: unknown = await (await fetch(`${world.url}/health`)).json();
    const asked = {
      ...{ status: 'ok', world: 'flux', protocol: 1, instance: 1, instances: 1, rowShape: 'columns' },
      ...{ playersTotal: 12, players: { from: 0, to: 12 } },
      ...{ monstersTotal: 24, monsters: { from: 12, to: 36 } },
    } satisfies WorldHealth;
    expect(health).toEqual({ ...asked, database: 'connected' });
  });

  it('inserts its entities where they begin', async () => {
    const { rows } = await sql.query(
      'select id, place, damage, last_seq, applied_n, seq_sum from entity order by id',
    );
    expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: 36 }, (_, id) => id));
    expect(rows.map(({ place }) => place)).toEqual(Array.from({ length: 36 }, (_, id) => id % 4));
    expect(rows.every((r) => r.damage + r.last_seq + r.applied_n + Number(r.seq_sum) === 0)).toBe(true);
  });

  it('welcomes a player with what it sees', async () => {
    const { welcome } = await connect(0);
    expect(welcome).toMatchObject({ player: 0, place: 0, lastSeq: 0 });
    expect([...welcome.present].sort()).toEqual([4, 8]);
    expect(['north', 'west'].some((exit) => welcome.exits.includes(exit))).toBe(false);
  });

  it('rejects an impossible move, and uses its number up', async () => {
    const player = open[0] ?? (await connect(0));
    const ack = await player.ask('go north');
    expect(ack).toEqual({ seq: 1, ok: false, why: 'there is no exit to the north' });
    expect((await rowsOf(sql))[0]).toEqual({ id: 0, last_seq: 1, applied_n: 1, seq_sum: '1' });
  });

  it('sends an event to players in the same place, and to nobody else', async () => {
    const [actor, neighbour, stranger] = [await connect(1), await connect(5), await connect(2)];
    expect(await actor.ask('  SAY  Grüße, "you"!  ')).toEqual({ seq: 1, ok: true });
    expect(await actor.ask('attack 5')).toEqual({ seq: 2, ok: true });
    expect(await actor.ask('look')).toMatchObject({ seq: 3, ok: true, place: 1 });
    expect(await actor.ask('guard')).toEqual({ seq: 4, ok: true });
    const moved = await actor.ask(`go ${anyExit(actor)}`);
    expect(moved).toMatchObject({ seq: 5, ok: true });
    expect(moved.exits).not.toEqual([]);
    await neighbour.ask('guard');
    await stranger.ask('guard');
    expect(neighbour.events).toEqual([
      { actor: 1, did: 'said', words: 'Grüße, "you"!' },
      { actor: 1, did: 'attacked', target: 5 },
      { actor: 1, did: 'left', to: anyExit(actor) },
    ]);
    expect(actor.events).toEqual([]);
    // Place 2 is not next to place 1 in a grid of two by two.
    expect(moved.place).not.toBe(2);
    expect(stranger.events).toEqual([]);
    const back = { north: 'south', east: 'west', south: 'north', west: 'east' }[anyExit(actor)] ?? '';
    expect(await actor.ask(`go ${back}`)).toMatchObject({ seq: 6, ok: true, place: 1 });
    await neighbour.ask('guard');
    expect(neighbour.events.at(-1)).toEqual({ actor: 1, did: 'arrived' });
    const { rows } = await sql.query('select damage from entity where id = 5');
    expect(rows).toEqual([{ damage: 10 }]);
  });

  it('rejects what the rules do not allow', async () => {
    const player = await connect(3);
    const why = async (text: string): Promise<string | undefined> => (await player.ask(text)).why;
    expect(await why('attack 3')).toBe('you cannot attack yourself');
    expect(await why('attack 2')).toBe('2 is not here');
    expect(await why('attack 99999')).toBe('99999 is not here');
    expect(await why('attack 15')).toBeUndefined();
    expect(await why('dance')).toBe('I do not understand "dance"');
    expect(await why(`say ${'x'.repeat(201)}`)).toContain('200 characters');
    expect(await why(`say ${'x'.repeat(200)}`)).toBeUndefined();
    const { rows } = await sql.query('select last_seq, applied_n, seq_sum from entity where id = 3');
    expect(rows).toEqual([{ last_seq: 7, applied_n: 7, seq_sum: '28' }]);
  });

  it('rejects a used sequence number, and does not record it', async () => {
    const player = await connect(6);
    await player.ask('guard');
    await player.ask('guard');
    const again = player.ack(2);
    player.send(2, 'guard');
    expect(await again).toEqual({ seq: 2, ok: false, why: 'sequence already used' });
    expect((await rowsOf(sql))[6]).toEqual({ id: 6, last_seq: 2, applied_n: 2, seq_sum: '3' });
  });

  it('continues with the last number of a player', async () => {
    const player = await connectPlayer(world.url, 7);
    await player.ask('guard');
    await player.close();
    const again = await connect(7);
    expect(again.welcome.lastSeq).toBe(1);
    expect(await again.ask('guard')).toEqual({ seq: 2, ok: true });
  });

  it('coalesces what one entity does in a batch into one row write', async () => {
    const player = await connect(8);
    const before = await metric(world.url, 'capbench_world_row_writes_total');
    const acked = player.ack(4);
    for (let seq = 1; seq <= 4; seq++) player.send(seq, 'guard');
    await acked;
    // All four arrive within one window, or in two at worst.
    expect((await metric(world.url, 'capbench_world_row_writes_total')) - before).toBeLessThanOrEqual(2);
    expect((await rowsOf(sql))[8]).toEqual({ id: 8, last_seq: 4, applied_n: 4, seq_sum: '10' });
  });

  it('answers only after the commit', async () => {
    const player = await connect(9);
    await sql.query('begin; lock table entity in exclusive mode');
    let answered: Ack | undefined;
    const ack = player.ask('guard').then((a) => {
      answered = a;
      return a;
    });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(answered).toBeUndefined();
    await sql.query('commit');
    expect(await ack).toEqual({ seq: 1, ok: true });
    expect((await rowsOf(sql))[9]).toMatchObject({ last_seq: 1 });
  });

  it('accepts monster commands, and reports each post once all of it has committed', async () => {
    const generator = await connectGenerator(world.url, 'g0');
    expect(generator.welcome).toEqual({ generator: 'g0', lastSeq: null });
    const response = await generator.post(1, [
      [12, 1, 'guard'],
      [13, 1, 'attack 12'],
      [16, 1, 'attack 12'],
      [12, 2, 'nonsense'],
      [12, 2, 'guard'],
    ]);
    expect([response.status, await response.json()]).toEqual([202, { accepted: 5 }]);
    expect(await generator.committed(1)).toEqual([2, 3]);
    const rows = await rowsOf(sql);
    expect(rows[12]).toEqual({ id: 12, last_seq: 2, applied_n: 2, seq_sum: '3' });
    expect((await sql.query('select damage from entity where id = 12')).rows).toEqual([{ damage: 10 }]);
    await generator.close();
    const again = await connectGenerator(world.url, 'g0');
    expect(again.welcome.lastSeq?.slice(0, 5)).toEqual([2, 1, 0, 0, 1]);
    expect(again.welcome.lastSeq).toHaveLength(24);
    await again.close();
  });

  it('refuses malformed posts and applies nothing of them', async () => {
    const generator = await connectGenerator(world.url, 'g1');
    const before = await rowsOf(sql);
    const good = [20, 1, 'guard'];
    const json = { 'content-type': 'application/json' };
    const status = async (query: string, body = JSON.stringify([good]), headers = json): Promise<number> =>
      (await fetch(`${world.url}/commands${query}`, { method: 'POST', body, headers })).status;
    const refused = (commands: unknown): Promise<number> =>
      status('?generator=g1&post=1', typeof commands === 'string' ? commands : JSON.stringify(commands));
    const wrong: unknown[] = [
      ...[null, [20], [20, 2], [20, 2, 'guard', 1], ['20', 2, 'guard'], [20, 0, 'guard'], [20, 1.5, 'guard']],
      ...[
        [20, 2 ** 31, 'guard'],
        [20, 2, null],
        [3, 1, 'guard'],
        [36, 1, 'guard'],
        [-1, 1, 'guard'],
      ],
    ];
    const bad: unknown[] = [
      ...['', '{', 'null', '{}', '[]', '"x"', ...wrong.map((command) => [good, command])],
      Array.from({ length: 5_001 }, (_, i) => [20, i + 1, 'guard']),
    ];
    for (const commands of bad) expect([commands, await refused(commands)]).toEqual([commands, 400]);
    expect(await refused(`[${' '.repeat(2 ** 20)}]`)).toBe(413);
    expect(await refused(`[${' '.repeat(2 ** 23)}]`)).toBe(413);
    expect(await status('?generator=g1&post=1', undefined, { 'content-type': 'text/plain' })).toBe(400);
    for (const query of ['?generator=g1', '?generator=g1&post=-1', '?post=1', '?generator=a%20b&post=1']) {
      expect([query, await status(query)]).toEqual([query, 400]);
    }
    await generator.close();
    expect(await rowsOf(sql)).toEqual(before);
  });

  it('refuses upgrades that it cannot serve, before the upgrade', async () => {
    const status = async (path: string): Promise<number | undefined> => {
      const socket = new WebSocket(`${world.url.replace('http', 'ws')}${path}`);
      socket.on('error', () => undefined);
      const [, response] = await once(socket, 'unexpected-response');
      response.resume();
      return response.statusCode;
    };
    await connect(11);
    expect(await status('/play?player=12')).toBe(404);
    expect(await status('/play?player=11')).toBe(409);
    for (const player of ['', 'x', '-1', '1.5', '1e1', '9999999999']) {
      expect([player, await status(`/play?player=${player}`)]).toEqual([player, 400]);
    }
    expect(await status('/play')).toBe(400);
    expect(await status('/commits')).toBe(400);
    expect(await status('/elsewhere')).toBe(404);
    expect((await fetch(`${world.url}/play?player=1`)).status).toBe(400);
    expect((await fetch(`${world.url}/nothing`)).status).toBe(404);
    expect((await fetch(`${world.url}/health`, { method: 'POST' })).status).toBe(404);
  });

  it('closes a connection that violates the protocol', async () => {
    const closed = async (...frames: (string | Buffer)[]): Promise<number> => {
      const { socket } = await connectPlayer(world.url, 10);
      for (const frame of frames) socket.send(frame);
      const [code] = await once(socket, 'close');
      return code;
    };
    const malformed = [
      ...['', 'x', 'null', '[]', '{}', '{"seq":1}', '{"text":"look"}', '{"seq":0,"text":"look"}'],
      ...['{"seq":"1","text":"look"}', '{"seq":1.5,"text":"look"}', '{"seq":2147483648,"text":"look"}'],
      '{"seq":1,"text":7}',
    ];
    for (const frame of malformed) expect([frame, await closed(frame)]).toEqual([frame, 1007]);
    expect(await closed('x', '{"seq":1,"text":"guard"}')).toBe(1007);
    expect(await closed(Buffer.from('{"seq":1,"text":"look"}'))).toBe(1007);
    expect(await closed(`{"seq":1,"text":"${'x'.repeat(1_100)}"}`)).toBe(1009);
    expect((await rowsOf(sql))[10]).toMatchObject({ last_seq: 0 });
  });

  it('publishes figures that agree with PostgreSQL and with the rows', async () => {
    const rowWrites = await metric(world.url, 'capbench_world_row_writes_total');
    await expect
      .poll(async () => {
        const { rows } = await sql.query(
          "select n_tup_upd from pg_stat_user_tables where relname = 'entity'",
        );
        return Number(rows[0]?.n_tup_upd);
      })
      .toBe(rowWrites);
    const recorded = (await rowsOf(sql)).reduce((sum, row) => sum + row.applied_n, 0);
    // Two numbers were sent twice: the repeats were answered and not recorded.
    expect(await metric(world.url, 'capbench_world_operations_total')).toBe(recorded + 2);
    const text = await (await fetch(`${world.url}/metrics`)).text();
    expect(text).toContain('capbench_world_batch_operations_bucket{le="1663"}');
    expect(text).toContain('capbench_world_batches_total{reason="time"}');
    expect(await metric(world.url, 'capbench_world_entities')).toBe(36);
    expect(await metric(world.url, 'capbench_world_connections')).toBe(
      open.filter(({ socket }) => socket.readyState === WebSocket.OPEN).length,
    );
    expect(await metric(world.url, 'capbench_world_flush_seconds_count')).toBeLessThanOrEqual(
      await metric(world.url, 'capbench_world_batch_operations_count'),
    );
  });
});
