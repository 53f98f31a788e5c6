import { badInput } from '../errors.ts';
import { type BatchCost, batchCostOf } from './batcher.ts';
import { completeOf, demandOf, sustainedOf } from './demand.ts';
import type { Ladder, LadderStep } from './ladder.ts';
import type { Point } from './line.ts';
import type { LoadPoint } from './load-point.ts';
import { cpuCoresOf } from './needs.ts';
import { type Bound, isSameMachine } from './prediction.ts';
import type { EmulatedBound, SizingFacts } from './sizing.ts';
import { type Scaling, scalingOf } from './usl.ts';

/** A search, and the runs of its steps as far as they could be read. */
export interface Search {
  /** Its folder, as errors name it. */
  readonly name: string;
  readonly ladder: Ladder;
  readonly points: readonly { readonly step: number; readonly point: LoadPoint }[];
}

/** Runs beside searches. */
export interface NamedPoint {
  readonly name: string;
  readonly point: LoadPoint;
}

/** What was measured, of one scenario. */
export interface Evidence {
  readonly searches: readonly Search[];
  readonly runs: readonly NamedPoint[];
}

/** How fast a core is, by the model of the CPU or the id of the tier; relative to each other. */
export type Speeds = ReadonlyMap<string, number>;

/** The facts on which tiers are sized, and the machine whose cores they are in. */
export interface KnownFacts extends SizingFacts {
  readonly scenario: string;
  readonly system: string;
  readonly host: LoadPoint['host'];
  /** How many runs the costs are from. */
  readonly runs: number;
  /** How many bounds are from searches; 0: no bound is known, only a run that passed. */
  readonly searched: number;
  /** Runs that failed with no more players than a search passed with on the same cores. */
  readonly contradictions: readonly {
    readonly name: string;
    readonly players: number;
    readonly passed: number;
  }[];
  /** Searches that say nothing of a bound, and why. */
  readonly withoutBound: readonly { readonly name: string; readonly because: string }[];
  /** The runs on that machine. */
  readonly points: readonly LoadPoint[];
  readonly batches: BatchCost | { readonly because: string };
  /** How the players that are held grow with the number of servers on one machine. */
  readonly scaling: Scaling | { readonly because: string };
}

/**
 * The facts of what was measured.
 * @throws CapbenchError (104): bundles of several scenarios, or of machines whose speeds are unknown; nothing that passed; speeds
 * of tiers without that of the machine
 */
export function factsOf({ searches, runs }: Evidence, hosts: Speeds, tiers: Speeds): KnownFacts {
  const all = [
    ...searches.flatMap(({ name, points }) => points.map(({ point }) => ({ name, point }))),
    ...runs,
  ];
  const [first] = all;
  if (first === undefined) {
    const [search] = searches;
    throw search === undefined
      ? badInput('no run could be read', 'name a folder that `capbench run` or `capbench search` wrote')
      : badInput(
          `${search.name} has no report.json in the folders of its steps, so nothing is known of what a player costs`,
          'name the folder as `capbench search` left it',
        );
  }
  for (const { name, point } of all) refuseOther(first, name, point);
  refuseOtherRates(all);
  const host = commonHost(all);
  if (tiers.size > 0 && !hosts.has(host.cpuModel))
    throw badInput(
      `--tier-scores is given without --scores of the CPU that was measured (${host.cpuModel})`,
      'run `capbench score --json` on that machine, too: --scores FILE',
    );
  const models = new Set([
    ...all.map(({ point }) => point.host.cpuModel),
    ...searches.map(({ ladder }) => ladder.host.cpuModel),
  ]);
  const foreign = [...hosts.keys()].find((model) => !models.has(model));
  if (foreign !== undefined)
    throw badInput(
      `--scores is of a CPU on which nothing was measured (${foreign}; measured: ${[...models].join(', ')})`,
      'scores of a machine that one can rent are given with --tier-scores ID=FILE',
    );
  const here = hosts.get(host.cpuModel) ?? 1;
  const ofHost = (cpuModel: string, name: string): number => {
    if (cpuModel === host.cpuModel) return 1;
    const own = hosts.get(cpuModel);
    if (own === undefined || !hosts.has(host.cpuModel))
      throw badInput(
        `${name} was measured on another CPU (${cpuModel}) than the others (${host.cpuModel})`,
        'run `capbench score --json` on both machines and give both files: --scores FILE',
      );
    return own / here;
  };
  const points = all.flatMap(({ point }) => (point.host.cpuModel === host.cpuModel ? [point] : []));
  const demand = demandOf(points);
  if ('because' in demand) throw badInput(`nothing is known of the cost of a player: ${demand.because}`);
  const bounds = searches.flatMap((search) => boundOf(search, ofHost) ?? []);
  return {
    ...{ scenario: first.point.scenario, system: first.point.system, demand, host },
    bounds: bounds.length > 0 ? bounds : [passedOf(all, ofHost)],
    ...{ runs: points.length, searched: bounds.length, points },
    contradictions: contradictionsOf(runs, bounds, ofHost),
    withoutBound: searches.flatMap((search) =>
      foundBy(search) === null ? [{ name: search.name, because: whyUnbound(search.ladder) }] : [],
    ),
    batches: batchCostOf(sustainedOf(points).flatMap(({ batches }) => batches ?? [])),
    scaling: scalingOf(
      heldByServers(searches.filter(({ ladder }) => ladder.host.cpuModel === host.cpuModel)),
    ),
    emulated: emulatedBy(searches.filter(({ ladder }) => ladder.host.cpuModel === host.cpuModel)),
    speeds: new Map([...tiers].map(([id, speed]) => [id, speed / here] as const)),
  };
}

