import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput, codeOf, EXIT, type ExitCode, messageOf } from '../errors.ts';
import type { Host } from '../host.ts';
import { jsonIn } from '../json-document.ts';
import { readBounded, writeArtefact } from '../measurement/bundle.ts';
import type { Judged } from '../report/run-format.ts';
import { trialLine, trialsSummary } from '../report/terminal-trials.ts';
import { type Trial, type TrialsReport, trialsReport } from '../report/trials.ts';
import {
  type FixedPath,
  isColoured,
  nearby,
  type Published,
  type TellingFlags,
  writeFixedPaths,
} from './publish.ts';

const SUMMARY = 'trials.json';
const LARGEST_SUMMARY = 16 * 2 ** 20;

/** The folder of a trial in that of all. */
export const folderOf = (trial: number): string => join('trials', String(trial));

/** What is known of all trials before any of them. */
export interface TrialsPlan extends Pick<TrialsReport, 'requested' | 'sameServer'> {
  /** The folder of all trials. */
  readonly root: string;
  readonly flags: TellingFlags;
  readonly fixed: readonly FixedPath[];
  /** What is printed in the end, instead of the summary and of a line for each trial; absent or null: those. */
  readonly render?: ((judged: Judged) => string) | null;
}

/**
 * Tells of trials as they end: a line for each, trials.json, and in the end the summary and the files that a script
 * expects, which are those of the trial that decides. `isNew`: trials.json is written.
 */
export function openTrials(
  host: Host,
  { root, flags, fixed, render = null, ...plan }: TrialsPlan,
  isNew: boolean,
) {
  const done: (Trial & Pick<Published, 'artefacts'>)[] = [];
  const colour = flags.color && isColoured(host);
  return {
    async ended(trial: number, { report, page, artefacts: all }: Published): Promise<void> {
      const artefacts = new Map([...all].filter(([name]) => fixed.some(({ artefact }) => artefact === name)));
      done.push({ trial, folder: folderOf(trial), report, artefacts });
      if (isNew) {
        const sofar = `${JSON.stringify(trialsReport(done, plan), null, 2)}\n`;
        const warning = await writeArtefact(root, SUMMARY, sofar, host.redaction);
        if (warning !== null) host.stderr.write(`warning: ${warning}\n`);
      }
      if (flags.json === true || render !== null) return;
      const line = trialLine({ trial, ...report }, plan, { colour, page });
      host.stdout[colour ? 'paint' : 'write'](line);
    },
    /** The exit code of all; null where no trial has ended. */
    async end(): Promise<ExitCode | null> {
      if (done.length === 0) return null;
      const report = trialsReport(done, plan);
      const reports = done.map((one) => one.report);
      if (render !== null) {
        host.stdout.write(render({ reports, trials: report }));
      } else if (flags.json === true) {
        host.stdout.write(`${JSON.stringify({ ...report, reports }, null, 2)}\n`);
      } else {
        const style = { colour, width: host.stdout.columns, full: false, page: nearby(host, root) };
        host.stdout[colour ? 'paint' : 'write'](trialsSummary(report, style));
      }
      const decisive = done.find(({ trial }) => trial === report.decidedBy) ?? done.at(-1);
      const unwritten = await writeFixedPaths(host, fixed, decisive?.artefacts ?? new Map());
      for (const { message, hint } of unwritten) host.stderr.write(`warning: ${message}; ${hint}\n`);
      return report.exitCode === EXIT.pass ? (unwritten[0]?.exitCode ?? EXIT.pass) : report.exitCode;
    },
  };
}

/** A folder of trials: how many there were to be, and those that there are. */
interface TrialsFolder extends Pick<TrialsReport, 'requested' | 'sameServer'> {
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

/** Judges the trials of a folder again, and prints what `capbench run` printed. */
export async function reportTrials(
  host: Host,
  { folders, ...plan }: TrialsPlan & TrialsFolder,
  judge: (folder: string) => Promise<Published>,
): Promise<ExitCode> {
  const trials = openTrials(host, plan, false);
  for (const [i, folder] of folders.entries()) await trials.ended(i + 1, await judge(folder));
  return (await trials.end()) ?? EXIT.interrupted;
}
