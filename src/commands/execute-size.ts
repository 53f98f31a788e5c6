import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { badInput, EXIT, type ExitCode } from '../errors.ts';
import type { Host } from '../host.ts';
import { jsonIn, jsonText } from '../json-document.ts';
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
import { openFixedPaths, writeFixedPaths } from './publish.ts';
import { LARGEST_REPORT, REPORT } from './recorded-reports.ts';
import { readTrials } from './recorded-trials.ts';
import { readScoresFile } from './scores-file.ts';
import { FACTS, isSearch, readSearch } from './search-folder.ts';
import { nearby } from './shown-path.ts';
import { sizeLines } from './size-lines.ts';
import { readAllTiers, tierFilesOf, today } from './tiers.ts';

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
  const rates = readRates(flags.rate);
  const headroomPercent = percentOf('--headroom', flags.headroom, 0, 95);
  const averagePercent = percentOf('--average', flags.average, 1, 100);
  const budget = flags.budget === undefined ? null : amountOf('--budget', flags.budget);
  const tierFiles = await tierFilesOf(host, flags.tiers);
  const day = today();
  const tiers = await readAllTiers(host, tierFiles, day);
  const currency = readCurrency(tiers, flags.currency ?? null, flags.tiers.length === 0, rates);
  const tierScores = flags.tierScores.map((given) => readTierScores(given, tiers));
  const scoreFiles = [...flags.scores, ...tierScores.map(([, file]) => file)];
  const measured = flags.from.flatMap((folder) => [FACTS, REPORT].map((name) => join(folder, name)));
  const inputs = [...tierFiles, ...scoreFiles, ...measured];
  const fixed = await openFixedPaths(host, flags, inputs, { html: 'sizing.html', csv: 'sizing.csv' });

  const hosts = new Map<string, number>();
  for (const file of flags.scores) {
    const scores = await readScoresFile(host, file);
    if (hosts.has(scores.cpuModel))
      throw badInput(
        `--scores: ${file} is of ${scores.cpuModel}, as another of the files is`,
        'give one file for each CPU',
      );
    hosts.set(scores.cpuModel, speedOf(scores, file));
  }
  const ofTiers = new Map<string, number>();
  for (const [tier, file] of tierScores) {
    const scores = await readScoresFile(host, file);
    if (ofTiers.has(tier.id))
      throw badInput(`--tier-scores: ${tier.id} is given twice`, 'give one file for each tier');
    if (scores.arch !== tier.arch)
      throw badInput(
        `--tier-scores: ${file} is of a machine with ${scores.arch}, and ${tier.id} has ${tier.arch}`,
        'give the scores of that tier',
      );
    ofTiers.set(tier.id, speedOf(scores, file));
  }

  const facts = factsOf(await readEvidence(host, flags.from), hosts, ofTiers);
  const question: SizingQuestion = {
    ...{ players, headroomPercent, averagePercent, rates, budget, currency, today: day },
  };
  const sizing = sizeTiers(tiers, question, currency, facts);
  const artefacts = new Map([
    ['sizing.html', sizingHtml(sizing, facts)],
    ['sizing.csv', sizingCsv(sizing)],
  ]);
  const [unwritten] = await writeFixedPaths(host, fixed, artefacts, 'name a file that you may write to');
  if (unwritten !== undefined) throw unwritten;
  if (flags.json === true) host.stdout.write(jsonText(sizingJson(sizing, facts, session)));
  else host.stdout.write(`${sizeLines(sizing, facts, host.stdout.columns).join('\n')}\n`);
  return sizing.fits.length + sizing.several.length === 0 ? EXIT.breached : EXIT.pass;
}

/** Null where it is not an amount above 0. */
function amountIn(text: string): number | null {
  const value = /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : Number.NaN;
  return value > 0 && value <= 1e9 ? value : null;
}

function amountOf(option: string, text: string): number {
  const value = amountIn(text);
  if (value !== null) return value;
  throw badInput(`${option}: got ${JSON.stringify(text)}, expected an amount above 0`, `${option} 25`);
}

const CURRENCY = /^[A-Z]{3}$/;