function refuseOther(first: NamedPoint, name: string, { scenario, system }: LoadPoint): void {
  if (scenario === first.point.scenario && system === first.point.system) return;
  throw badInput(
    `${name} is of the scenario ${scenario} (${system}), and ${first.name} of ${first.point.scenario} (${first.point.system})`,
    'give the bundles of one scenario',
  );
}

/** Fewer operations come in so few that their rate is not known. */
const FEWEST_OPERATIONS = 200;
/** Rates of players that differ by more are those of different loads. */
const SAME_RATE = 1.5;

/** A load whose rates do not grow with its players has no cost of a player; nor have runs of scenarios that were changed. */
function refuseOtherRates(all: readonly NamedPoint[]): void {
  const rates = all
    .flatMap(({ name, point: { sustained, operationsPerSecond, seconds, players } }) =>
      sustained && players > 0 && (operationsPerSecond ?? 0) * seconds >= FEWEST_OPERATIONS
        ? [{ name, rate: (operationsPerSecond ?? 0) / players }]
        : [],
    )
    .toSorted((one, other) => one.rate - other.rate);
  const [least, most] = [rates[0], rates.at(-1)];
  if (least === undefined || most === undefined || most.rate <= SAME_RATE * least.rate) return;
  const [low, high] = [least.rate, most.rate].map((rate) => Number(rate.toPrecision(3)));
  throw badInput(
    `a player of ${most.name} does ${high} operations/s, and one of ${least.name} ${low}: these are not the same load`,
    'give the bundles of one scenario with the same rates; --scale changes players and rates together',
  );
}

/** The machine with the most runs. */
function commonHost(all: readonly NamedPoint[]): LoadPoint['host'] {
  const counts = new Map<string, number>();
  for (const { point } of all) counts.set(point.host.cpuModel, (counts.get(point.host.cpuModel) ?? 0) + 1);
  const [most] = [...counts].toSorted(([, one], [, other]) => other - one);
  const found = all.find(({ point }) => point.host.cpuModel === most?.[0]);
  if (found === undefined) throw new Error('there is no run');
  return found.point.host;
}

/** Cores that the stack of a run could use. */
export const coresOfStack = ({ limitCpus, host, generatorCores }: LoadPoint): number =>
  limitCpus ?? Math.max(0, host.cpus - (generatorCores ?? 0));

type SpeedOf = (cpuModel: string, name: string) => number;

