import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput, codeOf, messageOf } from '../errors.ts';
import { jsonIn } from '../json-document.ts';
import { readBounded } from '../measurement/bundle.ts';
import type { TrialsReport } from '../report/trials.ts';

export const SUMMARY = 'trials.json';
const LARGEST_SUMMARY = 16 * 2 ** 20;

/** The folder of a trial in that of all. */
export const folderOf = (trial: number): string => join('trials', String(trial));

/** A folder of trials: how many there were to be, and those that there are. */
export interface TrialsFolder extends Pick<TrialsReport, 'requested' | 'sameServer'> {
  /** Relative, in order. */
  readonly folders: readonly string[];
}

/** Reads the folder of `capbench run --trials`; null where it is none. @throws CapbenchError (104) where it is broken */
export async function readTrials(root: string): Promise<TrialsFolder | null> {
  const path = join(root, SUMMARY);
  try {
    await readdir(join(root, 'trials'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return null;
    throw badInput(`${root} cannot be read: ${messageOf(error)}`);
  }
  const hint = 'it must be as `capbench run --trials` wrote it';
  const broken = (what: string): Error => badInput(`${path} is broken: ${what}`, hint);
  const read = jsonIn(await readBounded(path, LARGEST_SUMMARY), path, hint);
  const { requested, sameServer, trials } = (read ?? {}) as Partial<TrialsReport>;
  if (
    typeof requested !== 'number' ||
    typeof sameServer !== 'boolean' ||
    !Array.isArray(trials) ||
    trials.length === 0
  )
    throw broken('it has no requested, sameServer and trials');
  const folders = trials.map((one: unknown, i) => {
    const trial = typeof one === 'object' && one !== null && 'trial' in one ? one.trial : null;
    if (trial !== i + 1) throw broken(`its trial ${i + 1} has another number`);
    return folderOf(trial);
  });
  return { requested, sameServer, folders };
}
