import { resolve } from 'node:path';
import { gateOf } from '../compare/gate.ts';
import { FEWEST_RUNS, HISTORY_RULES, type HistoryReport, reportHistory } from '../compare/history.ts';
import type { HistoryEntry } from '../compare/history-entry.ts';
import { badInput, EXIT, type ExitCode } from '../errors.ts';
import type { Host } from '../host.ts';
import { jsonText } from '../json-document.ts';
import { historyHtml } from '../report/history-html.ts';
import { historyLine, historySummary } from '../report/history-terminal.ts';
import { plain } from '../report/plain-text.ts';
import { timeText } from '../report/report-text.ts';
import { counted } from '../units.ts';
import { type GateFlags, readGateFlags } from './gate-flags.ts';
import { appendEntries, historyFiles, readEntry, readHistoryFolder } from './history-folder.ts';
import { wholeNumber } from './options.ts';
import { isColoured, openFixedPaths, writeFixedPaths } from './publish.ts';
import { nearby } from './shown-path.ts';

/** `capbench history add`: the exit code is 0, also where everything was there already. */
export async function executeHistoryAdd(
  host: Host,
  into: string,
  bundles: readonly string[],
): Promise<ExitCode> {
  const folder = resolve(host.cwd, into);
  const { entries, problems } = await readHistoryFolder(host, folder, true);
  warnOf(host, problems);
  const read: HistoryEntry[] = [];
  for (const bundle of bundles) read.push(await readEntry(host, resolve(host.cwd, bundle)));
  const known = new Set(entries.map(({ id }) => id));
  const added: HistoryEntry[] = [];
  for (const entry of read) {
    if (!known.has(entry.id)) added.push(entry);
    known.add(entry.id);
  }
  if (added.length > 0) await appendEntries(host, folder, added);
  for (const entry of read)
    host.stdout.write(`${added.includes(entry) ? 'added' : 'already there'}: ${plain(entryText(entry))}\n`);
  const all = counted(entries.length + added.length, 'line');
  host.stdout.write(`${nearby(host, folder)} has ${all}\n`);
  return EXIT.pass;
}

function entryText({ scenario, startedAt, commit, trials, outcome }: HistoryEntry): string {
  const of = trials.of === 1 ? '' : `, ${trials.counted} of ${counted(trials.of, 'trial')}`;
  const result = outcome === 'invalid' ? 'no conclusion: it will be in no series' : outcome;
  return `${scenario}, ${timeText(startedAt)}, ${commit?.slice(0, 12) ?? 'no commit'}${of}: ${result}`;
}

/** The options of `history show` and `history check`, as given. */
export interface HistoryFlags extends GateFlags {
  readonly all?: boolean;
  readonly window?: string;
  readonly recent?: string;
  readonly leastRuns?: string;
  readonly html?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** False for `--no-color`. */
  readonly color: boolean;
}

/** `capbench history check`: the exit code is that of the verdict. */
export async function executeHistoryCheck(
  host: Host,
  folder: string,
  flags: HistoryFlags,
): Promise<ExitCode> {
  const { report, unwritten } = await tellHistory(host, folder, flags, flags.all === true, false);
  return report.exitCode === EXIT.pass ? (unwritten ?? EXIT.pass) : report.exitCode;
}

/** `capbench history show`: the exit code is 0, whatever the history shows. */
export async function executeHistoryShow(host: Host, folder: string, flags: HistoryFlags): Promise<ExitCode> {
  const { unwritten } = await tellHistory(host, folder, flags, false, true);
  return unwritten ?? EXIT.pass;
}

const MOST_RUNS = 10_000;

/** @param full series and metrics that do not decide are printed, too */
async function tellHistory(
  host: Host,
  name: string,
  flags: HistoryFlags,
  all: boolean,
  full: boolean,
): Promise<{ readonly report: HistoryReport; readonly unwritten: ExitCode | null }> {
  const folder = resolve(host.cwd, name);
  const whole = (option: string, text: string | undefined, byDefault: number, least: number): number => {
    const number = text === undefined ? byDefault : wholeNumber(option, text, MOST_RUNS);
    if (number >= least) return number;
    throw badInput(`${option}: got ${number}, expected ${least} or more`);
  };
  const rules = {
    window: whole('--window', flags.window, HISTORY_RULES.window, FEWEST_RUNS),
    recent: whole('--recent', flags.recent, HISTORY_RULES.recent, 1),
    leastRuns: whole('--least-runs', flags.leastRuns, HISTORY_RULES.leastRuns, FEWEST_RUNS),
  };
  const gateFlags = readGateFlags(flags);
  const fixed = await openFixedPaths(host, flags, await historyFiles(host, folder), { html: 'history.html' });
  const history = await readHistoryFolder(host, folder);
  const report = reportHistory(history, (settings) => gateOf(settings, gateFlags), rules, all);
  const colour = flags.color && isColoured(host);
  const style = { colour, width: host.stdout.columns, full };
  if (flags.json === true) host.stdout.write(jsonText(report));
  else {
    const text = flags.quiet === true ? historyLine(report, style) : historySummary(report, style);
    host.stdout[colour ? 'paint' : 'write'](text);
  }
  const pages = new Map([['history.html', historyHtml(report)]]);
  const failures = await writeFixedPaths(host, fixed, pages, 'name another file');
  for (const { message, hint } of failures) host.stderr.write(`warning: ${message}; ${hint}\n`);
  return { report, unwritten: failures[0]?.exitCode ?? null };
}

const warnOf = ({ stderr }: Host, problems: readonly string[]): void => {
  for (const problem of problems) stderr.write(`warning: ${problem}\n`);
};
