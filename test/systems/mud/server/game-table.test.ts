import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openGameTable } from '../../../../src/systems/mud/server/game-table.ts';
import { playedAway } from '../../../../src/systems/mud/server/merge.ts';
import { counted, newPlayer, type PlayerState } from '../../../../src/systems/mud/server/player-state.ts';
import { startDatabase, type TestDatabase } from '../../flux/server/server.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await startDatabase();
});
afterAll(() => db.close());

let databases = 0;
async function createDatabase(): Promise<string> {
  const name = `game_${++databases}`;
  await (await db.create(name)).end();
  return name;
}

async function openTable(own?: string) {
  const name = own ?? (await createDatabase());
  const { host, port, user, password } = db.postgres.database;
  const table = await openGameTable({
    ...{ database: { host, port, user, password, name }, application: 'test', most: 100, rooms: 1 },
    log: () => undefined,
  });
  onTestFinished(() => table.close(1_000));
  return table;
}

const after = (numbers: readonly number[], from: PlayerState = newPlayer(1, 1)): PlayerState =>
  numbers.reduce((state, number) => counted(state, number), from);

const lastOfRow = (row: PlayerState | null) => row?.numbers.at(-1)?.[1];

test('a row only grows', async () => {
  const table = await openTable();
  expect(await table.load(1)).toBeNull();
  expect(await table.save(1, after([1, 2, 3]))).toEqual(after([1, 2, 3]));
  expect(await table.save(1, after([1, 2]))).toEqual(after([1, 2, 3]));
  expect(await table.load(1)).toEqual(after([1, 2, 3]));
  expect(await table.save(1, after([1, 2, 3, 4]))).toEqual(after([1, 2, 3, 4]));
  expect(await table.load(1)).toEqual(after([1, 2, 3, 4]));
});

test('a command that was carried out on an older row is kept beside what was saved meanwhile, in either order', async () => {
  const table = await openTable();
  const read = after([1, 2]);
  const [inRedis, away] = [after([3, 4], read), playedAway(read, 5, 'look')];
  for (const [player, first, second] of [
    [1, inRedis, away],
    [2, away, inRedis],
  ] as const) {
    await table.save(player, read);
    await table.save(player, first);
    await table.save(player, second);
    const row = await table.load(player);
    expect(row).toMatchObject({ numbers: [[1, 5]], outage: [[5, 'look']] });
    expect(row?.seqHash).toBe(after([1, 2, 3, 4, 5]).seqHash);
  }
});

test('players are read and written together', async () => {
  const table = await openTable();
  const kept = await Promise.all([
    table.save(1, after([1])),
    table.save(1, after([1, 2])),
    table.save(2, after([1], newPlayer(2, 1))),
  ]);
  expect(kept.map(lastOfRow)).toEqual([2, 2, 1]);
  const rows = await Promise.all([1, 2, 3].map((player) => table.load(player)));
  expect(rows.map(lastOfRow)).toEqual([2, 1, undefined]);
});

test('servers that save the same new players at once, each something else, lose nothing of it', async () => {
  const name = await createDatabase();
  const tables = await Promise.all([openTable(name), openTable(name), openTable(name)]);
  const players = Array.from({ length: 40 }, (_, player) => player);
  for (let round = 0; round < 5; round++)
    await Promise.all(
      tables.flatMap((table, at) =>
        players.map(async (player) => {
          const number = round * tables.length + at + 1;
          await table.save(player, after([number], newPlayer(player, 1)));
        }),
      ),
    );
  for (const player of players)
    expect((await tables[0]!.load(player))?.numbers).toEqual([[1, 5 * tables.length]]);
});
