import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { badInput, messageOf } from '../errors.ts';

/** A file of rows for players, as a run knows it: not its values. */
export interface PlayerData {
  /** Absolute. */
  readonly path: string;
  /** As the scenario names it. */
  readonly name: string;
  readonly columns: readonly string[];
  /** Player n has row n modulo `rows`. */
  readonly rows: number;
  /** In hex. */
  readonly sha256: string;
}

/** What players are given besides the scenario. All values are secrets, which no report holds. */
export interface PlayerInputs {
  readonly data: PlayerData | null;
  /** Values of environment variables, by name. */
  readonly environment: Readonly<Record<string, string>>;
}

export const NO_INPUTS: PlayerInputs = { data: null, environment: {} };

const LARGEST_FILE = 2 ** 30;
const LONGEST_LINE = 64 * 2 ** 10;
const MOST_COLUMNS = 100;
const COLUMN = /^[A-Za-z_][\w-]{0,63}$/;
/** Names that have values of their own, beside those of columns. */
export const GIVEN = ['player', 'id', 'token'];
const FORMAT =
  'a line with the names of the columns, then a line for each player, with commas between the values';

/**
 * Reads a CSV file once, as a stream, and checks every line. No message repeats a value.
 * @throws CapbenchError (104) that names the file and the line
 */
export async function readPlayerData(path: string, name: string): Promise<PlayerData> {
  const found = await stat(path).catch((error: unknown) => {
    throw badInput(
      `${name} cannot be read: ${messageOf(error)}`,
      'the path is relative to the scenario file',
    );
  });
  if (!found.isFile()) throw badInput(`${name} is not a file, expected a CSV file`);
  if (found.size > LARGEST_FILE) {
    throw badInput(`${name} has ${found.size} bytes, expected at most ${LARGEST_FILE}`);
  }
  const hash = createHash('sha256');
  let columns: readonly string[] | null = null;
  let rows = 0;
  for await (const { number, cells } of linesOf(path, name, hash)) {
    if (columns === null) {
      columns = cells;
      checkColumns(cells, name);
    } else {
      rows += 1;
      if (cells.length !== columns.length) {
        throw badInput(
          `${name}:${number}: got ${cells.length} values, expected ${columns.length}, one for each column`,
          'put a value with a comma between double quotes',
        );
      }
    }
  }
  if (columns === null || rows === 0) throw badInput(`${name} has no rows, expected ${FORMAT}`);
  return { path, name, columns, rows, sha256: hash.digest('hex') };
}

function checkColumns(columns: readonly string[], name: string): void {
  const wrong = columns.findIndex((column, i) => !COLUMN.test(column) || columns.indexOf(column) < i);
  if (wrong >= 0) {
    throw badInput(
      `${name}:1: column ${wrong + 1} has no name, one that is used twice, or one that is not of letters, digits, "_" and "-"`,
      `expected ${FORMAT}`,
    );
  }
  const taken = columns.findIndex((column) => GIVEN.includes(column));
  if (taken >= 0) {
    const column = columns[taken];
    throw badInput(
      `${name}:1: column ${taken + 1} is called ${column}, but {${column}} is a value that capbench gives`,
      `give it another name, such as user_${column}; taken are ${GIVEN.join(', ')}`,
    );
  }
  if (columns.length > MOST_COLUMNS) {
    throw badInput(`${name}:1: got ${columns.length} columns, expected at most ${MOST_COLUMNS}`);
  }
}

/**
 * The rows of some players, in their order; of others nothing is kept.
 * @throws an Error when the file has changed since it was checked
 */
export async function rowsOf(
  { path, name, rows }: PlayerData,
  players: ArrayLike<number>,
): Promise<readonly (readonly string[])[]> {
  const wanted = Array.from(players, (player) => player % rows);
  const kept = new Map<number, readonly string[]>(wanted.map((row) => [row, []]));
  const last = wanted.reduce((most, row) => Math.max(most, row), -1);
  let row = -1;
  for await (const { cells } of linesOf(path, name)) {
    if (kept.has(row)) kept.set(row, cells);
    if (row >= last) break;
    row += 1;
  }
  if ([...kept.values()].some((cells) => cells.length === 0)) {
    throw new Error(`${name} has fewer rows than at the start of the run`);
  }
  return wanted.map((one) => kept.get(one) ?? []);
}

interface Line {
  /** From 1. */
  readonly number: number;
  readonly cells: readonly string[];
}

/** The lines of a CSV file that are not empty. */
async function* linesOf(path: string, name: string, hash?: Hash): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  let number = 0;
  const lineOf = (text: string): Line | null => {
    number += 1;
    const line = text.endsWith('\r') ? text.slice(0, -1) : text;
    if (line === '') return null;
    const cells = cellsOf(line);
    if (cells === null)
      throw badInput(`${name}:${number}: a double quote is not closed, or not where a value ends`);
    return { number, cells };
  };
  const decoded = (bytes: Uint8Array | null): string => {
    try {
      return bytes === null ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      throw badInput(`${name}: line ${number + 1} or a later one is not UTF-8`);
    }
  };
  for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) {
    hash?.update(chunk);
    rest += decoded(chunk);
    let from = 0;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', from)) {
      const line = lineOf(rest.slice(from, end));
      from = end + 1;
      if (line !== null) yield line;
    }
    rest = rest.slice(from);
    if (rest.length > LONGEST_LINE) {
      throw badInput(`${name}:${number + 1}: the line is longer than ${LONGEST_LINE} characters`);
    }
  }
  const line = lineOf(rest + decoded(null));
  if (line !== null) yield line;
}

const CELL = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;

/** The values of a line; null where its quotes are wrong. */
function cellsOf(line: string): readonly string[] | null {
  if (!line.includes('"')) return line.split(',');
  const cells: string[] = [];
  CELL.lastIndex = 0;
  for (;;) {
    const match = CELL.exec(line);
    if (match === null) return null;
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === '') return cells;
  }
}
