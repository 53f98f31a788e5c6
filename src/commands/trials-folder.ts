import { join } from 'node:path';
import { EXIT, type ExitCode } from '../errors.ts';
import type { Host } from '../host.ts';
import { jsonText } from '../json-document.ts';
import { writeArtefact } from '../measurement/bundle.ts';
import type { Judged } from '../report/run-format.ts';
import { trialLine, trialsSummary } from '../report/terminal-trials.ts';
import { type Trial, type TrialsReport, trialsReport } from '../report/trials.ts';
import { type Baseline, compareWith, exitCodeWith, tellBelow } from './baseline.ts';
import { type FixedPath, isColoured, type Published, type TellingFlags, writeFixedPaths } from './publish.ts';
import { folderOf, SUMMARY, type TrialsFolder } from './recorded-trials.ts';
import { nearby } from './shown-path.ts';

/** What is known of all trials before any of them. */
export interface TrialsPlan extends Pick<TrialsReport, 'requested' | 'sameServer'> {
  /** The folder of all trials. */
  readonly root: string;
  readonly flags: TellingFlags;
  readonly fixed: readonly FixedPath[];
  /** What is printed in the end, instead of the summary and of a line for each trial; absent or null: those. */
  readonly render?: ((judged: Judged) => string) | null;
  /** What they are compared with at the end; null: with nothing. */
  readonly baseline: Baseline | null;
}

/**
 * Tells of trials as they end: a line for each, trials.json, and in the end the summary and the files that a script
 * expects, which are those of the trial that decides. `isNew`: trials.json is written.
 */
export function openTrials(
  host: Host,
  { root, flags, fixed, baseline, render = null, ...plan }: TrialsPlan,
  isNew: boolean,
) {
  const done: (Trial & Pick<Published, 'artefacts'>)[] = [];
  const colour = flags.color && isColoured(host);
  return {
    async ended(trial: number, { report, page, artefacts: all }: Published): Promise<void> {
      const artefacts = new Map([...all].filter(([name]) => fixed.some(({ artefact }) => artefact === name)));
      done.push({ trial, folder: folderOf(trial), report, artefacts });
      if (isNew) {
        const sofar = jsonText(trialsReport(done, plan));
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
      const runs = done.map((one) => ({ folder: join(root, one.folder), report: one.report }));
      const comparison = baseline === null ? null : await compareWith(host, baseline, root, runs);
      if (render !== null) {
        host.stdout.write(render({ reports, trials: report }));
      } else if (flags.json === true) {
        const all = { ...report, reports, ...(comparison === null ? {} : { comparison }) };
        host.stdout.write(jsonText(all));
      } else {
        const style = { colour, width: host.stdout.columns, full: false, page: nearby(host, root) };
        host.stdout[colour ? 'paint' : 'write'](trialsSummary(report, style));
        if (comparison !== null) tellBelow(host, root, comparison, flags);
      }
      const decisive = done.find(({ trial }) => trial === report.decidedBy) ?? done.at(-1);
      const unwritten = await writeFixedPaths(host, fixed, decisive?.artefacts ?? new Map());
      for (const { message, hint } of unwritten) host.stderr.write(`warning: ${message}; ${hint}\n`);
      const exitCode = comparison === null ? report.exitCode : exitCodeWith(report.exitCode, comparison);
      return exitCode === EXIT.pass ? (unwritten[0]?.exitCode ?? EXIT.pass) : exitCode;
    },
  };
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
