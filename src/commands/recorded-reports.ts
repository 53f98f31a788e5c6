import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput, CapbenchError, codeOf, messageOf } from '../errors.ts';
import type { Host } from '../host.ts';
import { issueOf, jsonIn } from '../json-document.ts';
import { readBounded } from '../measurement/bundle.ts';
import type { RuledReport } from '../report/claim-findings.ts';
import { plain } from '../report/plain-text.ts';
import { ruledReportSchema } from '../report/report-schema.ts';
import { nearby } from './shown-path.ts';

/** capbench never writes larger ones. */
export const LARGEST_REPORT = 64 * 2 ** 20;
export const REPORT = 'report.json';
const TRIALS = 'trials';
/** What a folder has that a run wrote into. */
const OF_A_RUN: readonly string[] = ['scenario.yaml', 'measurements.json'];

/** A run whose report was read. */
export interface RecordedRun extends RuledReport {
  /** The folder of the bundle, as it is shown. */
  readonly bundle: string;
}

/** The runs in a folder of bundles, and what could not be read of it: a line for each. */
interface RecordedReports {
  readonly runs: readonly RecordedRun[];
  /** The report.json files that were read, absolute. */
  readonly files: readonly string[];
  readonly skipped: readonly string[];
}

/**
 * Reads report.json of every bundle in a folder, and of every trial of `--trials`. A folder that does not exist has no
 * bundle; with `mustExist` it is refused.
 * @throws CapbenchError (104) where the folder cannot be read
 */
export async function readReports(host: Host, folder: string, mustExist: boolean): Promise<RecordedReports> {
  const runs: RecordedRun[] = [];
  const files: string[] = [];
  const skipped: string[] = [];
  for (const bundle of await bundlesIn(host, folder, mustExist)) {
    const file = join(bundle, REPORT);
    try {
      runs.push(host.redaction.data(await readReport(file, nearby(host, bundle))));
      files.push(file);
    } catch (thrown) {
      if (!(thrown instanceof CapbenchError)) throw thrown;
      skipped.push(plain(`${nearby(host, bundle)} is left out: ${thrown.message}`));
    }
  }
  return { runs, files, skipped };
}

/** Folders of runs, by name. `latest` is a link to one of them. */
async function bundlesIn(host: Host, folder: string, mustExist: boolean): Promise<readonly string[]> {
  const names = await foldersIn(host, folder, mustExist);
  // `--out` may also name one bundle, or one folder of trials.
  const own = await runsAt(host, folder);
  if (own !== null && own.length > 0) return own;
  const bundles = await Promise.all(
    names.map(async (name) => (await runsAt(host, join(folder, name))) ?? [join(folder, name)]),
  );
  return bundles.flat();
}

/** The bundles that a folder is, or has as trials; null where it cannot be listed, which is told of when its report is read. */
async function runsAt(host: Host, folder: string): Promise<readonly string[] | null> {
  const entries = await readdir(folder).catch(() => null);
  if (entries === null) return null;
  if ([REPORT, ...OF_A_RUN].some((file) => entries.includes(file))) return [folder];
  if (!entries.includes(TRIALS)) return [];
  const trials = await foldersIn(host, join(folder, TRIALS), false);
  return trials.map((trial) => join(folder, TRIALS, trial));
}

async function foldersIn(host: Host, folder: string, mustExist: boolean): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.flatMap((one) => (one.isDirectory() ? [one.name] : [])).toSorted();
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT' && !mustExist) return [];
    throw badInput(
      `the folder of bundles ${nearby(host, folder)} cannot be read: ${messageOf(thrown)}`,
      'name the folder that `capbench run` writes to, with --out',
    );
  }
}

/** @throws CapbenchError (104) that says what is wrong with the file */
async function readReport(file: string, bundle: string): Promise<RecordedRun> {
  const bytes = await readBounded(file, LARGEST_REPORT, undefined, REPORT);
  const read = ruledReportSchema.safeParse(jsonIn(bytes, REPORT));
  if (read.success) return { ...read.data, bundle };
  throw badInput(`${REPORT} is not of a run that this capbench can read: ${issueOf(read.error)}`);
}
