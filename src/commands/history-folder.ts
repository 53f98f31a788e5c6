import { open, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  entryOf,
  type History,
  type HistoryEntry,
  type HistoryFile,
  lineOf,
  readHistory,
} from '../compare/history-entry.ts';
import { readTrial, type Trial } from '../compare/trial.ts';
import { badInput, codeOf, messageOf } from '../errors.ts';
import type { Host } from '../host.ts';
import { makeFolders, readBounded, unwritable } from '../measurement/bundle.ts';
import { LARGEST_REPORT, REPORT } from './recorded-reports.ts';
import { readTrials } from './recorded-trials.ts';
import { nearby } from './shown-path.ts';

/** Where `history add` writes. What else ends with .jsonl is read, too: of other jobs, which were put beside it. */
const FILE = 'history.jsonl';
const LARGEST_FILE = 64 * 2 ** 20;
/** Two branches that both added lines are merged by keeping the lines of both. */
const [ATTRIBUTES, UNION] = ['.gitattributes', '*.jsonl merge=union text eol=lf\n'];

const HINT = 'the first argument is the folder of a history, to which `capbench history add` adds runs';

/**
 * Reads a history.
 * @param isNew nothing has to be there yet
 * @throws CapbenchError (104) where it cannot be read, or where the folder is a bundle
 */
export async function readHistoryFolder(host: Host, folder: string, isNew = false): Promise<History> {
  return readHistory(await filesIn(host, folder, isNew));
}

/** The paths of the files of a history. */
export async function historyFiles(host: Host, folder: string): Promise<readonly string[]> {
  return (await namesIn(host, folder, true)).map((name) => join(folder, name));
}

async function filesIn(host: Host, folder: string, isNew: boolean): Promise<readonly HistoryFile[]> {
  const names = await namesIn(host, folder, isNew);
  return Promise.all(
    names.map(async (name) => {
      const shown = nearby(host, join(folder, name));
      const bytes = await readBounded(join(folder, name), LARGEST_FILE, HINT, shown);
      return { name: shown, text: new TextDecoder('utf-8').decode(bytes) };
    }),
  );
}

async function namesIn(host: Host, folder: string, isNew: boolean): Promise<readonly string[]> {
  const shown = nearby(host, folder);
  const names = await readdir(folder).catch((error): readonly string[] => {
    if (codeOf(error) === 'ENOENT') {
      if (isNew) return [];
      throw badInput(`${shown} does not exist`, HINT);
    }
    throw badInput(`${shown} cannot be read: ${messageOf(error)}`, HINT);
  });
  if (names.includes(REPORT) || names.includes('measurements.json'))
    throw badInput(`${shown} is a bundle, and no history`, HINT);
  const found = names.filter((name) => name.endsWith('.jsonl')).toSorted();
  if (found.length === 0 && !isNew)
    throw badInput(`${shown} holds no history: no file ends with .jsonl`, HINT);
  return found;
}

/** The line for a bundle, or for a folder of trials. @throws CapbenchError (104) where it cannot be read */
export async function readEntry(host: Host, bundle: string): Promise<HistoryEntry> {
  const trials = await readTrials(bundle);
  const folders = trials === null ? [bundle] : trials.folders.map((name) => join(bundle, name));
  const [first, ...others] = await Promise.all(folders.map((one) => readReport(host, one)));
  if (first === undefined) throw badInput(`${nearby(host, bundle)} has no trial`);
  return host.redaction.data(entryOf([first, ...others]));
}

async function readReport(host: Host, bundle: string): Promise<Trial> {
  const shown = nearby(host, join(bundle, REPORT));
  return readTrial(
    await readBounded(join(bundle, REPORT), LARGEST_REPORT, undefined, shown),
    nearby(host, bundle),
  );
}

const ATTEMPTS = 3;

/**
 * Adds lines at the end. Others may do so at the same time: a line is written at once, at the end that the file then has.
 * Where what was there before was cut within a line, it is closed first; and what was written is read again, since
 * somebody else's line may have been cut right then.
 * @throws CapbenchError (104, or 90 where the disk is full) where it cannot be written
 */
export async function appendEntries(
  host: Host,
  folder: string,
  entries: readonly HistoryEntry[],
): Promise<void> {
  const path = join(folder, FILE);
  const shown = nearby(host, path);
  const hint = 'name a folder that you may write to';
  try {
    await makeFolders(folder);
    await writeFile(join(folder, ATTRIBUTES), UNION, { flag: 'wx' }).catch((error) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
    let missing = entries;
    for (let attempt = 0; attempt < ATTEMPTS && missing.length > 0; attempt++) {
      await append(path, missing);
      const { entries: read } = await readHistoryFolder(host, folder);
      const ids = new Set(read.map(({ id }) => id));
      missing = missing.filter(({ id }) => !ids.has(id));
    }
    if (missing.length > 0) throw new Error('what was written is not there');
  } catch (thrown) {
    throw unwritable(shown, thrown, hint);
  }
}

async function append(path: string, entries: readonly HistoryEntry[]): Promise<void> {
  const file = await open(path, 'a+');
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
    const isCut = bytesRead === 1 && buffer.toString() !== '\n';
    const bytes = Buffer.from(`${isCut ? '\n' : ''}${entries.map(lineOf).join('\n')}\n`);
    // One write, so that lines of two processes do not mix.
    const { bytesWritten } = await file.write(bytes, 0, bytes.length);
    if (bytesWritten < bytes.length) throw new Error('only a part could be written');
    await file.datasync();
  } finally {
    await file.close();
  }
}
