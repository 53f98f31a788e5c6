import type { EmulatedTier } from '../measurement/emulated-tier.ts';
import { bytesToEach, type Demand } from './demand.ts';
import { type Bound, type Capacity, predict, wholePlayers } from './prediction.ts';
import { daysBetween, type Tier } from './tier.ts';

/** What somebody wants to know. */
export interface SizingQuestion {
  /** At the peak. */
  readonly players: number;
  /** Share of each machine that is to stay free at the peak, percent. */
  readonly headroomPercent: number;
  /** Of the peak, on average over a month, percent: what traffic is computed with. */
  readonly averagePercent: number;
  /** In which prices are compared; null: all tiers have one currency. */
  readonly currency: string | null;
  /** What one unit of another currency is in that currency. */
  readonly rates: Readonly<Record<string, number>>;
  /** A month, in that currency; null: any price. */
  readonly budget: number | null;
  /** `2026-09-03` */
  readonly today: string;
}

/** What a search found that was confined to a tier. */
export interface EmulatedBound extends Pick<Bound, 'lastPass' | 'firstFail'> {
  /** The tier as it was then; null: its search does not say. */
  readonly of: EmulatedTier | null;
}

/** What was measured. */
export interface SizingFacts {
  readonly demand: Demand;
  readonly bounds: readonly Bound[];
  /** Searches on this machine confined to a tier, by the name of the tier. */
  readonly emulated: ReadonlyMap<string, readonly EmulatedBound[]>;
  /** How fast a core of each tier is, where its scores are known; the others count as cores of this machine. */
  readonly speeds: ReadonlyMap<string, number>;
}

/** A tier that is ranked. */
export interface SizedTier {
  readonly tier: Tier;
  readonly capacity: Capacity;
  /** Players that one machine is to hold: the lower end, less the headroom. */
  readonly players: number;
  /** Machines for all players. */
  readonly boxes: number;
  /** A month, in the currency of the question: machines and traffic. Null: traffic beyond the allowance has no stated price. */
  readonly cost: number | null;
  /** The machines only. */
  readonly price: number;
  readonly perThousandPlayers: number | null;
  readonly traffic: {
    /** A month, of all machines, to players; null: not measured. */
    readonly bytes: number | null;
    /** Beyond what the price contains. */
    readonly beyondBytes: number | null;
    readonly cost: number | null;
  };
  /** Days since the price was read. */
  readonly age: number;
}

/** A tier that is not ranked, and why. */
export interface LeftOut {
  readonly tier: Tier;
  readonly because:
    | 'no price'
    | 'undated price'
    | 'price over a year old'
    | 'not orderable'
    | 'another currency'
    | 'unknown baseline'
    | 'holds nobody'
    | 'over the budget';
}

/** Which tiers hold the players, at what price. */
export interface Sizing {
  readonly question: SizingQuestion;
  /** In the currency of the prices. */
  readonly currency: string;
  /** One machine is enough: the cheapest first, those of unknown traffic costs last. */
  readonly fits: readonly SizedTier[];
  /** More than one is needed, which a world can use only if it can be divided. */
  readonly several: readonly SizedTier[];
  readonly leftOut: readonly LeftOut[];
  /** Ranked with a price that was read more than 90 days ago. */
  readonly old: number;
}

const OLDEST_DAYS = 365;
const OLD_DAYS = 90;
const SECONDS_A_MONTH = 730 * 3600;
const GB = 1e9;

/** The currency in which all prices are compared: the question's, or the only one that there is. Null: there are several. */
export function currencyOf(tiers: readonly Tier[], asked: string | null): string | null {
  if (asked !== null) return asked;
  const all = new Set(tiers.flatMap(({ price }) => price?.currency ?? []));
  return all.size === 1 ? ([...all][0] ?? null) : null;
}

/**
 * Cores in the long run. A burstable machine has its baseline; a thread counts as a core, as it did where the costs were
 * measured. Null: its baseline is not stated.
 */
export function coresOf({ cpus, kind, baselinePercent }: Tier): number | null {
  if (kind !== 'burstable') return cpus;
  return baselinePercent === null ? null : (cpus * baselinePercent) / 100;
}

/** The capacity of a tier; null where its cores are unknown. */
export function capacityOf(tier: Tier, { demand, bounds, emulated, speeds }: SizingFacts): Capacity | null {
  const cpus = coresOf(tier);
  if (cpus === null) return null;
  const speed = speeds.get(tier.id) ?? 1;
  const predicted = predict(demand, bounds, { cpus, speed, memoryBytes: tier.memoryBytes });
  const found = (emulated.get(tier.id) ?? []).filter(({ of }) => of === null || isOfSize(tier, of));
  // With this host's cores more is held than with slower ones.
  if (found.length === 0 || speed < 1) return predicted;
  return {
    ...{ label: 'emulated', ranOut: predicted.ranOut, refused: null },
    low: Math.min(...found.map(({ lastPass }) => lastPass)),
    high: Math.max(...found.map(({ firstFail }) => firstFail)),
    because: 'a search with --tier on this machine, with its cores',
  };
}

