import {
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { badInput, CapbenchError, codeOf, EXIT, messageOf, refusalOf } from '../errors.ts';
import type { Redaction } from '../redaction.ts';
import type { OperationSpec } from '../scenario/operations.ts';
import type { Measurements } from './measurements.ts';
import { parseMeasurements } from './read-measurements.ts';

/** Only the last megabyte of each log is kept. */
const LOG_LIMIT = 2 ** 20;
/** capbench never writes larger files. */
const MEASUREMENTS_LIMIT = 256 * 2 ** 20;
const SCENARIO_LIMIT = 4 * 2 ** 20;

/** `20261121T113000Z` */
const stampOf = (at: Date): string => at.toISOString().replace(/[-:]|\.\d+/g, '');

/**
 * Makes the folder of a run, `<out>/<scenario>-<UTC time>`, with `-2`, `-3` .. when it exists already.
 * Throws a CapbenchError when the folder cannot be written to.
 */
export async function makeBundle(out: string, scenario: string, at: Date): Promise<string> {
  const name = `${scenario.replace(/[^\w.-]+/g, '-').replace(/^\.+/, '')}-${stampOf(at)}`;
  try {
    await makeFolders(out);
    for (let attempt = 1; ; attempt++) {
      const folder = join(out, attempt === 1 ? name : `${name}-${attempt}`);
      try {
        await mkdir(folder);
        return folder;
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
    }
  } catch (error) {
    throw unwritable(out, error);
  }
}

/** Makes a folder of a step of several: `step-07`; beside that of one that was interrupted, `step-07-2`. */
export async function makeFreshFolder(root: string, name: string): Promise<string> {
  const taken = new Set(await readdir(root).catch(() => []));
  let free = name;
  for (let attempt = 2; taken.has(free); attempt++) free = `${name}-${attempt}`;
  const folder = join(root, free);
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw unwritable(folder, error);
  });
  return folder;
}

/** Makes a run's folder again if it was removed, and returns true then. Throws a CapbenchError where that fails. */
export async function remakeBundle(folder: string): Promise<boolean> {
  if (await isFolder(folder)) return false;
  try {
    await makeFolders(folder);
    return true;
  } catch (error) {
    throw unwritable(folder, error);
  }
}

/** Makes one parent after the other, since Node's recursive mkdir never ends where the kernel returns ENOENT (/proc). */
export async function makeFolders(folder: string): Promise<void> {
  const parent = dirname(folder);
  if (parent !== folder && !(await isFolder(parent))) await makeFolders(parent);
  await mkdir(folder).catch(async (error) => {
    if (!(await isFolder(folder))) throw error;
  });
}

export const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/**
 * Writes one file of a bundle: first beside its place, then renamed into it, so that a reader never sees
 * half a file. `name` may have folders: `charts/latency.png`. Secrets that the redaction knows are
 * removed from a text; a file from which they cannot be removed is not written. Resolves to a warning then, else to null.
 */
