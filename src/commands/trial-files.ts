import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Arm } from '../compare/arm.ts';
import { readTrial, type Trial } from '../compare/trial.ts';
import { badInput, codeOf, messageOf } from '../errors.ts';
import type { Host } from '../host.ts';
import { readBounded } from '../measurement/bundle.ts';
import { isDuet } from './duet-folder.ts';
import { LARGEST_REPORT, REPORT } from './recorded-reports.ts';
import { readTrials } from './recorded-trials.ts';
import { isSearch } from './search-folder.ts';
import { nearby } from './shown-path.ts';

const HINT = 'name a folder that `capbench run` wrote, such as reports/latest, or that of --trials';

/** The trials of one version, and the files from which they were read, absolute. */
export interface ReadArm extends Arm {
  readonly files: readonly string[];
}

/**
 * Reads the trials of one version: from bundles, folders of `--trials`, folders that hold such folders, and report.json files.
 * A run that several of them lead to counts once.
 *
 * @param option for messages: `BASE`
 * @throws CapbenchError (104) where one of them cannot be read, is no run, or holds none
 */
export async function readArm(host: Host, option: string, given: readonly string[]): Promise<ReadArm> {
  const files: string[] = [];
  for (const path of given)
    for (const file of await reportsAt(host, option, path)) if (!files.includes(file)) files.push(file);
  const trials: Trial[] = [];
  for (const file of files) {
    const shown = nearby(host, file);
    const bytes = await readBounded(file, LARGEST_REPORT, HINT, shown);
    const trial = { ...readTrial(bytes, shown), name: nearby(host, dirname(file)) };
    trials.push(host.redaction.data(trial));
  }
  const [only = option.toLowerCase()] = given;
  return { name: given.length === 1 ? only : option.toLowerCase(), trials, files };
}

/** The report.json files that a path leads to. */
async function reportsAt(host: Host, option: string, given: string): Promise<readonly string[]> {
  if (given === '') throw badInput(`${option}: got an empty name, expected a folder`, HINT);
  const refuse = (what: string, hint = HINT): Error => badInput(`${option}: ${given} ${what}`, hint);
  const path = await realpath(resolve(host.cwd, given)).catch((error) => {
    throw refuse(codeOf(error) === 'ENOENT' ? 'does not exist' : `cannot be read: ${messageOf(error)}`);
  });
  if ((await stat(path)).isFile()) return [path];
  const entries = await readdir(path, { withFileTypes: true }).catch((error) => {
    throw refuse(`cannot be read: ${messageOf(error)}`);
  });
  if (isSearch(path))
    throw refuse('is a search, whose steps have different loads', 'compare runs of one load');
  if (isDuet(path))
    throw refuse('is a duet, which has both versions', `capbench report ${given} prints its comparison`);
  const own = await bundlesOf(path);
  if (own !== null) return own;
  if (entries.some(({ name }) => name === 'measurements.json'))
    throw refuse(`has no ${REPORT}`, `capbench report ${given} judges it and writes one`);
  // `latest` is a link to one of them.
  const folders = entries.flatMap((one) => (one.isDirectory() ? [join(path, one.name)] : [])).toSorted();
  const found = await Promise.all(
    folders.map((folder) => (isSearch(folder) || isDuet(folder) ? [] : bundlesOf(folder))),
  );
  const all = found.flatMap((one) => one ?? []);
  if (all.length === 0) throw refuse('holds no run');
  return all;
}

/** The report.json of a bundle, or those of its trials; null where it is neither. */
async function bundlesOf(folder: string): Promise<readonly string[] | null> {
  const trials = await readTrials(folder);
  if (trials !== null) return trials.folders.map((one) => join(folder, one, REPORT));
  const file = join(folder, REPORT);
  return (await stat(file).catch(() => null)) === null ? null : [file];
}

/** @throws CapbenchError (104) where a run is in both, or stands in one of them twice as a copy: it would pass for several trials */
export function refuseSameRuns(base: ReadArm, head: ReadArm): void {
  const seen = new Map<string, string>();
  for (const { trials } of [base, head])
    for (const { name, startedAt, seed, metrics } of trials) {
      const run = JSON.stringify([startedAt, seed, metrics]);
      const before = seen.get(run);
      if (before !== undefined)
        throw badInput(
          before === name
            ? `${name} is in the base and in the head`
            : `${before} and ${name} are the same run, which started at ${startedAt}`,
          'name different runs: each is one trial',
        );
      seen.set(run, name);
    }
}
