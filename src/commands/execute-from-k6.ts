import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { badInput, EXIT, type ExitCode, messageOf } from '../errors.ts';
import type { Host } from '../host.ts';
import { jsonText } from '../json-document.ts';
import { judge } from '../judge/verdict.ts';
import { originOf } from '../load/k6/metrics.ts';
import { readBounded } from '../measurement/bundle.ts';
import { figuresOf } from '../measurement/figures-of.ts';
import { k6Measurements } from '../measurement/k6-measurements.ts';
import { type K6File, refuseOtherRuns } from '../measurement/k6-run.ts';
import { type K6Summary, readK6Summary } from '../measurement/k6-summary.ts';
import { junit } from '../report/junit.ts';
import { k6ReportOf, reportOf } from '../report/report.ts';
import { k6TerminalSummary } from '../report/terminal-k6.ts';
import { scenarioHash } from '../scenario/resolved.ts';
import type { FixedPathFlags, ScenarioFlags } from './options.ts';
import { openFixedPaths, type TellingFlags, tell, writeArtefacts, writeFixedPaths } from './publish.ts';
import { k6PartOf, loadScenario } from './scenario-files.ts';
import { nearby } from './shown-path.ts';

/** What `capbench report --from-k6` takes besides the files, as given. */
export interface FromK6Flags extends TellingFlags, ScenarioFlags, FixedPathFlags {
  readonly run?: string;
  readonly out?: string;
}

/** A summary has some 100 kB. */
const SUMMARY_LIMIT = 16 * 2 ** 20;
const MOST_SUMMARIES = 1000;

const UNNAMED =
  'not checked, whether an earlier run left the summary: with the same CAPBENCH_RUN for k6 and capbench report it is';

/** Judges the summaries of plain k6 runs of an exported script; resolves with the exit code. */
export async function executeFromK6(
  host: Host,
  files: readonly string[],
  reference: string,
  flags: FromK6Flags,
): Promise<ExitCode> {
  refusePages(flags);
  // A variable of a CI job that was not set: taken as no name, nothing would be checked.
  if (flags.run === '')
    throw badInput('--run: no name is given', 'leave it out, or give what k6 had as CAPBENCH_RUN');
  const fixed = await openFixedPaths(host, flags, [...files, reference]);
  if (files.length > MOST_SUMMARIES) {
    throw badInput(`--from-k6: ${files.length} files are given, at most ${MOST_SUMMARIES} are read`);
  }
  const { scenario, system } = await loadScenario(host, reference, flags);
  const { part, workload } = k6PartOf(system, scenario, '--from-k6');
  const hash = scenarioHash(scenario);
  const planned = originOf(part, workload);
  const perRequest = part.perRequest(workload);
  const read: K6File[] = [];
  for (const file of files) {
    const summary = readK6Summary(file, await readText(resolve(host.cwd, file), file), perRequest);
    refuseOther(file, summary, scenario.name, hash);
    refuseChanged(file, summary, planned);
    read.push({ file, summary });
  }
  refuseOtherRuns(read, (flags.run ?? host.env.CAPBENCH_RUN) || null);
  const summaries = read.map(({ summary }) => summary);
  const facts = k6Measurements(summaries, scenario, host.version);
  const figures = figuresOf(facts, scenario);
  const verdict = judge(facts, scenario, figures);
  const run = summaries[0]?.origin.run ?? null;
  const notes = run === null ? [UNNAMED, ...verdict.notes] : verdict.notes;
  const report = host.redaction.data(
    k6ReportOf(reportOf(facts, scenario, { ...verdict, notes }, figures), run),
  );
  const folder = flags.out === undefined ? null : resolve(host.cwd, flags.out || '.');
  const xml = junit(report);
  const warn = (warning: string): void => host.stderr.write(`warning: ${warning}\n`);
  if (folder !== null) {
    await mkdir(folder, { recursive: true }).catch((error) => {
      throw badInput(`${folder} cannot be made: ${messageOf(error)}`, 'name another folder with --out');
    });
    const json = jsonText(report);
    await writeArtefacts(host, folder, Object.entries({ 'k6-report.json': json, 'junit.xml': xml }), warn);
  }
  const unwritten = await writeFixedPaths(host, fixed, new Map([['junit.xml', xml]]));
  for (const { message } of unwritten) warn(message);
  const where = folder ?? (files.length === 1 ? (files[0] ?? '') : `${files.length} summaries`);
  tell(host, report, nearby(host, where), flags, k6TerminalSummary);
  return verdict.exitCode === EXIT.pass ? (unwritten[0]?.exitCode ?? EXIT.pass) : verdict.exitCode;
}

function refusePages({ summary, report }: FromK6Flags): void {
  if (summary === undefined && report === undefined) return;
  throw badInput(
    `--${summary === undefined ? 'report' : 'summary'}: --from-k6 writes no page and no Markdown`,
    '--junit, --json and --out hold the verdict',
  );
}

function refuseOther(file: string, { origin }: K6Summary, name: string, hash: string): void {
  if (origin.scenarioHash === hash) return;
  const short = (text: string): string => text.slice(0, 12);
  throw badInput(
    `${file} is of the scenario ${short(origin.scenarioHash)}, named "${origin.scenario.slice(0, 64)}"; --scenario is "${name}", ${short(hash)}`,
    'name the scenario that was exported, with the same --set, --players, --scale, --duration and --seed',
  );
}

/** The scenario is that of the script, and the load is not: the script was edited. */
function refuseChanged(file: string, { origin }: K6Summary, planned: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(planned)) {
    const is = origin[name];
    if (typeof is === 'number' && Math.abs(is - value) < 1e-6) continue;
    const found = is === undefined ? `no ${name}` : `${name} ${String(is).slice(0, 64)}`;
    throw badInput(
      `${file} has ${found}, and its scenario ${value}: the script was changed after it was exported`,
      'export another one with what is to be different: --set, --scale, --duration, --seed',
    );
  }
}

async function readText(path: string, shown: string): Promise<string> {
  const hint = 'expected the summary that a script of `capbench export k6` writes at its end';
  const bytes = await readBounded(path, SUMMARY_LIMIT, hint, shown);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw badInput(`${shown} is not UTF-8 text`, hint);
  }
}