export async function writeArtefact(
  folder: string,
  name: string,
  content: string | Uint8Array,
  redaction: Redaction,
): Promise<string | null> {
  if (name.split(/[/\\]/).some((part) => part === '' || part === '.' || part === '..')) {
    throw new Error(`"${name}" is not a path inside a bundle`);
  }
  const clean = redaction.artefact(name, content);
  if (clean === null)
    return `${name} was not written, since a secret would be in it: ${redaction.find(content)}`;
  const path = join(folder, name);
  const unfinished = `${path}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    // A left-over entry is removed, since a link would be followed and a pipe would block.
    await rm(unfinished, { force: true, recursive: true });
    await writeFile(unfinished, clean, { flag: 'wx' });
    await rename(unfinished, path);
    return null;
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => undefined);
    throw unwritable(path, error);
  }
}

/** Points `<out>/latest` at a bundle. Resolves to a warning where links cannot be made, else to null. */
export async function pointLatest(folder: string): Promise<string | null> {
  const latest = join(dirname(folder), 'latest');
  const unfinished = `${latest}.${basename(folder)}.tmp`;
  const there = await lstat(latest).catch(() => null);
  if (there !== null && !there.isSymbolicLink()) return `${latest} is not a link, and was left as it is`;
  try {
    await symlink(basename(folder), unfinished);
    await rename(unfinished, latest);
    return null;
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => undefined);
    return `${latest} does not point at this run: ${messageOf(error)}`;
  }
}

/** The last megabyte of a log file, from the start of a line, with a note if something was cut. */
export async function readLogTail(path: string, limit = LOG_LIMIT): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - limit);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    const text = buffer.toString('utf8', 0, bytesRead);
    if (from === 0) return text;
    return `[the first ${from} bytes were cut]\n${text.slice(text.indexOf('\n') + 1)}`;
  } finally {
    await file.close();
  }
}

/** The files that judging and reporting a run again need. */
interface RecordedRun {
  readonly measurements: Measurements;
  /** The resolved scenario, as YAML. */
  readonly scenarioFile: string;
  readonly scenarioBytes: Uint8Array;
}

/** Reads a bundle. Throws bad input that names the file that is missing, broken or too large. */
export async function readBundle(folder: string): Promise<RecordedRun> {
  const factsFile = join(folder, 'measurements.json');
  const facts = await readBounded(factsFile, MEASUREMENTS_LIMIT);
  const parsed = parseMeasurements(textOf(facts, factsFile));
  if (parsed.state === 'invalid') throw broken(factsFile, parsed.problems.join('; '));
  const scenarioFile = join(folder, 'scenario.yaml');
  return {
    measurements: parsed.measurements,
    scenarioFile,
    scenarioBytes: await readBounded(scenarioFile, SCENARIO_LIMIT),
  };
}

/** Throws bad input unless the measurements of a bundle have the operations of its scenario. */
export function refuseOtherOperations(
  folder: string,
  { operations }: Pick<Measurements, 'operations'>,
  scenario: { readonly operations: readonly Pick<OperationSpec, 'id'>[] },
): void {
  const measured = Object.keys(operations).join(', ');
  const known = scenario.operations.map(({ id }) => id).join(', ');
  if (measured === known) return;
  throw badInput(
    `${join(folder, 'measurements.json')} is of the operations ${measured}, expected ${known}: its scenario.yaml has those`,
    'both files of a bundle are of one run; run again for a new bundle',
  );
}

const broken = (path: string, what: string): CapbenchError =>
  badInput(`${path} is broken: ${what}`, 'it must be as `capbench run` wrote it; run again for a new bundle');

function textOf(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw broken(path, 'bytes that are no UTF-8 are there');
  }
}

const HINT = 'a bundle is a folder under reports/ that `capbench run` made; reports/latest is the newest';

/** The bytes of a file of limited size. Throws bad input that names it as `shown`. */
export async function readBounded(path: string, limit: number, hint = HINT, shown = path): Promise<Buffer> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw badInput(`${shown} is not a file`, hint);
    if (found.size > limit) {
      throw badInput(`${shown} has ${found.size} bytes; at most ${limit} are read`, hint);
    }
    return await readFile(path);
  } catch (error) {
    if (error instanceof CapbenchError) throw error;
    const missing = codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
    throw badInput(
      missing ? `${shown} does not exist` : `${shown} cannot be read: ${messageOf(error)}`,
      hint,
    );
  }
}

/** Why a file or folder cannot be written: 90 on a full disk, else 104. */
export function unwritable(
  path: string,
  error: unknown,
  hint = 'make it writable, or name another folder for what a run leaves with --out',
): CapbenchError {
  if (codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT') {
    return new CapbenchError(
      EXIT.invalid,
      `${path} cannot be written: the disk is full`,
      'free some space, or name a folder on another disk with --out',
      { cause: error },
    );
  }
  // Too many open files, for instance, are not a problem of the folder.
  const refused = refusalOf(error);
  if (refused !== null) return refused;
  return new CapbenchError(EXIT.badInput, `${path} cannot be written: ${messageOf(error)}`, hint, {
    cause: error,
  });
}
