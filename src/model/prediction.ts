import { grouped } from '../units.ts';
import type { Demand } from './demand.ts';
import { deviationOf, FARTHEST, intervalFactor } from './interval.ts';
import { type Line, lineThrough, type Point, reaches, valueAt } from './line.ts';
import { equalWaiting } from './waiting.ts';

/** What a search found on one machine, or on the part of one to which the stack was confined. */
export interface Bound {
  /** Cores that the stack could use: its limit, or what the generator left of the host. */
  readonly cpus: number;
  /** How fast one of them is: 1 is a core of the machine whose costs are known. */
  readonly speed: number;
  readonly lastPass: number;
  readonly firstFail: number;
  /** Of these cores, those that the stack used with the players of the last pass; absent: not measured. */
  readonly usedCores?: number;
}

/** The machine that is asked about. */
export interface Box {
  /** Cores in the long run: of a burstable one its baseline. */
  readonly cpus: number;
  readonly speed: number;
  readonly memoryBytes: number;
}

/**
 * Where the capacity of a machine that was not searched itself comes from: emulated, on another that was confined to its size;
 * predicted, with an interval of known error; or bounds only, which no measurement has checked.
 */
export type CapacityLabel = 'emulated' | 'predicted' | 'bounds only';

/** How many players a machine holds. */
export interface Capacity {
  readonly label: CapacityLabel;
  /** The lower end, which is the capacity that is stated. Players, rounded down. */
  readonly low: number;
  /** Null: not stated. */
  readonly high: number | null;
  /** What runs out first. */
  readonly ranOut: 'cpu' | 'one server' | 'memory' | 'unknown';
  /** One line. */
  readonly because: string;
  /** Why no more than this is said, where it is so. */
  readonly refused: string | null;
}

/** Fewer machines have no residuals from which an interval could follow. */
const FEWEST_MACHINES = 3;
/** What the operating system keeps of a machine's memory: ours, since no document says it. */
const SYSTEM_SHARE = 0.1;
const SYSTEM_LEAST = 256 * 2 ** 20;
/** Above this share of a core a server with one thread counts as full. */
const FULL_SERVER = 0.9;

/** On one core that is no fuller, work waits for no longer than its own service (M/M/1): a budget that breaks there breaks by something else. */
const HALF = 0.5;

/** Whole players, without losing one to the last bit of a fraction. */
export const wholePlayers = (players: number): number => Math.floor(players * (1 + 1e-9));

export const memoryForStack = (bytes: number): number =>
  Math.max(0, bytes - Math.max(SYSTEM_LEAST, SYSTEM_SHARE * bytes));

/** The geometric middle of what a search left open. */
const middleOf = ({ lastPass, firstFail }: Bound): number => Math.sqrt(lastPass * firstFail);

/** Cores in the unit of the demand. */
const worth = ({ cpus, speed }: { readonly cpus: number; readonly speed: number }): number => cpus * speed;

/**
 * The cost of a load where the cores are as full as the budgets allow, in the unit of the demand. A server that gathers what waits
 * does it for less when it is busy: so the cores that were used at the bounds count, and not what the same load uses on a machine
 * with cores to spare. Of one machine only the level is known: the demand is scaled to it.
 */
export function fullCost(cpu: Line, bounds: readonly Bound[]): Line {
  const used = bounds.flatMap(({ lastPass, usedCores, speed }): Point[] =>
    usedCores === undefined ? [] : [[lastPass, usedCores * speed]],
  );
  const [first, second] = used;
  if (first === undefined) return cpu;
  if (second !== undefined) return lineThrough(used) ?? cpu;
  const expected = valueAt(cpu, first[0]);
  if (expected === 0) return cpu;
  const level = first[1] / expected;
  return { ...cpu, base: cpu.base * level, perUnit: cpu.perUnit * level };
}

/**
 * The players that a box holds by CPU, if it may be as full as the machine of the bound was, for the same waiting:
 * C' = cpu^-1(m' score'/score U'), the law of utilisation with another machine's cores (measurement of U at the bound).
 */
export function carriedOver(cost: Line, bound: Bound, box: Pick<Box, 'cpus' | 'speed'>): number {
  const utilisation = usedOf(cost, bound);
  const same = equalWaiting({ cores: bound.cpus, utilisation }, box.cpus);
  const allowed = Math.max(same, Math.min(utilisation, HALF));
  const carried = reaches(cost, allowed * worth(box));
  // Where something else broke the budgets, more cores are not known to help.
  return utilisation < HALF ? Math.min(carried, bound.lastPass) : carried;
}

/** The share of its cores that the stack used with the players of the last pass. */
const usedOf = (cost: Line, { cpus, speed, lastPass, usedCores }: Bound): number =>
  (usedCores ?? valueAt(cost, lastPass) / speed) / cpus;

