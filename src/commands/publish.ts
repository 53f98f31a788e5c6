import { join, relative } from 'node:path';
import { EXIT, type ExitCode, messageOf } from '../errors.ts';
import type { Host } from '../host.ts';
import { judge } from '../judge/verdict.ts';
import { writeArtefact } from '../measurement/bundle.ts';
import { figuresOf } from '../measurement/figures-of.ts';
import type { Measurements } from '../measurement/measurements.ts';
import { render } from '../report/render.ts';
import { type TerminalStyle, terminalSummary, terminalVerdict } from '../report/terminal.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { type FixedPath, writeFixedPaths } from './fixed-paths.ts';

const LOG_COLUMNS = 120;

/** How a verdict is told on the terminal. */
export interface TellingFlags {
  readonly quiet?: boolean;
  readonly json?: boolean;
  /** False for `--no-color`. */
  readonly color: boolean;
}

/** Where the reports of a bundle go that was judged before. */
export interface Elsewhere {
  /** Null: into the bundle, where that can be written to. */
  readonly out: string | null;
}

/**
 * Judges a run, writes all that is said about it into its bundle and to the paths that were asked for, and tells it.
 * Resolves with the exit code: the verdict's, or why a pass could not be written where a script will look for it.
 * `elsewhere`: of a bundle that is not new, and may be read-only: then the verdict is told all the same.
 */
export async function publish(
  host: Host,
  bundle: string,
  measurements: Measurements,
  scenario: Scenario,
  flags: TellingFlags,
  fixed: readonly FixedPath[],
  elsewhere?: Elsewhere,
): Promise<ExitCode> {
  const system = (await host.systems()).systemOf(scenario);
  const figures = figuresOf(measurements, scenario, system.figures);
  const verdict = judge(measurements, scenario, figures);
  const { report, artefacts, warnings } = await render(measurements, scenario, verdict, figures);
  const withheld: string[] = [];
  let isWritten = true;
  const folder = elsewhere?.out ?? bundle;
  try {
    await writeArtefacts(host, folder, artefacts, (warning) => withheld.push(warning));
  } catch (error) {
    if (elsewhere?.out !== null) throw error;
    isWritten = false;
    withheld.push(
      `${messageOf(error)}; the reports there may be older ones: --out FOLDER writes them elsewhere`,
    );
  }
  const unwritten = await writeFixedPaths(host, fixed, artefacts);
  withheld.push(...unwritten.map(({ message, hint }) => `${message}; ${hint}`));
  for (const warning of [...warnings, ...withheld]) host.stderr.write(`warning: ${warning}\n`);

  const near = relative(host.cwd, folder);
  const page = isWritten ? join(near.startsWith('..') ? folder : near, 'report.html') : 'no page was written';
  tell(host, report, page, flags, terminalSummary);
  return verdict.exitCode === EXIT.pass ? (unwritten[0]?.exitCode ?? EXIT.pass) : verdict.exitCode;
}

/** Writes files into a folder; `warn` hears what was taken out of them. */
export async function writeArtefacts(
  { redaction }: Host,
  folder: string,
  files: Iterable<readonly [name: string, content: string | Uint8Array]>,
  warn: (warning: string) => unknown,
): Promise<void> {
  for (const [name, content] of files) {
    const warning = await writeArtefact(folder, name, content, redaction);
    if (warning !== null) warn(warning);
  }
}

/** Tells a report on the terminal: as JSON, in one line, or as a summary. `page` is where to read on. */
export function tell<R extends Parameters<typeof terminalVerdict>[0]>(
  { stdout, env }: Host,
  report: R,
  page: string,
  { color, json = false, quiet = false }: TellingFlags,
  summary: (report: R, style: TerminalStyle) => string,
): void {
  const colour = color && stdout.isTTY && !env.NO_COLOR;
  // A log has no width of its own: wide enough for a table that says everything.
  const style = { colour, width: stdout.isTTY ? stdout.columns : LOG_COLUMNS, page };
  if (json) stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else stdout[colour ? 'paint' : 'write'](quiet ? terminalVerdict(report, style) : summary(report, style));
}