/** The runs of the last pass of a search, and its result; null where it found no bound. */
function foundBy({ ladder, points }: Search) {
  const { result } = ladder;
  if (!result?.found) return null;
  const isLastPass = ({ players, outcome }: LadderStep): boolean =>
    players === result.lastPass && outcome === 'pass';
  const steps = new Set(ladder.steps.filter(isLastPass).map(({ step }) => step));
  const runs = points.flatMap(({ step, point }) => (steps.has(step) ? [point] : []));
  return runs.length === 0 ? null : { result, runs };
}

function whyUnbound({ result }: Ladder): string {
  if (result === null) return 'it has not ended (capbench search --resume)';
  return result.found ? 'the runs of its last pass are not in its folder' : result.because;
}

/** What searches found that were confined to a tier, by its id. */
function emulatedBy(searches: readonly Search[]): ReadonlyMap<string, readonly EmulatedBound[]> {
  const found = new Map<string, EmulatedBound[]>();
  for (const { ladder } of searches) {
    const { tier, tierFacts, result } = ladder;
    if (tier === null || !result?.found) continue;
    const { lastPass, firstFail } = result;
    found.set(tier, [...(found.get(tier) ?? []), { lastPass, firstFail, of: tierFacts ?? null }]);
  }
  return found;
}

/** Null where the search found no bound. */
function boundOf(search: Search, speedOf: SpeedOf): Bound | null {
  const found = foundBy(search);
  if (found === null) return null;
  const { result, runs } = found;
  const { name, ladder } = search;
  const cores = runs.map(coresOfStack);
  return {
    cpus: cores.reduce((sum, one) => sum + one, 0) / cores.length,
    speed: speedOf(ladder.host.cpuModel, name),
    ...{ lastPass: result.lastPass, firstFail: result.firstFail, ...usedBy(runs) },
  };
}

/** The cores that runs of the same load used, on average: those that sustained it. */
export function usedBy(runs: readonly LoadPoint[]): Pick<Bound, 'usedCores'> {
  const used = completeOf(sustainedOf(runs)).flatMap((run) => cpuCoresOf(run) ?? []);
  return used.length === 0 ? {} : { usedCores: used.reduce((sum, one) => sum + one, 0) / used.length };
}

/** Servers, and the players that they held: of the searches on that number of cores on which most numbers of servers were tried. */
function heldByServers(searches: readonly Search[]): readonly Point[] {
  const byCores = new Map<number | null, Point[]>();
  for (const found of searches.flatMap((search) => foundBy(search) ?? [])) {
    const { result, runs } = found;
    const [run] = runs;
    if (run === undefined) continue;
    const points = byCores.get(run.limitCpus) ?? [];
    points.push([run.servers, result.lastPass]);
    byCores.set(run.limitCpus, points);
  }
  const numbers = (points: readonly Point[]): number => new Set(points.map(([servers]) => servers)).size;
  const [most = []] = [...byCores.values()].toSorted((one, other) => numbers(other) - numbers(one));
  return most;
}

/** What failed beside a search, with players that passed in it. */
function contradictionsOf(
  runs: readonly NamedPoint[],
  bounds: readonly Bound[],
  speedOf: SpeedOf,
): KnownFacts['contradictions'] {
  return runs.flatMap(({ name, point }) => {
    if (point.outcome !== 'fail') return [];
    const cores = { cpus: coresOfStack(point), speed: speedOf(point.host.cpuModel, name) };
    const same = bounds.find((bound) => point.players <= bound.lastPass && isSameMachine(bound, cores));
    return same === undefined ? [] : [{ name, players: point.players, passed: same.lastPass }];
  });
}

/** Without a search, the largest load that passed is held at least. */
function passedOf(all: readonly NamedPoint[], speedOf: SpeedOf): Bound {
  const passed = all.filter(({ point }) => point.outcome === 'pass' && point.sustained);
  const [best] = passed.toSorted((one, other) => other.point.players - one.point.players);
  if (best === undefined)
    throw badInput(
      'none of the runs passed, so no number of players is known to be held',
      'capbench search finds the largest number that keeps every budget',
    );
  const { players } = best.point;
  return {
    cpus: coresOfStack(best.point),
    speed: speedOf(best.point.host.cpuModel, best.name),
    ...{ lastPass: players, firstFail: players, ...usedBy([best.point]) },
  };
}