/** The same cost without what is used by nobody: as if it were shared by fewer players, too. */
const inProportion = (cost: Line, players: number): Line => ({
  ...cost,
  base: 0,
  perUnit: valueAt(cost, players) / players,
});

/** Cores that differ by less are those of one machine, which was searched again. */
const SAME_MACHINE = 1.1;

type Cores = Pick<Bound, 'cpus' | 'speed'>;

export const isSameMachine = (one: Cores, other: Cores): boolean =>
  [one.cpus / other.cpus, one.speed / other.speed].every(
    (ratio) => ratio < SAME_MACHINE && ratio > 1 / SAME_MACHINE,
  );

/**
 * One bound for each machine. Searches that were repeated on a machine say how well they repeat, and nothing of other
 * machines: together they are what all of them leave open, from the smallest last pass to the largest first fail.
 */
export function machinesOf(bounds: readonly Bound[]): readonly Bound[] {
  const machines: Bound[][] = [];
  for (const bound of bounds) {
    const same = machines.find(([first]) => first !== undefined && isSameMachine(first, bound));
    if (same === undefined) machines.push([bound]);
    else same.push(bound);
  }
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, one) => sum + one, 0) / values.length;
  return machines.map((same) => {
    const lastPass = Math.min(...same.map((one) => one.lastPass));
    // Of as many players.
    const used = same.flatMap((one) =>
      one.usedCores === undefined ? [] : [(one.usedCores * lastPass) / one.lastPass],
    );
    return {
      ...{ cpus: mean(same.map(({ cpus }) => cpus)), speed: mean(same.map(({ speed }) => speed)), lastPass },
      firstFail: Math.max(...same.map(({ firstFail }) => firstFail)),
      ...(used.length === 0 ? {} : { usedCores: mean(used) }),
    };
  });
}

const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, one) => sum + Math.log(one), 0) / values.length);

/** By all bounds together. `cpu`: of the demand. */
function byBounds(cpu: Line, bounds: readonly Bound[], box: Pick<Box, 'cpus' | 'speed'>): number {
  const cost = fullCost(cpu, bounds);
  return geometricMean(
    bounds.map((bound) => {
      const carried = carriedOver(cost, bound, box) * (middleOf(bound) / bound.lastPass);
      return Math.max(carried, Number.MIN_VALUE);
    }),
  );
}

/**
 * ln(measured / predicted) of each machine, predicted from the others only; and, since no search is more exact, half of what it
 * left open.
 */
export function residualsOf({ cpu }: Pick<Demand, 'cpu'>, bounds: readonly Bound[]): readonly number[] {
  return bounds.map((one, i) => {
    const others = bounds.filter((_, j) => j !== i);
    const residual = Math.log(middleOf(one) / byBounds(cpu, others, one));
    return Math.hypot(residual, Math.log(one.firstFail / one.lastPass) / 2);
  });
}

interface Interval {
  readonly low: number;
  readonly high: number;
  readonly label: 'predicted' | 'bounds only';
  readonly ranOut: 'cpu' | 'unknown';
  readonly because: string;
}

/** By CPU alone. `bounds`: one for each machine. */
function byCpu(demand: Demand, bounds: readonly Bound[], box: Box): Interval {
  const cost = fullCost(demand.cpu, bounds);
  const least = Math.min(...bounds.map((bound) => usedOf(cost, bound)));
  if (bounds.length < FEWEST_MACHINES || least < HALF) {
    // How much of the cost is there without players is known where there is room for them, and not where there is none.
    const ways = bounds.flatMap((bound) =>
      [cost, inProportion(cost, bound.lastPass)].map((way) => [way, bound] as const),
    );
    const low = Math.min(...ways.map(([way, bound]) => carriedOver(way, bound, box)));
    // Nothing is done faster than with all cores busy all the time.
    const high = Math.max(...ways.map(([way]) => reaches(way, worth(box))));
    return {
      low,
      high,
      label: 'bounds only',
      ranOut: least < HALF ? 'unknown' : 'cpu',
      because:
        least < HALF
          ? `the servers used ${round(100 * least)}% of their cores where the budgets held: something else breaks them, and more cores are not known to help`
          : `as full as it was where the budgets held, and no more than with every core always busy; not validated: ${
              bounds.length === 1 ? 'one machine was measured' : `${bounds.length} machines were measured`
            }, and an interval needs ${FEWEST_MACHINES}`,
    };
  }
  const middle = byBounds(demand.cpu, bounds, box);
  const residuals = residualsOf(demand, bounds);
  const n = residuals.length;
  const factor = intervalFactor(residuals, 1 / n);
  return {
    low: middle / factor,
    high: middle * factor,
    label: 'predicted',
    ranOut: 'cpu',
    because: `by ${n} machines that were measured, each predicted from the others within ${percent(deviationOf(residuals))}`,
  };
}

const round = (value: number): number => Number(value.toPrecision(3));
const percent = (deviation: number): string => `${round(100 * (Math.exp(deviation) - 1))}%`;

