import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Comparison, compare } from '../compare/comparison.ts';
import { type Duet, type DuetAttempt, readDuet } from '../compare/duet.ts';
import { type DuetOptions, isMeasured, pairsOf } from '../compare/next-trial.ts';
import { readTrial, type Trial } from '../compare/trial.ts';
import { badInput, EXIT, type ExitCode } from '../errors.ts';
import type { Host } from '../host.ts';
import { jsonText } from '../json-document.ts';
import { readBounded } from '../measurement/bundle.ts';
import { duetHtml } from '../report/duet-html.ts';
import { duetMarkdown } from '../report/duet-markdown.ts';
import { attemptLine, duetLine, duetSummary, powerLine } from '../report/duet-terminal.ts';
import { duetVerdict } from '../report/duet-text.ts';
import { grouped } from '../units.ts';
import type { FormatFlags } from './format.ts';
import type { FixedPathFlags } from './options.ts';
import {
  type FixedPath,
  isColoured,
  openFixedPaths,
  type TellingFlags,
  writeArtefacts,
  writeCopies,
} from './publish.ts';
import { LARGEST_REPORT, REPORT } from './recorded-reports.ts';
import { nearby } from './shown-path.ts';

const FACTS = 'duet.json';
const LARGEST_FACTS = 16 * 2 ** 20;
export const PAGE = 'duet.html';

/** Whether `capbench duet` wrote it. */
export const isDuet = (folder: string): boolean => existsSync(join(folder, FACTS));

/** Reads the folder of a duet. @throws CapbenchError (104) where it is none, or broken */
export async function readDuetFolder(root: string): Promise<Duet> {
  const path = join(root, FACTS);
  const hint = 'name the folder of a duet, such as reports/my-world-duet-20261130T115756Z';
  return readDuet(await readBounded(path, LARGEST_FACTS, hint), path);
}

/** The trials of a duet that were measured, by the numbers of their attempts. @throws CapbenchError (104) where one is missing */
export async function readMeasured(
  root: string,
  { attempts }: Duet,
): Promise<readonly (readonly [attempt: number, trial: Trial])[]> {
  const hint = 'the folder of a duet holds the bundles of its trials';
  return Promise.all(
    attempts.filter(isMeasured).map(async ({ attempt, bundle }) => {
      const path = join(root, bundle, REPORT);
      return [attempt, readTrial(await readBounded(path, LARGEST_REPORT, hint), bundle)] as const;
    }),
  );
}

/** The comparison of the pairs so far; null before the first one. */
export function comparisonOf(duet: Duet, trials: ReadonlyMap<number, Trial>): Comparison | null {
  const pairs = pairsOf(duet);
  if (pairs.length === 0) return null;
  const of = (side: 0 | 1): readonly Trial[] => pairs.flatMap((pair) => trials.get(pair[side].attempt) ?? []);
  return compare(
    { name: duet.base.name, trials: of(0) },
    { name: duet.head.name, trials: of(1) },
    duet.gate,
    'paired',
  );
}

/** Writes duet.json: after every trial, so that it can be resumed. */
export const writeFacts = (host: Host, root: string, duet: Duet): Promise<void> =>
  writeArtefacts(host, root, [[FACTS, jsonText(duet)]]);

/** Writes everything of a duet. Resolves with the exit code of a file that could not be written where a script expects it. */
export async function writeDuet(
  host: Host,
  root: string,
  duet: Duet,
  comparison: Comparison | null,
  fixed: readonly FixedPath[],
): Promise<ExitCode | null> {
  const html = duetHtml(duet, comparison);
  const markdown = duetMarkdown(duet, comparison);
  await writeFacts(host, root, duet);
  const files = { [PAGE]: html, 'summary.md': markdown };
  const compared = comparison === null ? {} : { 'comparison.json': jsonText(comparison) };
  await writeArtefacts(host, root, Object.entries({ ...files, ...compared }));
  return writeCopies(host, fixed, { html, markdown }, 'the folder of the duet holds the same file');
}

/** Prints a duet as it goes on: to stdout, or nothing of it where that is JSON. `page` is its duet.html. */
export function duetPrinter(
  host: Host,
  { json = false, quiet = false, full = false, color }: TellingFlags,
  page: string,
) {
  const { stdout } = host;
  const colour = color && isColoured(host);
  const print = (text: string): void => stdout[colour ? 'paint' : 'write'](text);
  const telling = !json && !quiet;
  const style = () => ({ colour, width: stdout.columns, full, page });
  return {
    head({ scenario, base, head, seconds, gate }: Duet, { mostTrials, timeLimitSeconds }: DuetOptions) {
      if (!telling) return;
      print(
        `\n  ${scenario}: ${base.name} (base) and ${head.name} (head) in turn, each trial on a fresh stack with a measure phase of ${seconds} s, until they would show a change of ${grouped(gate.thresholdPercent, 1)}%; at most ${grouped(mostTrials)} trials of each, and ${grouped(timeLimitSeconds / 60, 1)} min\n\n`,
      );
    },
    attempt({ gate }: Pick<Duet, 'gate'>, attempt: DuetAttempt, trial: Trial | null) {
      if (telling) print(attemptLine(attempt, isMeasured(attempt) ? trial : null, gate, style()));
    },
    pairs(duet: Duet, comparison: Comparison) {
      if (telling) print(powerLine(comparison, pairsOf(duet).length));
    },
    /** The exit code of the duet. */
    end(duet: Duet, comparison: Comparison | null): ExitCode {
      const { exitCode, word } = duetVerdict(duet, comparison);
      if (json) stdout.write(jsonText({ ...comparison, duet: { ...duet, word, exitCode } }));
      else print((quiet ? duetLine : duetSummary)(duet, comparison, style()));
      return exitCode;
    },
  };
}

/** Prints what a duet has found so far, and writes its reports, into its folder or elsewhere. */
export async function reportDuet(
  host: Host,
  root: string,
  flags: TellingFlags & FixedPathFlags & FormatFlags,
  out: string | null,
): Promise<ExitCode> {
  if (flags.junit !== undefined)
    throw badInput(
      '--junit: a duet has no junit.xml',
      'each of its trials has one, in the folder of the trial; report FOLDER --format junit prints one of the comparison',
    );
  const duet = await readDuetFolder(root);
  const trials = new Map(await readMeasured(root, duet));
  const fixed = await openFixedPaths(host, flags, [join(root, FACTS)]);
  const folder = out ?? root;
  const comparison = comparisonOf(duet, trials);
  const unwritten = await writeDuet(host, folder, duet, comparison, fixed);
  const { exitCode } = duetVerdict(duet, comparison);
  if (flags.format === undefined) {
    const shown = duetPrinter(host, flags, join(nearby(host, folder), PAGE));
    for (const attempt of duet.attempts) shown.attempt(duet, attempt, trials.get(attempt.attempt) ?? null);
    shown.end(duet, comparison);
  } else {
    const { duetInFormat } = await import('../report/duet-format.ts');
    const head = pairsOf(duet).flatMap(([, { attempt }]) => trials.get(attempt) ?? []);
    host.stdout.write(duetInFormat(flags.format, duet, comparison, head));
  }
  return exitCode === EXIT.pass ? (unwritten ?? exitCode) : exitCode;
}