/** `USD=0.9` */
function readRates(given: readonly string[]): Readonly<Record<string, number>> {
  const rates: Record<string, number> = {};
  for (const text of given) {
    const [code = '', rest = ''] = text.split(/=(.*)/s);
    const rate = amountIn(rest);
    if (!CURRENCY.test(code) || rate === null)
      throw badInput(
        `--rate: got ${JSON.stringify(text)}, expected CODE=rate, the rate above 0`,
        '--rate USD=0.9: what one dollar is',
      );
    if (rates[code] !== undefined) throw badInput(`--rate: ${code} is given twice`, 'give one rate for each');
    rates[code] = rate;
  }
  return rates;
}

function readCurrency(
  tiers: readonly Tier[],
  asked: string | null,
  areShipped: boolean,
  rates: Readonly<Record<string, number>>,
): string {
  if (asked !== null && !CURRENCY.test(asked))
    throw badInput(`--currency: got ${JSON.stringify(asked)}, expected three letters`, '--currency EUR');
  const all = [...new Set(tiers.flatMap(({ price }) => price?.currency ?? []))];
  if (all.length === 0)
    throw badInput(
      'no tier has a price, so there is nothing to rank',
      'add price and currency to the tiers file',
    );
  const found = currencyOf(tiers, asked ?? (areShipped ? USUAL_CURRENCY : null));
  if (found === null)
    throw badInput(`the tiers have prices in ${all.join(' and ')}`, `name one: --currency ${all[0]}`);
  if (!all.some((one) => one === found || rates[one] !== undefined))
    throw badInput(
      `no tier has a price in ${found}, and no --rate says what ${all.join(' and ')} are in it`,
      `--currency ${all[0]}, or --rate ${all[0]}=0.9: what one ${all[0]} is`,
    );
  if ((rates[found] ?? 1) !== 1)
    throw badInput(
      `--rate: got one for ${found}, in which prices are compared`,
      'give rates of other currencies: what one unit of them is',
    );
  return found;
}

/** `hetzner-cpx22=scores.json` */
function readTierScores(text: string, tiers: readonly Tier[]): readonly [tier: Tier, file: string] {
  const [id = '', file = ''] = text.split(/=(.*)/s);
  if (file === '') throw badInput(`--tier-scores: got ${JSON.stringify(text)}, expected ID=FILE`);
  const tier = tiers.find((one) => one.id === id);
  if (tier === undefined)
    throw badInput(
      `--tier-scores: there is no tier ${JSON.stringify(id)}`,
      `tiers are ${tiers
        .slice(0, 5)
        .map((one) => one.id)
        .join(', ')} ..`,
    );
  return [tier, file];
}

/**
 * Reads runs, trials and searches, each once: `reports/*` names a run both by its folder and by the link `latest`, and a step
 * both by itself and by its search.
 * @throws CapbenchError (104) where a folder has none of them
 */
async function readEvidence(host: Host, folders: readonly string[]): Promise<Evidence> {
  const searches: Search[] = [];
  const runs: NamedPoint[] = [];
  const seen = new Set<string>();
  const isNew = async (folder: string): Promise<boolean> => {
    const real = await realpath(folder).catch(() => folder);
    if (seen.has(real)) return false;
    seen.add(real);
    return true;
  };
  const others: string[] = [];
  for (const given of folders.map((folder) => resolve(host.cwd, folder))) {
    if (!(await isFolder(given)))
      throw badInput(
        `--from: there is no folder ${nearby(host, given)}`,
        'capbench run and search name theirs',
      );
    if (!isSearch(given)) others.push(given);
    else if (await isNew(given)) {
      const { ladder, steps } = await stepsOf(given);
      const points: { step: number; point: LoadPoint }[] = [];
      for (const { step, folder } of steps) {
        await isNew(folder);
        points.push({ step, point: await readRun(host, folder) });
      }
      searches.push({ name: nearby(host, given), ladder, points });
    }
  }
  for (const given of others) {
    const trials = await readTrials(given);
    for (const folder of trials === null ? [given] : trials.folders.map((one) => join(given, one)))
      if (await isNew(folder)) runs.push({ name: nearby(host, folder), point: await readRun(host, folder) });
  }
  return { searches, runs };
}

/** A search, and the folders of those of its steps that have a report. */
async function stepsOf(search: string) {
  const ladder = await readSearch(search);
  const steps = ladder.steps.map(({ step, bundle }) => ({ step, folder: join(search, bundle) }));
  return { ladder, steps: steps.filter(({ folder }) => existsSync(join(folder, REPORT))) };
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