/** Where the memory of a load fills what a machine has; the line's own error decides how near that is. */
function byMemory(memory: Line, box: Box): { readonly low: number; readonly high: number } {
  const has = memoryForStack(box.memoryBytes);
  const error = 1 + 2 * memory.relativeError;
  return { low: reaches(memory, has / error), high: reaches(memory, has) };
}

/**
 * How many players a machine holds, by what was measured on others. What is stated is the lower end.
 * @param searched at least one
 */
export function predict(demand: Demand, searched: readonly Bound[], box: Box): Capacity {
  const bounds = machinesOf(searched);
  const cpu = byCpu(demand, bounds, box);
  const part = byCpu(demand, bounds, withinRange(bounds, box));
  const memory = demand.memory === null ? null : byMemory(demand.memory, box);
  const server = serverBound(demand, bounds, box);
  // With more cores each may be fuller, so that twice the cores may hold a little more than twice the players.
  const largest = Math.max(...bounds.map(({ lastPass }) => lastPass));
  const farthest = FARTHEST * largest;
  const low = Math.min(cpu.low, memory?.low ?? Infinity, server ?? Infinity);
  // What runs out is that of the whole machine, and what is stated that of its part.
  const stated = Math.min(low, part.low, demand.cpuGrowth === null ? farthest : largest);
  const high = Math.min(cpu.high, memory?.high ?? Infinity, server ?? Infinity);
  const ranOut = low === memory?.low ? 'memory' : low === server ? 'one server' : cpu.ranOut;
  const measured = Math.max(...bounds.map(worth));
  if (worth(box) > FARTHEST * measured) {
    return {
      ...{ label: 'bounds only', high: null, ranOut },
      low: wholePlayers(stated),
      because: 'at least this, by what was measured',
      refused: `nothing is predicted beyond: it has more than ${FARTHEST} times the cores that were measured (${round(measured)})`,
    };
  }
  if (demand.cpuGrowth !== null) {
    return {
      ...{ label: 'bounds only', low: wholePlayers(stated), high: null, ranOut, refused: null },
      because: `the CPU of a player grows with the number of players, by ${round(100 * (demand.cpuGrowth - 1))}% over the loads that were measured: more cores are not known to hold more than ${grouped(Math.floor(largest))}`,
    };
  }
  const least = Math.min(...bounds.map(worth));
  if (cpu.label === 'predicted' && worth(box) < least / FARTHEST) {
    // With every core always busy, and not by the interval.
    const ceiling = Math.min(
      reaches(fullCost(demand.cpu, bounds), worth(box)),
      memory?.high ?? Infinity,
      server ?? Infinity,
    );
    return {
      ...{
        label: 'bounds only',
        low: wholePlayers(stated),
        high: Number.isFinite(ceiling) ? wholePlayers(ceiling) : null,
        ranOut,
      },
      because: 'by what was measured on larger machines',
      refused: `no interval is given: it has less than 1/${FARTHEST} of the cores that were measured (${round(least)})`,
    };
  }
  const changed =
    ranOut !== cpu.ranOut && !(ranOut === 'one server' && bounds.some((one) => wasServer(demand, one)));
  return {
    label: changed ? 'bounds only' : cpu.label,
    low: wholePlayers(stated),
    high: Number.isFinite(high) ? wholePlayers(high) : null,
    ranOut,
    because: ranOut === 'memory' || ranOut === 'one server' ? WHY[ranOut] : cpu.because,
    refused: changed ? 'another resource ran out where it was measured, so that no interval is given' : null,
  };
}

const WHY = {
  memory: `by the memory of a player, of what the system leaves of the machine's`,
  'one server': 'a server of one thread uses all of its core: more servers would hold more',
} as const;

/**
 * The part of a box that can be predicted: nobody has measured how work waits on more than twice the cores, or what twice as much
 * as all of them could do is good for. A larger machine holds at least as much as its part.
 */
function withinRange(bounds: readonly Bound[], box: Box): Box {
  const cpus = Math.min(box.cpus, FARTHEST * Math.max(...bounds.map((bound) => bound.cpus)));
  const most = FARTHEST * Math.max(...bounds.map(worth));
  return { ...box, cpus, speed: Math.min(worth(box), most) / cpus };
}

const wasServer = ({ busiestServer }: Demand, bound: Bound): boolean =>
  busiestServer !== null && valueAt(busiestServer, bound.lastPass) >= FULL_SERVER * bound.speed;

/** Players at which the busiest server fills its core; null where none of the measured ones has come near. */
function serverBound(demand: Demand, bounds: readonly Bound[], { speed }: Box): number | null {
  const { busiestServer } = demand;
  if (busiestServer === null) return null;
  const fullest = Math.max(
    FULL_SERVER,
    ...bounds.map((one) => valueAt(busiestServer, one.lastPass) / one.speed),
  );
  return reaches(busiestServer, fullest * speed);
}
