import { open, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { badInput, type CapbenchError, EXIT, type ExitCode, messageOf, refusalOf } from '../errors.ts';
import type { Host } from '../host.ts';
import { jsonText } from '../json-document.ts';
import { judge, type Verdict } from '../judge/verdict.ts';
import { makeFolders, unwritable, writeArtefact } from '../measurement/bundle.ts';
import { systemFiguresOf } from '../measurement/figures.ts';
import { figuresOf } from '../measurement/figures-of.ts';
import type { Measurements } from '../measurement/measurements.ts';
import { render } from '../report/render.ts';
import type { Report } from '../report/report.ts';
import { type TerminalStyle, terminalSummary, terminalVerdict } from '../report/terminal.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { nearby } from './shown-path.ts';

/** How a verdict is printed. */
export interface TellingFlags {
  readonly quiet?: boolean;
  readonly json?: boolean;
  readonly full?: boolean;
  /** False for `--no-color`. */
  readonly color: boolean;
}

/** A run that was judged, and its reports written. */
export interface Published {
  readonly report: Report;
  readonly verdict: Verdict;
  /** The report.html to name. */
  readonly page: string;
  /** Of the verdict, or of a report that could not be written where a script expects it. */
  readonly exitCode: ExitCode;
  /** The files of the reports, by name. */
  readonly artefacts: ReadonlyMap<string, string | Uint8Array>;
}

/**
 * Judges a run, and writes its reports into the bundle and to the paths that were asked for. `elsewhere`: the bundle is an earlier one and may be read-only; the verdict is printed even so.
 */
export async function publish(
  host: Host,
  bundle: string,
  measurements: Measurements,
  scenario: Scenario,
  flags: { readonly charts: boolean },
  fixed: readonly FixedPath[],
  elsewhere?: { readonly out: string | null },
): Promise<Published> {
  const system = (await host.systems()).systemOf(scenario);
  const figures = figuresOf(measurements, scenario, system.figures);
  const verdict = judge(measurements, scenario, figures);
  const { report, artefacts, warnings } = await render(
    measurements,
    scenario,
    verdict,
    figures,
    flags.charts,
    systemFiguresOf(system.figures),
  );
  const withheld: string[] = [];
  let isWritten = true;
  const folder = elsewhere?.out ?? bundle;
  try {
    await writeArtefacts(host, folder, artefacts, (warning) => withheld.push(warning));
  } catch (error) {
    if (elsewhere?.out !== null) throw error;
    isWritten = false;
    withheld.push(
      `${messageOf(error)}; the reports in the bundle may be older: --out FOLDER writes them elsewhere`,
    );
  }
  const unwritten = await writeFixedPaths(host, fixed, artefacts);
  withheld.push(...unwritten.map(({ message, hint }) => `${message}; ${hint}`));
  for (const warning of [...warnings, ...withheld]) host.stderr.write(`warning: ${warning}\n`);

  const page = isWritten ? join(nearby(host, folder), 'report.html') : 'no page was written';
  const exitCode = verdict.exitCode === EXIT.pass ? (unwritten[0]?.exitCode ?? EXIT.pass) : verdict.exitCode;
  return { report, verdict, page, exitCode, artefacts };
}

/** Prints the summary of a run; returns its exit code. */
export function tellRun(host: Host, { report, page, exitCode }: Published, flags: TellingFlags): ExitCode {
  tell(host, report, page, flags, terminalSummary);
  return exitCode;
}

/** Writes files into a folder; `warn`, or stderr, gets a message for each secret that was removed. */
export async function writeArtefacts(
  { redaction, stderr }: Host,
  folder: string,
  files: Iterable<readonly [name: string, content: string | Uint8Array]>,
  warn: (warning: string) => unknown = (warning) => stderr.write(`warning: ${warning}\n`),
): Promise<void> {
  for (const [name, content] of files) {
    const warning = await writeArtefact(folder, name, content, redaction);
    if (warning !== null) warn(warning);
  }
}

/** Prints a report: as JSON, as the verdict only, or as a summary. `page` is the report.html to name. */
export function tell<R extends Parameters<typeof terminalVerdict>[0]>(
  host: Host,
  report: R,
  page: string,
  { color, json = false, quiet = false, full = false }: TellingFlags,
  summary: (report: R, style: TerminalStyle) => string,
): void {
  const { stdout } = host;
  const colour = color && isColoured(host);
  const style = { colour, width: stdout.columns, full, page };
  if (json) stdout.write(jsonText(report));
  else stdout[colour ? 'paint' : 'write'](quiet ? terminalVerdict(report, style) : summary(report, style));
}

/** Whether stdout takes colours, unless --no-color says otherwise. */
export const isColoured = ({ stdout, env }: Pick<Host, 'stdout' | 'env'>): boolean =>
  stdout.isTTY && !env.NO_COLOR;

/** A file outside the bundle. */
export interface FixedPath {
  /** The artefact of the bundle that it is a copy of. */
  readonly artefact: string;
  readonly path: string;
}

/** The options of a run that name a file, and what they write. */
const OF_A_RUN = { junit: 'junit.xml', summary: 'summary.md', report: 'report.html' } as const;

/**
 * Checks before a run that each file can be written, and makes its folder. An existing file is removed: a job that ends
 * too early must not leave the verdict of an earlier run.
 *
 * @param inputs the files that the command reads, which must not be removed
 * @param artefacts what each option writes; those of a run unless it says otherwise
 * @throws CapbenchError (104) when one cannot be written, or two are the same
 */
export async function openFixedPaths(
  host: Host,
  flags: object,
  inputs: readonly string[],
  artefacts: Readonly<Record<string, string>> = OF_A_RUN,
): Promise<readonly FixedPath[]> {
  const opened: FixedPath[] = [];
  for (const [option, artefact] of Object.entries(artefacts)) {
    const given: unknown = Reflect.get(flags, option);
    if (typeof given !== 'string') continue;
    const path = resolve(host.cwd, given);
    if (given === '') throw badInput(`--${option}: got an empty name, expected a file`);
    if (opened.some((other) => other.path === path)) {
      throw badInput(`--${option}: ${given} is named twice`, 'give each format a file of its own');
    }
    if (
      await isOneOf(
        path,
        inputs.map((input) => resolve(host.cwd, input)),
      )
    ) {
      throw badInput(`--${option}: ${given} is an input of this command`, 'name another file');
    }
    await clear(`--${option}: ${given}`, path);
    opened.push({ artefact, path });
  }
  return opened;
}

/** Whether a path leads to the same file as one of the others. */
async function isOneOf(path: string, others: readonly string[]): Promise<boolean> {
  const identify = (at: string) => realpath(at).catch(() => null);
  const own = await identify(path);
  return own !== null && (await Promise.all(others.map(identify))).includes(own);
}

async function clear(shown: string, path: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found !== null && !found.isFile()) {
    throw badInput(`${shown} is ${found.isDirectory() ? 'a folder' : 'not a regular file'}`, 'name a file');
  }
  try {
    await makeFolders(dirname(path));
    await (await open(path, 'w')).close();
  } catch (thrown) {
    throw refusalOf(thrown) ?? unwritable(shown, thrown, 'name a file in a folder that you may write to');
  }
  // A file that cannot be removed is at least empty by now.
  await rm(path, { force: true }).catch(() => undefined);
}

