import type { Drawing, Limit, Marks } from './drawing.ts';
import { safe } from './markup.ts';
import { BOX, columnsOf, isFilled, keysOf, pathsOf } from './plot.ts';
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
<svg viewBox="0 0 ${BOX} ${BOX}" preserveAspectRatio="none">${curves(drawing, across, up)}</svg>
${limitLines(drawing.limits, across, up)}${marks === null ? '' : events(marks, across)}</svg>
<p class="axis x">${safe(x.title)}${marks?.measured == null ? '' : ' (shaded: not measured)'}</p></figure>`;
}

/** In pixels. */
const ROW = 16;
const percent = (share: number): string => `${Number((100 * share).toFixed(2))}%`;
const curveClass = (i: number): string => `c${i % 6}`;

function legend(drawing: Drawing): string {
  const keys = keysOf(drawing).map(({ name, form, colour }) => {
    const className = typeof colour === 'number' ? curveClass(colour) : colour;
    return `<li><i class="${form} ${className}"></i>${safe(name)}</li>`;
  });
  return keys.length === 0 ? '' : `<ul class="legend">${keys.join('')}</ul>`;
}

/** Of a plot as wide as on a telephone, and on a desk, the share that a character takes. */
const [NARROW, WIDE] = [7 / 290, 7 / 800];

/** Grid lines and what they stand for; of many labels, some are left out where the chart is narrow. */
function grid(drawing: Drawing, across: Scale, up: Scale): string {
  const rows = up.ticks.map(
    ({ at, label }) =>
      `<line class="grid" x2="100%" y1="${percent(1 - at)}" y2="${percent(1 - at)}"/><text x="-8" y="${percent(1 - at)}" dy="4" text-anchor="end">${label}</text>`,
  );
  const labels = columnsOf(drawing, across);
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

function curves(drawing: Drawing, across: Scale, up: Scale): string {
  const form = isFilled(drawing) ? 'area' : 'curve';
  return pathsOf(drawing, across, up)
    .map((path, i) => {
      const dashed = drawing.curves[i]?.dashed ? ' dashed' : '';
      return `<path class="${form} ${curveClass(i)}${dashed}" d="${path}"/>`;
    })
    .join('');
}

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
