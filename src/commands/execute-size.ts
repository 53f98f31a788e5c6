import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { badInput, EXIT, type ExitCode } from '../errors.ts';
import type { Host } from '../host.ts';
import { jsonIn } from '../json-document.ts';
import { isFolder, readBounded } from '../measurement/bundle.ts';
import { type Evidence, factsOf, type NamedPoint, type Search } from '../model/evidence.ts';
import { type LoadPoint, readPoint } from '../model/load-point.ts';
import { speedOf } from '../model/scores.ts';
import { currencyOf, type SizingQuestion, sizeTiers } from '../model/sizing.ts';
import type { Tier } from '../model/tier.ts';
import { sizingJson } from '../report/sizing.ts';
import { sizingCsv } from '../report/sizing-csv.ts';
import { sizingHtml } from '../report/sizing-html.ts';
import { percentOf, wholeNumber } from './options.ts';
import { nearby, openFixedPaths, writeFixedPaths } from './publish.ts';
import { LARGEST_REPORT, REPORT } from './recorded-reports.ts';
import { readScoresFile } from './scores-file.ts';
import { FACTS, isSearch, readSearch } from './search-folder.ts';
import { sizeLines } from './size-lines.ts';
import { readAllTiers, tierFilesOf } from './tiers.ts';
import { readTrials } from './trials-folder.ts';

/** The options of `capbench size`, as given. */
export interface SizeFlags {
  readonly from: readonly string[];
  readonly players: string;
  readonly headroom: string;
  readonly average: string;
  readonly budget?: string;
  readonly currency?: string;
  readonly rate: readonly string[];
  readonly tiers: readonly string[];
  readonly scores: readonly string[];
  readonly tierScores: readonly string[];
  readonly playersPerSession?: string;
  readonly html?: string;
  readonly csv?: string;
  readonly json?: boolean;
}

const MOST_PLAYERS = 10_000_000;
/** In which the shipped tiers are compared, unless a currency is named. */
const USUAL_CURRENCY = 'EUR';

/**
 * Ranks machines for so many players.
 * @returns 0 where one machine or several hold them, 99 where no number of them does
 * @throws CapbenchError (104) for an option, a file or a folder that cannot be used
 */
export async function executeSize(host: Host, flags: SizeFlags): Promise<ExitCode> {
  const players = wholeNumber('--players', flags.players, MOST_PLAYERS);
  const session =
    flags.playersPerSession === undefined
      ? null
      : wholeNumber('--players-per-session', flags.playersPerSession, MOST_PLAYERS);
  const rates = Object.fromEntries(flags.rate.map(readRate));
  const headroomPercent = percentOf('--headroom', flags.headroom, 0, 95);
  const averagePercent = percentOf('--average', flags.average, 1, 100);
  const budget = flags.budget === undefined ? null : amountOf('--budget', flags.budget);
  const tierFiles = await tierFilesOf(host, flags.tiers);
  const tiers = await readAllTiers(host, tierFiles);
  const currency = readCurrency(tiers, flags.currency ?? null, flags.tiers.length === 0);
  const tierScores = flags.tierScores.map((given) => readTierScores(given, tiers));
  const scoreFiles = [...flags.scores, ...tierScores.map(([, file]) => file)];
  const measured = flags.from.flatMap((folder) => [FACTS, REPORT].map((name) => join(folder, name)));
  const inputs = [...tierFiles, ...scoreFiles, ...measured];
  const fixed = await openFixedPaths(host, flags, inputs, { html: 'sizing.html', csv: 'sizing.csv' });

  const hosts = new Map<string, number>();
  for (const file of flags.scores) {
    const scores = await readScoresFile(host, file);
    hosts.set(scores.cpuModel, speedOf(scores, file));
  }
  const ofTiers = new Map<string, number>();
  for (const [id, file] of tierScores) ofTiers.set(id, speedOf(await readScoresFile(host, file), file));

  const facts = factsOf(await readEvidence(host, flags.from), hosts, ofTiers);
  const today = new Date().toISOString().slice(0, 10);
  const question: SizingQuestion = {
    ...{ players, headroomPercent, averagePercent, rates, budget, currency, today },
  };
  const sizing = sizeTiers(tiers, question, currency, facts);
  const artefacts = new Map([
    ['sizing.html', sizingHtml(sizing, facts)],
    ['sizing.csv', sizingCsv(sizing)],
  ]);
  const [unwritten] = await writeFixedPaths(host, fixed, artefacts, 'name a file that you may write to');
  if (unwritten !== undefined) throw unwritten;
  if (flags.json === true)
    host.stdout.write(`${JSON.stringify(sizingJson(sizing, facts, session), null, 2)}\n`);
  else host.stdout.write(`${sizeLines(sizing, facts, host.stdout.columns).join('\n')}\n`);
  return sizing.fits.length + sizing.several.length === 0 ? EXIT.breached : EXIT.pass;
}