/** Whether a search was confined to what this tier has: another file may have another of that name. */
const isOfSize = (tier: Tier, of: EmulatedTier): boolean =>
  coresOf(tier) === (of.baselinePercent === null ? of.cpus : (of.cpus * of.baselinePercent) / 100) &&
  tier.memoryBytes === of.memoryBytes;

/** Ranks tiers for a question. `currency`: as `currencyOf` found it. */
export function sizeTiers(
  tiers: readonly Tier[],
  question: SizingQuestion,
  currency: string,
  facts: SizingFacts,
): Sizing {
  const sized: SizedTier[] = [];
  const leftOut: LeftOut[] = [];
  for (const tier of tiers) {
    const found = sizeTier(tier, question, currency, facts);
    if (typeof found === 'string') leftOut.push({ tier, because: found });
    else sized.push(found);
  }
  const byCost = (one: SizedTier, other: SizedTier): number =>
    (one.cost ?? Number.POSITIVE_INFINITY) - (other.cost ?? Number.POSITIVE_INFINITY) ||
    one.price - other.price ||
    one.tier.id.localeCompare(other.tier.id);
  return {
    ...{ question, currency, leftOut },
    fits: sized.filter(({ boxes }) => boxes === 1).toSorted(byCost),
    several: sized.filter(({ boxes }) => boxes > 1).toSorted(byCost),
    old: sized.filter(({ age }) => age > OLD_DAYS).length,
  };
}

function sizeTier(
  tier: Tier,
  question: SizingQuestion,
  currency: string,
  facts: SizingFacts,
): SizedTier | LeftOut['because'] {
  const { price } = tier;
  const { today, players, headroomPercent, budget, rates } = question;
  if (price === null) return 'no price';
  if (price.read === null) return 'undated price';
  // A price that was read today where it is tomorrow already is not of negative age.
  const age = Math.max(0, daysBetween(price.read, today));
  if (age > OLDEST_DAYS) return 'price over a year old';
  if (price.orderable === false) return 'not orderable';
  const rate = price.currency === currency ? 1 : rates[price.currency];
  if (rate === undefined) return 'another currency';
  const capacity = capacityOf(tier, facts);
  if (capacity === null) return 'unknown baseline';
  const each = wholePlayers((capacity.low * (100 - headroomPercent)) / 100);
  if (each < 1) return 'holds nobody';
  const boxes = Math.ceil(players / each);
  const traffic = trafficOf(tier, facts.demand, question, boxes);
  const machines = price.amount * rate * boxes;
  const cost = traffic.cost === null ? null : machines + traffic.cost * rate;
  if (budget !== null && inCents(cost ?? machines) > inCents(budget)) return 'over the budget';
  return {
    ...{ tier, capacity, players: each, boxes, price: machines, cost, age },
    perThousandPlayers: cost === null ? null : (cost / players) * 1000,
    traffic: { ...traffic, cost: traffic.cost === null ? null : traffic.cost * rate },
  };
}

/** To the cent: three machines of 8.40 are not over 25.20. */
const inCents = (amount: number): number => Math.round(100 * amount);

type Traffic = Pick<Demand, 'bytesToPlayer' | 'bytesByPlayers'>;

/** To all players, who are evenly on so many machines; null: not measured. */
export function monthlyBytes(
  demand: Traffic,
  { players, averagePercent }: SizingQuestion,
  boxes: number,
): number | null {
  const online = players * (averagePercent / 100);
  const each = bytesToEach(demand, online / boxes);
  return each === null ? null : each * online * SECONDS_A_MONTH;
}

/** Costs in the tier's own currency. Only what goes to players counts: providers do not charge for what comes in. */
function trafficOf(
  { trafficBytes: allowance, trafficPerGB }: Tier,
  demand: Demand,
  question: SizingQuestion,
  boxes: number,
): SizedTier['traffic'] {
  const bytes = monthlyBytes(demand, question, boxes);
  if (bytes === null) return { bytes: null, beyondBytes: null, cost: allowance === 'unlimited' ? 0 : null };
  if (allowance === 'unlimited') return { bytes, beyondBytes: 0, cost: 0 };
  if (allowance === null) return { bytes, beyondBytes: null, cost: null };
  const beyondBytes = Math.max(0, bytes - allowance * boxes);
  const cost = beyondBytes === 0 ? 0 : trafficPerGB === null ? null : (beyondBytes / GB) * trafficPerGB;
  return { bytes, beyondBytes, cost };
}