/** Writes the files. Resolves with the failures, which are no reason to drop the bundle. */
export async function writeFixedPaths(
  host: Host,
  files: readonly FixedPath[],
  artefacts: ReadonlyMap<string, string | Uint8Array>,
  hint = 'the bundle holds the same file',
): Promise<readonly CapbenchError[]> {
  const failures: CapbenchError[] = [];
  for (const { artefact, path } of files) {
    const clean = host.redaction.artefact(artefact, artefacts.get(artefact) ?? '');
    try {
      if (clean === null) throw new Error('it would hold a secret');
      await writeFile(path, clean);
    } catch (thrown) {
      failures.push(unwritable(path, thrown, hint));
    }
  }
  return failures;
}

/**
 * Writes the page and the Markdown where --report and --summary want them, by the names of a run's artefacts; a failure is a warning.
 * Resolves with the exit code of the first.
 */
export async function writeCopies(
  host: Host,
  files: readonly FixedPath[],
  { html, markdown }: { readonly html: string; readonly markdown: string },
  hint: string,
): Promise<ExitCode | null> {
  const copies = new Map(Object.entries({ 'report.html': html, 'summary.md': markdown }));
  const unwritten = await writeFixedPaths(host, files, copies, hint);
  for (const one of unwritten) host.stderr.write(`warning: ${one.message}; ${one.hint}\n`);
  return unwritten[0]?.exitCode ?? null;
}
