import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { badInput, EXIT, type ExitCode } from '../errors.ts';
import type { Host } from '../host.ts';
import { jsonText } from '../json-document.ts';
import { readBounded } from '../measurement/bundle.ts';
import { asBox } from '../measurement/emulated-tier.ts';
import { type Ladder, type LadderStep, readLadder } from '../model/ladder.ts';
import type { SearchOptions } from '../model/next-step.ts';
import { ladderHtml } from '../report/ladder-html.ts';
import { ladderMarkdown } from '../report/ladder-markdown.ts';
import { searchLine, searchSummary, stepLine } from '../report/ladder-terminal.ts';
import { searchVerdict } from '../report/ladder-text.ts';
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
import { nearby } from './shown-path.ts';

export const FACTS = 'search.json';
const LARGEST_FACTS = 16 * 2 ** 20;
export const PAGE = 'search.html';

/** Whether `capbench search` wrote it. */
export const isSearch = (folder: string): boolean => existsSync(join(folder, FACTS));

/** Reads the folder of a search. @throws CapbenchError (104) where it is none, or broken */
export async function readSearch(root: string): Promise<Ladder> {
  const path = join(root, FACTS);
  const hint = 'name the folder of a search, such as reports/quickstart-search-20261130T115756Z';
  return readLadder(await readBounded(path, LARGEST_FACTS, hint), path);
}

/** Writes search.json: after every step, so that it can be resumed. */
export const writeFacts = (host: Host, root: string, ladder: Ladder): Promise<void> =>
  writeArtefacts(host, root, [[FACTS, jsonText(ladder)]]);

/** Writes everything of a search. Resolves with the exit code of a file that could not be written where a script expects it. */
export async function writeSearch(
  host: Host,
  root: string,
  ladder: Ladder,
  fixed: readonly FixedPath[],
): Promise<ExitCode | null> {
  const html = ladderHtml(ladder);
  const markdown = ladderMarkdown(ladder);
  await writeFacts(host, root, ladder);
  await writeArtefacts(host, root, Object.entries({ [PAGE]: html, 'summary.md': markdown }));
  return writeCopies(host, fixed, { html, markdown }, 'the folder of the search holds the same file');
}

/** Prints a search as it goes on: to stdout, or nothing of it where that is JSON. `page` is its search.html. */
export function searchPrinter(
  host: Host,
  { json = false, quiet = false, color }: TellingFlags,
  page: string,
) {
  const { stdout } = host;
  const colour = color && isColoured(host);
  const print = (text: string): void => stdout[colour ? 'paint' : 'write'](text);
  const climbing = !json && !quiet;
  return {
    head(
      { scenario, precisionPercent, sameServer, basePlayers, tierFacts }: Ladder,
      options: SearchOptions,
      most: string | null,
    ) {
      if (!climbing) return;
      const { from, confirm, timeLimitSeconds, shortSeconds, fullSeconds } = options;
      const minutes = grouped(timeLimitSeconds / 60, 1);
      const length =
        shortSeconds === fullSeconds ? `${fullSeconds} s` : `${shortSeconds} or ${fullSeconds} s`;
      print(
        `\n  searching ${scenario} (${grouped(basePlayers)} players) from ${grouped(from)}: steps of ${length}, ${sameServer ? 'the same server throughout' : 'each on a fresh stack'}; to ${precisionPercent}%, confirmed ${confirm} times, within ${minutes} min${tierFacts === undefined ? '' : `; ${asBox(tierFacts)}`}\n`,
      );
      if (most !== null) print(`  not more than ${grouped(options.most)}: ${most}\n`);
      print('\n');
    },
    step(step: LadderStep) {
      if (climbing) print(stepLine(step, { colour, width: stdout.columns }));
    },
    end(ladder: Ladder) {
      const style = { colour, width: stdout.columns, full: false, page };
      if (json) stdout.write(jsonText(ladder));
      else print(quiet ? searchLine(ladder, style) : searchSummary(ladder, style));
    },
  };
}

/** Prints what a search has found so far, and writes its reports, into its folder or elsewhere. */
export async function reportSearch(
  host: Host,
  root: string,
  flags: TellingFlags & FixedPathFlags & FormatFlags,
  out: string | null,
): Promise<ExitCode> {
  if (flags.junit !== undefined)
    throw badInput(
      '--junit: a search has no junit.xml',
      'each of its steps has one, in the folder of the step',
    );
  const ladder = await readSearch(root);
  const fixed = await openFixedPaths(host, flags, [join(root, FACTS)]);
  const folder = out ?? root;
  const unwritten = await writeSearch(host, folder, ladder, fixed);
  if (flags.format === undefined) {
    const shown = searchPrinter(host, flags, join(nearby(host, folder), PAGE));
    for (const step of ladder.steps) shown.step(step);
    shown.end(ladder);
  } else {
    const { ladderInFormat } = await import('../report/ladder-format.ts');
    host.stdout.write(ladderInFormat(flags.format, ladder));
  }
  const { exitCode } = searchVerdict(ladder);
  return exitCode === EXIT.pass ? (unwritten ?? exitCode) : exitCode;
}
