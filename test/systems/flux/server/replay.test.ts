import { afterAll, describe, expect, it } from 'vitest';
import { type Random, random } from '../../../../src/rng.ts';
import { startDatabase, startWorld } from './server.ts';
import {
  type Ack,
  connectGenerator,
  connectPlayer,
  metric,
  type TestGenerator,
  type TestPlayer,
} from './wire.ts';

/**
 * The table must follow from the acknowledged operations, computed here independently from what was sent, what
 * was answered, and the initial state. On two servers, with players and monsters that attack one another.
 */
const PLAYERS = 21;
const MONSTERS = 30;
const INSTANCES = 2;
const PER_PLACE = 3;
const INTENTS_EACH = 200;
const COMMANDS_EACH = 20;
const OUTSTANDING = 4;
const DIRECTIONS = ['north', 'east', 'south', 'west'];

interface Expected {
  place: number;
  damage: number;
  seqs: number[];
}

const database = await startDatabase();
const sql = await database.create('replay');
const worlds = await Promise.all(
  Array.from({ length: INSTANCES }, (_, i) =>
    startWorld({
      ...database.environment,
      ...{ INSTANCE_ID: String(i + 1), INSTANCES: String(INSTANCES), PLAYERS: String(PLAYERS) },
      ...{ MONSTERS: String(MONSTERS), PLAYERS_PER_PLACE: String(PER_PLACE) },
    }),
  ),
);
const players: TestPlayer[] = [];
const generators: TestGenerator[] = [];

afterAll(async () => {
  await Promise.all(players.map((player) => player.close()));
  await Promise.all(generators.map((generator) => generator.close()));
  await Promise.all(worlds.map((world) => world.stop()));
  await database.close();
});

/** Which instance has an entity, by the rule of the protocol. */
const instanceOf = (index: number, total: number): number => {
  for (let i = 0; i < INSTANCES; i++) if (index < Math.floor(((i + 1) * total) / INSTANCES)) return i;
  throw new Error(`no instance has ${index} of ${total}`);
};

function anIntent(next: Random): string {
  const kind = next();
  if (kind < 0.45) return `go ${DIRECTIONS[Math.floor(next() * 4)]}`;
  if (kind < 0.8) return `attack ${Math.floor(next() * (PLAYERS + MONSTERS))}`;
  if (kind < 0.85) return 'look';
  if (kind < 0.9) return 'say hello there';
  return kind < 0.95 ? 'guard' : 'sing';
}

describe('a few thousand random intents on two servers', () => {
  it('leave the table that an independent replay of the answers gives', async () => {
    const { rows: begin } = await sql.query<{ id: number; place: number }>('select id, place from entity');
    expect(begin).toHaveLength(PLAYERS + MONSTERS);
    const expected = new Map<number, Expected>(
      begin.map(({ id, place }) => [id, { place, damage: 0, seqs: [] }]),
    );
    const of = (id: number): Expected => {
      const entity = expected.get(id);
      if (entity === undefined) throw new Error(`nobody is ${id}`);
      return entity;
    };

    const playerUrl = (id: number): string => worlds[instanceOf(id, PLAYERS)]?.url ?? '';
    players.push(
      ...(await Promise.all(Array.from({ length: PLAYERS }, (_, id) => connectPlayer(playerUrl(id), id)))),
    );
    for (const { welcome } of players) expect(welcome.place).toBe(of(welcome.player).place);

    const play = async (player: TestPlayer): Promise<void> => {
      const me = of(player.welcome.player);
      const next = random(3, player.welcome.player);
      const inFlight: Promise<void>[] = [];
      for (let i = 0; i < INTENTS_EACH; i++) {
        if (inFlight.length === OUTSTANDING) await inFlight.shift();
        const text = anIntent(next);
        inFlight.push(
          player.ask(text).then((ack) => {
            me.seqs.push(ack.seq);
            settle(me, text, ack);
          }),
        );
      }
      await Promise.all(inFlight);
    };
    let [accepted, rejected] = [0, 0];
    const settle = (me: Expected, text: string, ack: Ack): void => {
      if (!ack.ok) {
        rejected++;
        return;
      }
      accepted++;
      const [verb, object] = text.split(' ');
      if (verb === 'attack') of(Number(object)).damage += 10;
      else if (verb === 'go') me.place = ack.place ?? -1;
      else if (verb === 'look') expect(ack.place).toBe(me.place);
    };

    for (const { url } of worlds) generators.push(await connectGenerator(url, 'g0'));
    let post = 0;
    const command = async (monster: number): Promise<void> => {
      const me = of(PLAYERS + monster);
      const generator = generators[instanceOf(monster, MONSTERS)];
      if (generator === undefined) throw new Error('no generator');
      const next = random(4, monster);
      for (let seq = 1; seq <= COMMANDS_EACH; seq++) {
        // A move's goal is not reported for a monster: they stand and fight.
        const text = next() < 0.7 ? `attack ${Math.floor(next() * (PLAYERS + MONSTERS))}` : 'guard';
        const number = post++;
        expect((await generator.post(number, [[PLAYERS + monster, seq, text]])).status).toBe(202);
        const [ok] = await generator.committed(number);
        me.seqs.push(seq);
        if (ok === 1 && text.startsWith('attack')) of(Number(text.slice(7))).damage += 10;
      }
    };

    await Promise.all([...players.map(play), ...Array.from({ length: MONSTERS }, (_, id) => command(id))]);

    expect(accepted + rejected).toBe(PLAYERS * INTENTS_EACH);
    expect(accepted).toBeGreaterThan(1_000);
    expect(rejected).toBeGreaterThan(500);
    const { rows } = await sql.query(
      'select id, place, damage, last_seq, applied_n, seq_sum::int as seq_sum from entity order by id',
    );
    const replayed = [...expected].sort(([a], [b]) => a - b);
    expect(rows).toEqual(
      replayed.map(([id, { place, damage, seqs }]) => ({
        ...{ id, place, damage, last_seq: Math.max(...seqs), applied_n: seqs.length },
        seq_sum: seqs.reduce((sum, seq) => sum + seq, 0),
      })),
    );
    expect(replayed.filter(([, { damage }]) => damage > 0).length).toBeGreaterThan(20);
    // Moves were made, and none of them to a place of the other server.
    expect(players.some(({ welcome }) => of(welcome.player).place !== welcome.place)).toBe(true);
    const placesOfFirst = Math.ceil(Math.floor(PLAYERS / INSTANCES) / PER_PLACE);
    for (const { welcome } of players) {
      expect(of(welcome.player).place < placesOfFirst).toBe(instanceOf(welcome.player, PLAYERS) === 0);
    }
  });

  it('are counted three ways alike: by the servers, by PostgreSQL, and in the rows', async () => {
    const total = async (name: string): Promise<number> =>
      (await Promise.all(worlds.map(({ url }) => metric(url, name)))).reduce((sum, value) => sum + value, 0);
    const rowWrites = await total('capbench_world_row_writes_total');
    await expect
      .poll(async () => {
        const { rows } = await sql.query(
          "select n_tup_upd::int as n from pg_stat_user_tables where relname = 'entity'",
        );
        return rows[0].n;
      })
      .toBe(rowWrites);
    const operations = PLAYERS * INTENTS_EACH + MONSTERS * COMMANDS_EACH;
    expect(await total('capbench_world_operations_total')).toBe(operations);
    expect((await sql.query('select sum(applied_n)::int as n from entity')).rows).toEqual([
      { n: operations },
    ]);
  });
});
