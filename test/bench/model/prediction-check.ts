import { demandOf } from '../../../src/model/demand.ts';
import { usedBy } from '../../../src/model/evidence.ts';
import type { Forecast, Refused } from '../../../src/model/interval.ts';
import type { LoadPoint } from '../../../src/model/load-point.ts';
import { bytesToPlayersOf, cpuCoresOf, memoryBytesOf, needsOf } from '../../../src/model/needs.ts';
import { type Bound, predict } from '../../../src/model/prediction.ts';
import { median } from '../figures.ts';
import type { MeasuredRun, MeasuredSearch, Measurement } from './measurement.ts';
import { REFERENCE, type World } from './world.ts';

/** A prediction beside what was measured; none of the runs that it is held against was used for it. */
export interface Check {
  readonly world: string;
  /** Cores, as planned. */
  readonly machine: number;
  readonly figure: 'CPU' | 'memory' | 'traffic' | 'capacity';
  /** Of the load; of a capacity what was measured. */
  readonly players: number;
  readonly from: string;
  /** Cores, bytes, bytes a second, players. */
  readonly measured: number;
  readonly outcome: Forecast | Refused | { readonly bounds: readonly [low: number, high: number | null] };
}

/** A machine with more memory than anything needs, so that CPU is what runs out. */
const MUCH_MEMORY = 2 ** 50;
/** Machines from which all larger ones are predicted. */
const FEW = 3;

const FIGURES = [
  ['CPU', 'cpuCores', cpuCoresOf],
  ['memory', 'memoryBytes', memoryBytesOf],
  ['traffic', 'bytesToPlayers', bytesToPlayersOf],
] as const;

/** What may be predicted of a world with these measurements. */
export function checksOf(world: World, all: readonly Measurement[]): readonly Check[] {
  const own = all.filter((record) => record.world === world.name);
  const runs = own.filter((record): record is MeasuredRun => record.kind === 'run');
  const searches = own
    .filter((record): record is MeasuredSearch => record.kind === 'search')
    .toSorted((one, other) => one.cpus - other.cpus);
  const fit = runs.filter(({ point }) => world.fit.includes(point.players)).map(({ point }) => point);
  const larger = runs.filter(({ point }) => world.larger.includes(point.players));
  return [
    ...larger.flatMap(({ machine, point }) => needChecks(world, fit, machine, [point])),
    ...searches.flatMap(({ machine, points }) => needChecks(world, fit, machine, points)),
    ...capacityChecks(world, fit, searches),
  ];
}

/** What a load needs, against one or several runs with it, of which the mean counts. */
function needChecks(
  { name }: World,
  fit: readonly LoadPoint[],
  machine: number,
  points: readonly LoadPoint[],
): readonly Check[] {
  const sustained = points.filter((point) => point.sustained);
  const [first] = sustained;
  if (first === undefined || fit.length === 0) return [];
  const needs = needsOf(fit, first.players);
  return FIGURES.flatMap(([figure, need, measuredOf]): Check[] => {
    const values = sustained.flatMap((point) => measuredOf(point) ?? []);
    if (values.length === 0) return [];
    const from = `${fit.length} runs of ${Math.min(...fit.map(playersOf))} to ${Math.max(...fit.map(playersOf))} players on ${REFERENCE} CPU`;
    return [
      {
        ...{ world: name, machine, figure, players: first.players, from },
        measured: values.reduce((sum, one) => sum + one, 0) / values.length,
        outcome: needs[need],
      },
    ];
  });
}

const playersOf = ({ players }: LoadPoint): number => players;
const boundOf = ({ cpus, lastPass, firstFail, points }: MeasuredSearch): Bound => ({
  ...{ cpus, speed: 1, lastPass, firstFail, ...usedBy(points) },
});

