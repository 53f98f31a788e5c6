import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openGameTable } from '../../../../src/systems/mud/server/game-table.ts';
import { playedAway } from '../../../../src/systems/mud/server/outage.ts';
import { counted, newPlayer, type PlayerState } from '../../../../src/systems/mud/server/player-state.ts';
import { startDatabase, type TestDatabase } from '../../flux/server/server.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await startDatabase();
});
afterAll(() => db.close());

let databases = 0;
async function openTable() {
  const name = `game_${++databases}`;
  await (await db.create(name)).end();
  const { host, port, user, password } = db.postgres.database;
  const table = await openGameTable({
    ...{ database: { host, port, user, password, name }, application: 'test', most: 100 },
    log: () => undefined,
  });
  onTestFinished(() => table.close(1_000));
  return table;
}

const after = (numbers: readonly number[], from: PlayerState = newPlayer(1, 1)): PlayerState =>
  numbers.reduce((state, number) => counted(state, number), from);

test('a row is only replaced by a state with more numbers', async () => {
  const table = await openTable();
  expect(await table.load(1)).toBeNull();
  expect(await table.save(1, after([1, 2, 3]))).toBe(true);
  // Older, and contained.
  expect(await table.save(1, after([1, 2]))).toBe(true);
  expect(await table.load(1)).toEqual(after([1, 2, 3]));
  expect(await table.save(1, after([1, 2, 3]))).toBe(true);
  expect(await table.save(1, after([1, 2, 3, 4]))).toBe(true);
  expect(await table.load(1)).toEqual(after([1, 2, 3, 4]));
});

test('a command that was carried out on an older row is not taken for kept', async () => {
  const table = await openTable();
  const read = after([1, 2]);
  await table.save(1, read);
  // Another server saves what Redis had, before this one has written.
  await table.save(1, after([3, 4], read));
  expect(await table.save(1, playedAway(read, 5, 'look'))).toBe(false);
  expect(await table.load(1)).toEqual(after([1, 2, 3, 4]));
});

test('what Redis had does not replace a row that was played on without it', async () => {
  const table = await openTable();
  const read = after([1, 2]);
  await table.save(1, read);
  const away = playedAway(read, 6, 'look');
  expect(await table.save(1, away)).toBe(true);
  expect(await table.save(1, after([3, 4, 5], read))).toBe(false);
  expect(await table.load(1)).toEqual(away);
});

test('players are read and written together, the newest state of each', async () => {
  const table = await openTable();
  const kept = await Promise.all([
    table.save(1, after([1])),
    table.save(1, after([1, 2])),
    table.save(2, after([1], newPlayer(2, 1))),
  ]);
  expect(kept).toEqual([true, true, true]);
  const rows = await Promise.all([1, 2, 3].map((player) => table.load(player)));
  expect(rows.map((row) => row?.lastSeq)).toEqual([2, 1, undefined]);
});
