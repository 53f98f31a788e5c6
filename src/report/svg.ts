import { type Drawing, type Limit, type Marks, noiseText } from './drawing.ts';
import { safe } from './markup.ts';
import { type Scale, scaleOf } from './scale.ts';

/**
 * A chart of the page: SVG in the page's own colours (style.ts), of any width. Positions along the axes are shares of
 * the plot, so that texts keep their size however wide it is; curves are drawn in a box that is stretched.
 */
export function svgOf(drawing: Drawing): string {
  const { name, title, alt, x, y, marks } = drawing;
  const [across, up] = [scaleOf(x), scaleOf(y)];
  // The names of stages, and above them those of faults, stand above the plot.
  const rows = [marks?.stages ?? [], marks?.faults ?? []].filter((named) => named.length > 0).length;
  const left = 14 + 7 * Math.max(...up.ticks.map(({ label }) => label.length));
  return `<figure id="chart-${name}"><figcaption><h3>${safe(title)}</h3>${legend(drawing)}</figcaption>
<p class="axis">${safe(y.title)}</p>
<svg class="plot" role="img" aria-labelledby="${name}-title ${name}-text" style="--left:${left}px;--top:${8 + ROW * rows}px"><title id="${name}-title">${safe(title)}</title><desc id="${name}-text">${safe(alt)}</desc>
${marks === null ? '' : shades(marks, across)}${grid(drawing, across, up)}
<svg viewBox="0 0 ${BOX} ${BOX}" preserveAspectRatio="none">${drawing.bars === null ? curves(drawing, across, up) : bars(drawing.bars.counts, up)}</svg>
${limitLines(drawing.limits, across, up)}${marks === null ? '' : events(marks, across)}</svg>
<p class="axis x">${safe(x.title)}${marks?.measured == null ? '' : ' (shaded: not measured)'}</p></figure>`;
}

/** In pixels. */
const ROW = 16;
/** Units of the box in which curves are drawn, either way. */
const BOX = 1000;
const percent = (share: number): string => `${Number((100 * share).toFixed(2))}%`;
const colour = (i: number): number => i % 6;

function legend({ curves: all, stacked, limits, marks }: Drawing): string {
  const key = (className: string, name: string): string =>
    `<li><i class="${className}"></i>${safe(name)}</li>`;
  const keys = [
    ...all.map(({ name, dashed }, i) =>
      key(`${stacked ? 'box' : dashed ? 'dashed' : 'solid'} c${colour(i)}`, name),
    ),
    ...limits.map(({ name }) => key('dashed limit', name)),
    ...(marks !== null && marks.faults.length > 0 ? [key('box fault', 'faults')] : []),
    ...(marks !== null && marks.noise.spans.length > 0 ? [key('box noise', noiseText(marks.noise))] : []),
  ];
  return keys.length === 0 ? '' : `<ul class="legend">${keys.join('')}</ul>`;
}

/** Of a plot as wide as on a telephone, and on a desk, the share that a character takes. */
const [NARROW, WIDE] = [7 / 290, 7 / 800];

/** Grid lines and what they stand for; of many labels, some are left out where the chart is narrow. */
function grid({ bars: categories }: Drawing, across: Scale, up: Scale): string {
  const rows = up.ticks.map(
    ({ at, label }) =>
      `<line class="grid" x2="100%" y1="${percent(1 - at)}" y2="${percent(1 - at)}"/><text x="-8" y="${percent(1 - at)}" dy="4" text-anchor="end">${label}</text>`,
  );
  const labels =
    categories === null
      ? across.ticks
      : categories.labels.map((label, i) => ({ at: (i + 0.5) / categories.labels.length, label }));
  const longest = Math.max(...labels.map(({ label }) => label.length)) + 1;
  const [always, onDesk] = [NARROW, WIDE].map((share) => Math.ceil(labels.length * longest * share));
  const columns = labels.flatMap(({ at, label }, i) => {
    if (i % (onDesk ?? 1) !== 0) return [];
    const narrowToo = i % (always ?? 1) === 0 ? '' : ' class="wide"';
    return [
      `<text${narrowToo} x="${percent(at)}" y="100%" dy="22" text-anchor="middle">${safe(label)}</text>`,
    ];
  });
  return [...rows, ...columns].join('');
}

function curves({ curves: all, stacked }: Drawing, across: Scale, up: Scale): string {
  if (stacked) return areas(all, across, up);
  return all
    .map(({ x, y, dashed }, i) => {
      const points = thinned(x.map((at, k) => [at, y[k] ?? null]));
      const path = runsOf(points)
        // A line back to where it is shows a single point, too.
        .map((run) => `M${run.map(([at, value]) => placeOf(across.at(at), up.at(value))).join('L')}h0`)
        .join('');
      return `<path class="curve c${colour(i)}${dashed ? ' dashed' : ''}" d="${path}"/>`;
    })
    .join('');
}