/** Each machine from all others, and the larger ones from the three smallest. */
function capacityChecks(
  { name }: World,
  fit: readonly LoadPoint[],
  searches: readonly MeasuredSearch[],
): readonly Check[] {
  const demand = demandOf(fit);
  if ('because' in demand) return [];
  const check = (target: MeasuredSearch, from: readonly MeasuredSearch[], words: string): Check[] => {
    if (from.length === 0) return [];
    const box = { cpus: target.cpus, speed: 1, memoryBytes: MUCH_MEMORY };
    const { label, low, high, refused } = predict(demand, from.map(boundOf), box);
    const measured = Math.sqrt(target.lastPass * target.firstFail);
    const outcome: Check['outcome'] =
      refused !== null
        ? { refused }
        : label === 'predicted' && high !== null
          ? { value: Math.sqrt(low * high), low, high }
          : { bounds: [low, high] };
    return [
      {
        ...{ world: name, machine: target.machine, figure: 'capacity', players: Math.round(measured) },
        ...{ from: words, measured, outcome },
      },
    ];
  };
  const smallest = searches.slice(0, FEW);
  return [
    ...searches.flatMap((target) => {
      const others = searches.filter((one) => one !== target);
      return check(target, others, `${others.length} other machines`);
    }),
    ...(smallest.length < FEW
      ? []
      : searches.slice(FEW).flatMap((target) => check(target, smallest, `the ${FEW} smallest machines`))),
  ];
}

/** The checks together. */
export interface Summary {
  /** With an interval. */
  readonly predictions: number;
  readonly machines: number;
  /** Of |predicted / measured - 1|, percent. */
  readonly medianErrorPercent: number;
  /** Of the intervals, those that hold what was measured, percent. */
  readonly coveragePercent: number;
  /** By which an interval is above and below its middle. */
  readonly medianFactor: number;
  readonly boundsOnly: number;
  readonly boundsHeld: number;
  readonly refused: number;
}

/** What is aimed at. */
export const AIMS = { predictions: 40, machines: 4, errorPercent: 15, coveragePercent: 80, factor: 1.5 };

/** Null without a prediction. */
export function summaryOf(checks: readonly Check[]): Summary | null {
  const predicted = checks.flatMap(({ outcome, ...check }) =>
    'value' in outcome ? [{ ...check, ...outcome }] : [],
  );
  if (predicted.length === 0) return null;
  const bounds = checks.flatMap(({ outcome, measured }) =>
    'bounds' in outcome ? [{ measured, low: outcome.bounds[0], high: outcome.bounds[1] ?? Infinity }] : [],
  );
  const isHeld = (one: { readonly low: number; readonly measured: number; readonly high: number }): boolean =>
    one.low <= one.measured && one.measured <= one.high;
  return {
    predictions: predicted.length,
    machines: new Set(predicted.map(({ machine }) => machine)).size,
    medianErrorPercent: 100 * median(predicted.map(({ value, measured }) => Math.abs(value / measured - 1))),
    coveragePercent: (100 * predicted.filter(isHeld).length) / predicted.length,
    medianFactor: median(predicted.map(({ low, high }) => Math.sqrt(high / low))),
    ...{ boundsOnly: bounds.length, boundsHeld: bounds.filter(isHeld).length },
    refused: checks.filter(({ outcome }) => 'refused' in outcome).length,
  };
}

/** What is not as it is aimed at, a sentence each. */
export function faultsOf(summary: Summary): readonly string[] {
  const { predictions, machines, medianErrorPercent, coveragePercent, medianFactor } = summary;
  const faults: readonly (readonly [isMet: boolean, sentence: string])[] = [
    [
      predictions >= AIMS.predictions,
      `${predictions} predictions, and at least ${AIMS.predictions} are needed`,
    ],
    [machines >= AIMS.machines, `${machines} machines, and at least ${AIMS.machines} are needed`],
    [
      medianErrorPercent <= AIMS.errorPercent,
      `the median error is ${medianErrorPercent.toFixed(1)}%, and at most ${AIMS.errorPercent}% is aimed at`,
    ],
    [
      coveragePercent >= AIMS.coveragePercent,
      `${coveragePercent.toFixed(0)}% of the intervals hold what was measured, and at least ${AIMS.coveragePercent}% is aimed at`,
    ],
    [
      medianFactor <= AIMS.factor,
      `the median interval factor is ${medianFactor.toFixed(2)}, and at most ${AIMS.factor} is aimed at`,
    ],
  ];
  return faults.flatMap(([isMet, sentence]) => (isMet ? [] : [sentence]));
}
