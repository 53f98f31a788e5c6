import { type Drawing, noiseText } from './drawing.ts';
import type { Scale } from './scale.ts';

/** Units of the box in which curves and bars are drawn, either way; its y axis points down. */
export const BOX = 1000;

/** The length of a single point. */
const DASH = 6;

/** An entry of the legend. */
interface Key {
  readonly name: string;
  readonly form: 'line' | 'dashed' | 'box';
  /** The index of a curve, or what else has a colour of its own. */
  readonly colour: number | 'limit' | 'fault' | 'noise';
}

export function keysOf({ curves, stacked, limits, marks }: Drawing): readonly Key[] {
  const form = (dashed: boolean): Key['form'] => (stacked ? 'box' : dashed ? 'dashed' : 'line');
  return [
    ...curves.map(({ name, dashed }, colour) => ({ name, form: form(dashed), colour })),
    ...limits.map(({ name }) => ({ name, form: 'dashed', colour: 'limit' }) as const),
    ...(marks !== null && marks.faults.length > 0
      ? [{ name: 'faults', form: 'box', colour: 'fault' } as const]
      : []),
    ...(marks !== null && marks.noise.spans.length > 0
      ? [{ name: noiseText(marks.noise), form: 'box', colour: 'noise' } as const]
      : []),
  ];
}

/** What stands below the x axis, and where. */
export const columnsOf = ({ bars }: Drawing, across: Scale) =>
  bars === null
    ? across.ticks
    : bars.labels.map((label, i) => ({ at: (i + 0.5) / bars.labels.length, label }));

/** Whether the paths are areas, and not lines. */
export const isFilled = ({ stacked, bars }: Drawing): boolean => stacked || bars !== null;

/** The curves or bars, each as the path of an SVG. */
export function pathsOf({ curves, stacked, bars }: Drawing, across: Scale, up: Scale): readonly string[] {
  if (bars !== null) return [barsPath(bars.counts, up)];
  return stacked ? areaPaths(curves, across, up) : curves.map((curve) => linePath(curve, across, up));
}

type Curves = Drawing['curves'];

function linePath({ x, y }: Curves[number], across: Scale, up: Scale): string {
  const points = thinned(x.map((at, k) => [at, y[k] ?? null]));
  return runsOf(points)
    .map((run) => {
      const path = run.map(([at, value]) => placeOf(across.at(at), up.at(value))).join('L');
      // A point without neighbours is a short dash.
      return run.length === 1 ? `M${path}m-${DASH / 2},0h${DASH}` : `M${path}h0`;
    })
    .join('');
}

const placeOf = (right: number, up: number): string =>
  [right, 1 - up].map((share) => Number((BOX * share).toFixed(1))).join(',');

/** The parts of a curve between gaps. */
function runsOf(points: readonly Point[]): readonly (readonly Known[])[] {
  const runs: Known[][] = [[]];
  for (const [at, value] of points) {
    if (value === null) runs.push([]);
    else runs.at(-1)?.push([at, value]);
  }
  return runs.filter((run) => run.length > 0);
}

/** Stacked curves. A second in which one is not known is a gap in all above it. */
function areaPaths(curves: Curves, across: Scale, up: Scale): readonly string[] {
  let base: readonly (number | null)[] = (curves[0]?.x ?? []).map(() => 0);
  return curves.map(({ x, y }) => {
    const below = base;
    const top = below.map((value, k) => {
      const own = y[k] ?? null;
      return value === null || own === null ? null : value + own;
    });
    base = top;
    const runs = runsOf(everyOf(x.length).map((k) => [k, top[k] ?? null]));
    return runs
      .map((run) => {
        const edge = (of: (k: number, value: number) => number): string[] =>
          run.map(([k, value]) => placeOf(across.at(x[k] ?? 0), up.at(of(k, value))));
        return `M${[...edge((_, value) => value), ...edge((k) => below[k] ?? 0).toReversed()].join('L')}Z`;
      })
      .join('');
  });
}

type Point = readonly [x: number, y: number | null];
type Known = readonly [x: number, y: number];
/** More points than a wide screen has pixels cannot be seen. */
const MOST_POINTS = 600;

const everyOf = (length: number): number[] => {
  const step = Math.ceil(length / MOST_POINTS);
  return Array.from({ length: Math.ceil(length / step) || 0 }, (_, i) => i * step);
};

/** Of many neighbours the lowest and the highest, in their order: a peak is never left out. */
function thinned(points: readonly Point[]): readonly Point[] {
  if (points.length <= MOST_POINTS) return points;
  const size = Math.ceil((2 * points.length) / MOST_POINTS);
  return Array.from({ length: Math.ceil(points.length / size) }, (_, i) => {
    const some = points.slice(i * size, (i + 1) * size);
    // It stands after the values: a curve of something rare has gaps everywhere, and must not vanish.
    const gap = some.findLast(([, value]) => value === null);
    const known = some.filter((point): point is Known => point[1] !== null).toSorted(([, a], [, b]) => a - b);
    const [low, high] = [known[0], known.at(-1)];
    if (low === undefined || high === undefined) return gap === undefined ? [] : [gap];
    return [...[low, high].toSorted(([a], [b]) => a - b), ...(gap === undefined ? [] : [gap])];
  }).flat();
}

const barsPath = (counts: readonly number[], up: Scale): string =>
  counts
    .map((count, i) => {
      const [left, right] = [1 / 6, 5 / 6].map((share) => (i + share) / counts.length);
      const [start = 0, end = 0, top] = [left, right, up.at(count)];
      return `M${[placeOf(start, 0), placeOf(start, top), placeOf(end, top), placeOf(end, 0)].join('L')}Z`;
    })
    .join('');