/** In the box, whose y axis points down. */
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
function areas(all: Drawing['curves'], across: Scale, up: Scale): string {
  const [first] = all;
  let base: readonly (number | null)[] = (first?.x ?? []).map(() => 0);
  const paths = all.map(({ x, y }, i) => {
    const below = base;
    const top = below.map((value, k) => {
      const own = y[k] ?? null;
      return value === null || own === null ? null : value + own;
    });
    base = top;
    const path = runsOf(everyOf(x.length).map((k) => [k, top[k] ?? null])).map((run) => {
      const edge = (of: (k: number, value: number) => number): string[] =>
        run.map(([k, value]) => placeOf(across.at(x[k] ?? 0), up.at(of(k, value))));
      return `M${[...edge((_, value) => value), ...edge((k) => below[k] ?? 0).toReversed()].join('L')}Z`;
    });
    return `<path class="area c${colour(i)}" d="${path.join('')}"/>`;
  });
  return paths.join('');
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
    const some = points.slice(i * size, (i + 1) * size).toSorted(([, a], [, b]) => (a ?? 0) - (b ?? 0));
    const gap = some.find(([, value]) => value === null);
    const [low, high] = [some[0], some.at(-1)];
    if (low === undefined || high === undefined || gap !== undefined) return gap === undefined ? [] : [gap];
    return [low, high].toSorted(([a], [b]) => a - b);
  }).flat();
}

const bars = (counts: readonly number[], up: Scale): string =>
  counts
    .map((count, i) => {
      const width = BOX / counts.length;
      const height = BOX * up.at(count);
      const [x, y, w, h] = [i * width + width / 6, BOX - height, (2 * width) / 3, height].map((value) =>
        value.toFixed(1),
      );
      return `<rect class="area c0" x="${x}" y="${y}" width="${w}" height="${h}"/>`;
    })
    .join('');

/** A label that would lie upon another is left out; the legend has them all. */
const LABEL_HEIGHT = 0.07;

function limitLines(limits: readonly Limit[], across: Scale, up: Scale): string {
  const labelled: number[] = [];
  return limits
    .map(({ name, label, y, span }) => {
      const [from, to] = span === null ? [0, 1] : [across.at(span.from), across.at(span.to)];
      const height = up.at(y);
      const [start, end, depth] = [from, to, 1 - height].map(percent);
      const isFree = labelled.every((other) => Math.abs(other - height) > LABEL_HEIGHT);
      if (isFree) labelled.push(height);
      const text = `<text class="limit" x="${end}" y="${depth}" dy="-5" text-anchor="end">${safe(label)}</text>`;
      return `<line class="curve dashed limit" x1="${start}" x2="${end}" y1="${depth}" y2="${depth}"><title>${safe(name)}</title></line>${isFree ? text : ''}`;
    })
    .join('');
}

const band = (className: string, from: number, to: number, more: string): string =>
  to <= from
    ? ''
    : `<rect class="${className}" x="${percent(from)}" width="${percent(to - from)}" height="100%"${more}`;

/** What is not the measure phase, and what was disturbed on purpose. */
function shades({ measured, faults }: Marks, across: Scale): string {
  const outside =
    measured === null
      ? ''
      : band('outside', 0, across.at(measured.from), '/>') + band('outside', across.at(measured.to), 1, '/>');
  return outside + faults.map(({ from, to }) => band('fault', across.at(from), across.at(to), '/>')).join('');
}

/** Where stages and faults begin, with their names where there is room; and below the axis, disturbed seconds. */
function events({ stages, faults, noise }: Marks, across: Scale): string {
  const named = (all: Marks['stages'], className: string, above: number): string[] =>
    all.map(({ name, from }, i) => {
      const at = across.at(from);
      const room = across.at(all[i + 1]?.from ?? Number.MAX_SAFE_INTEGER) - at;
      const needs = name.length + 1;
      const narrowToo = room >= NARROW * needs ? '' : ' wide';
      const text = `<text class="${className}${narrowToo}" x="${percent(at)}" dy="-${above}">${safe(name)}</text>`;
      return `<line class="${className}" x1="${percent(at)}" x2="${percent(at)}" y2="100%"><title>${safe(name)}</title></line>${room >= WIDE * needs ? text : ''}`;
    });
  return [
    ...named(stages, 'stage', 5),
    ...named(faults, 'fault', stages.length === 0 ? 5 : 5 + ROW),
    ...noise.spans.map(({ from, to }) => {
      const [x, width] = [across.at(from), across.at(to) - across.at(from)];
      return `<svg y="100%"><rect class="noise" x="${percent(x)}" width="${percent(width)}" y="1" height="6"/></svg>`;
    }),
  ].join('');
}
