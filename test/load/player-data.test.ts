import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readPlayerData, rowsOf } from '../../src/load/player-data.ts';

const folder = mkdtempSync(join(tmpdir(), 'data-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'users.csv');

const read = (content: string | Uint8Array) => {
  writeFileSync(path, content);
  return readPlayerData(path, './users.csv');
};

test('rows are read as a stream, and only those of some players are kept', async () => {
  const lines = Array.from({ length: 20_000 }, (_, row) => `user-${row},"p ""${row}"", ü"`);
  const content = `\ufeffname,password\r\n${lines.join('\r\n')}\r\n\r\n`;
  const data = await read(content);
  expect(data).toEqual({
    ...{ path, name: './users.csv', columns: ['name', 'password'], rows: 20_000 },
    sha256: createHash('sha256').update(content).digest('hex'),
  });
  expect(await rowsOf(data, [3, 19_999, 20_003])).toEqual([
    ['user-3', 'p "3", ü'],
    ['user-19999', 'p "19999", ü'],
    ['user-3', 'p "3", ü'],
  ]);
  writeFileSync(path, 'name,password\nonly,one\n');
  await expect(rowsOf(data, [1])).rejects.toThrow('fewer rows');
});

test.each<[content: string | Uint8Array, message: string]>([
  ['', 'has no rows'],
  ['name\n', 'has no rows'],
  ['name,name\na,b\n', './users.csv:1: column 2'],
  ['name,id\na,b\n', './users.csv:1: column 2 is called id'],
  ['player\na\n', './users.csv:1: column 1 is called player'],
  ['na me\na\n', './users.csv:1: column 1'],
  ['a,b\n1,2\n1\n', './users.csv:3: got 1 values, expected 2'],
  ['a,b\n1,"hunter2\n', './users.csv:2: a double quote'],
  [`a\n${'x'.repeat(200_000)}`, './users.csv:2: the line is longer'],
  [Buffer.from('a\n\xff\n', 'latin1'), 'not UTF-8'],
])('%j is refused, and the value is not repeated', async (content, message) => {
  const error = await read(content).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ exitCode: 104 });
  expect(String(error)).toContain(message);
  expect(String(error)).not.toContain('hunter2');
});

test('a file that is missing, or a folder, is refused', async () => {
  await expect(readPlayerData(join(folder, 'none.csv'), 'none.csv')).rejects.toThrow(
    'none.csv cannot be read',
  );
  await expect(readPlayerData(folder, './folder')).rejects.toThrow('is not a file');
});