function amountOf(option: string, text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (value > 0 && value <= 1e9) return value;
  throw badInput(`${option}: got ${JSON.stringify(text)}, expected an amount above 0`, `${option} 25`);
}

const CURRENCY = /^[A-Z]{3}$/;

/** `USD=0.9` */
function readRate(text: string): readonly [code: string, rate: number] {
  const [code = '', rest = ''] = text.split(/=(.*)/s);
  if (!CURRENCY.test(code))
    throw badInput(
      `--rate: got ${JSON.stringify(text)}, expected CODE=rate`,
      '--rate USD=0.9: what one dollar is',
    );
  return [code, amountOf(`--rate ${code}`, rest)];
}

function readCurrency(tiers: readonly Tier[], asked: string | null, areShipped: boolean): string {
  if (asked !== null && !CURRENCY.test(asked))
    throw badInput(`--currency: got ${JSON.stringify(asked)}, expected three letters`, '--currency EUR');
  const found = currencyOf(tiers, asked ?? (areShipped ? USUAL_CURRENCY : null));
  if (found !== null) return found;
  const all = [...new Set(tiers.flatMap(({ price }) => price?.currency ?? []))];
  throw badInput(
    all.length === 0
      ? 'no tier has a price, so there is nothing to rank'
      : `the tiers have prices in ${all.join(' and ')}`,
    all.length === 0 ? 'add price and currency to the tiers file' : `name one: --currency ${all[0]}`,
  );
}

/** `hetzner-cpx22=scores.json` */
function readTierScores(text: string, tiers: readonly Tier[]): readonly [id: string, file: string] {
  const [id = '', file = ''] = text.split(/=(.*)/s);
  if (file === '') throw badInput(`--tier-scores: got ${JSON.stringify(text)}, expected ID=FILE`);
  if (!tiers.some((tier) => tier.id === id))
    throw badInput(
      `--tier-scores: there is no tier ${JSON.stringify(id)}`,
      `tiers are ${tiers
        .slice(0, 5)
        .map((one) => one.id)
        .join(', ')} ..`,
    );
  return [id, file];
}

/** Reads runs, trials and searches. @throws CapbenchError (104) where a folder has none of them */
async function readEvidence(host: Host, folders: readonly string[]): Promise<Evidence> {
  const searches: Search[] = [];
  const runs: NamedPoint[] = [];
  for (const given of new Set(folders.map((folder) => resolve(host.cwd, folder)))) {
    const name = nearby(host, given);
    if (!(await isFolder(given)))
      throw badInput(`--from: there is no folder ${name}`, 'capbench run and search name theirs');
    if (isSearch(given)) searches.push(await readSteps(host, given));
    else {
      const trials = await readTrials(given);
      for (const folder of trials === null ? [given] : trials.folders.map((one) => join(given, one)))
        runs.push({ name: nearby(host, folder), point: await readRun(host, folder) });
    }
  }
  return { searches, runs };
}

async function readSteps(host: Host, folder: string): Promise<Search> {
  const ladder = await readSearch(folder);
  const points: { step: number; point: LoadPoint }[] = [];
  for (const { step, bundle } of ladder.steps) {
    const own = join(folder, bundle);
    if (existsSync(join(own, REPORT))) points.push({ step, point: await readRun(host, own) });
  }
  return { name: nearby(host, folder), ladder, points };
}

async function readRun(host: Host, folder: string): Promise<LoadPoint> {
  const file = join(folder, REPORT);
  const shown = nearby(host, file);
  const hint = 'name a folder that `capbench run` or `capbench search` wrote';
  const point = readPoint(jsonIn(await readBounded(file, LARGEST_REPORT, hint, shown), shown, hint));
  if ('because' in point)
    throw badInput(`${shown} is not of a run that this capbench can read: ${point.because}`, hint);
  return point;
}
