import { growthOf } from './growth.ts';
import { type Line, lineThrough, type Point, valueAt } from './line.ts';
import type { LoadPoint } from './load-point.ts';

/** What a load costs, by the number of its players, whose rates grow with them. */
export interface Demand {
  /** Cores of all components of the stack together, without the generator. */
  readonly cpu: Line;
  /** Cores of the busiest server, which may be no more than one where it has one thread. */
  readonly busiestServer: Line | null;
  /** Bytes of all components together, at their peak. */
  readonly memory: Line | null;
  /** The same two by component. */
  readonly components: Readonly<Record<string, { readonly cpu: Line | null; readonly memory: Line | null }>>;
  /** By which factor the CPU of a player grows with the number of players; null: it does not (growth.ts). */
  readonly cpuGrowth: number | null;
  /** Of each player, bytes a second: the mean of all runs. */
  readonly bytesToPlayer: number | null;
  /** The same by the number of players, where it grows with them; else null. */
  readonly bytesByPlayers: Line | null;
  readonly bytesFromPlayer: number | null;
  /** Players of the largest load that was sustained. */
  readonly largest: number;
}

/** A run that was interrupted early has no mean. */
const SHORTEST_SECONDS = 1;

/** The runs that say what their load costs. */
export const sustainedOf = (points: readonly LoadPoint[]): readonly LoadPoint[] =>
  points.filter(({ sustained, seconds, players }) => sustained && seconds >= SHORTEST_SECONDS && players > 0);

/** Those of them that have the CPU of every component: one that lacks a component would look cheap. */
export function completeOf(points: readonly LoadPoint[]): readonly LoadPoint[] {
  const names = [...new Set(points.flatMap(({ cpuCores }) => Object.keys(cpuCores)))];
  return points.filter(
    ({ cpuCores }) => names.length > 0 && names.every((name) => cpuCores[name] !== undefined),
  );
}

/** Of all components; null where there is none. */
export const together = (of: Readonly<Record<string, number>>): number | null =>
  Object.keys(of).length === 0 ? null : Object.values(of).reduce((sum, one) => sum + one, 0);

/**
 * The cost of a load, from runs that sustained theirs: what an overloaded server uses is its limit and not its demand
 * (the utilisation law, U = X D: D is the slope of U over X).
 * @returns in words, why there is none
 */
export function demandOf(points: readonly LoadPoint[]): Demand | { readonly because: string } {
  const usable = sustainedOf(points);
  if (usable.length === 0) {
    return {
      because:
        points.length === 0
          ? 'there is no run'
          : 'no run sustained its load: run a smaller one (--scale 0.25), whose cost can be measured',
    };
  }
  const names = new Set(usable.flatMap(({ cpuCores }) => Object.keys(cpuCores)));
  if (names.size === 0) {
    return {
      because:
        'no run has the CPU of a server: name its process (--probe-process world=PID), or let it be started',
    };
  }
  const lineOf = (of: (point: LoadPoint) => number | null | undefined): Line | null =>
    lineThrough(
      usable.flatMap((point): Point[] => {
        const y = of(point);
        return y == null ? [] : [[point.players, y]];
      }),
    );
  const costs = completeOf(usable).map(({ players, cpuCores }): Point => [players, together(cpuCores) ?? 0]);
  const cpu = lineThrough(costs);
  if (cpu === null) return { because: 'no run has the CPU of all components' };
  return {
    cpu,
    busiestServer: lineOf(({ busiestServerCores }) => busiestServerCores),
    memory: lineOf(({ memoryBytes }) => together(memoryBytes)),
    components: Object.fromEntries(
      [...names].map((name) => [
        name,
        {
          cpu: lineOf(({ cpuCores }) => cpuCores[name]),
          memory: lineOf(({ memoryBytes }) => memoryBytes[name]),
        },
      ]),
    ),
    cpuGrowth: growthOf(costs),
    bytesToPlayer: mean(usable.map(({ bytesToPlayer }) => bytesToPlayer)),
    bytesByPlayers: trafficLine(usable),
    bytesFromPlayer: mean(usable.map(({ bytesFromPlayer }) => bytesFromPlayer)),
    largest: Math.max(...usable.map(({ players }) => players)),
  };
}

function trafficLine(points: readonly LoadPoint[]): Line | null {
  const known = points.flatMap(({ players, bytesToPlayer }): Point[] =>
    bytesToPlayer === null ? [] : [[players, bytesToPlayer]],
  );
  return growthOf(known.map(([players, bytes]) => [players, players * bytes])) === null
    ? null
    : lineThrough(known);
}

/** What each of so many players receives, bytes a second; null: not measured. */
export const bytesToEach = (
  { bytesToPlayer, bytesByPlayers }: Pick<Demand, 'bytesToPlayer' | 'bytesByPlayers'>,
  players: number,
): number | null => (bytesByPlayers === null ? bytesToPlayer : valueAt(bytesByPlayers, players));

function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((one) => one !== null);
  return known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0) / known.length;
}
