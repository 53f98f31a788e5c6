import regular from '@fontsource/inter/files/inter-latin-400-normal.woff2';
import semibold from '@fontsource/inter/files/inter-latin-600-normal.woff2';
import { createCanvas, GlobalFonts, Path2D, type SKRSContext2D } from '@napi-rs/canvas';
import type { Drawing, Marks } from './drawing.ts';
import { plain } from './plain-text.ts';
import { BOX, columnsOf, isFilled, keysOf, pathsOf } from './plot.ts';
import type { Report } from './report.ts';
import { scaleText } from './report-text.ts';
import { type Scale, scaleOf } from './scale.ts';
import { cut } from './terminal-text.ts';

/** A picture of the bundle: charts/<name>.png. */
export interface Chart {
  readonly name: string;
  readonly png: Uint8Array;
}

/** In pixels of CSS, each of which is two dots wide and high, for today's screens. */
const [WIDTH, HEIGHT, DOTS_PER_PIXEL] = [960, 420, 2];
/** Edges of the picture, and of the plot below. */
const [MARGIN, RIGHT, BOTTOM] = [12, WIDTH - 24, HEIGHT - 52];
const FONT = 'Capbench Inter';
/** In characters: more does not fit under the title. */
const WIDEST_SUBTITLE = 120;

/** Okabe and Ito's palette, which people with any kind of colour vision can tell apart. */
const CURVES = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'] as const;
const COLOURS = { limit: '#b00020', fault: '#c0392b', noise: '#e69f00' } as const;
const [INK, FAINT, GRID] = ['#1f2933', '#616e7c', '#e4e7eb'];
const SHADE = 'rgba(97, 110, 124, 0.10)';
const FAULT_BAND = 'rgba(192, 57, 43, 0.14)';

const colourOf = (of: number | keyof typeof COLOURS): string =>
  typeof of === 'number' ? (CURVES[of % CURVES.length] ?? INK) : COLOURS[of];

/** Draws the charts of a report as pictures. Throws when this platform has no canvas. */
export function drawCharts(
  report: Pick<Report, 'scenario' | 'altered' | 'load'>,
  drawings: readonly Drawing[],
): readonly Chart[] {
  GlobalFonts.register(Buffer.from(regular, 'base64'), FONT);
  GlobalFonts.register(Buffer.from(semibold, 'base64'), FONT);
  const subtitle = cut(plain(`${report.scenario}, ${scaleText(report)}`), WIDEST_SUBTITLE);
  return drawings.map((drawing) => {
    const canvas = createCanvas(WIDTH * DOTS_PER_PIXEL, HEIGHT * DOTS_PER_PIXEL);
    const ctx = canvas.getContext('2d');
    ctx.scale(DOTS_PER_PIXEL, DOTS_PER_PIXEL);
    ctx.fillStyle = '#ffffff';
    ctx.fillRect(0, 0, WIDTH, HEIGHT);
    ctx.lineCap = 'round';
    write(ctx, drawing.title, MARGIN, 28, INK, '600 17px');
    write(ctx, subtitle, MARGIN, 48, FAINT);
    plot(ctx, drawing, legend(ctx, drawing));
    return { name: drawing.name, png: new Uint8Array(canvas.toBuffer('image/png')) };
  });
}

function write(ctx: SKRSContext2D, text: string, x: number, y: number, colour: string, font = '13px'): void {
  ctx.font = `${font} ${FONT}`;
  ctx.fillStyle = colour;
  ctx.fillText(text, x, y);
}

function stroke(ctx: SKRSContext2D, colour: string, width: number, dash: number[], path: Path2D): void {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.setLineDash(dash);
  ctx.stroke(path);
}

function lineOf(x1: number, y1: number, x2: number, y2: number): Path2D {
  const path = new Path2D();
  path.moveTo(x1, y1);
  path.lineTo(x2, y2);
  return path;
}

const DASH = [7, 5];
const SMALL = '600 11px';

/** Returns where the next line of it would begin. */
function legend(ctx: SKRSContext2D, drawing: Drawing): number {
  let [x, y] = [MARGIN, 76];
  for (const { name, form, colour } of keysOf(drawing)) {
    const label = cut(plain(name), WIDEST_SUBTITLE);
    const width = 34 + ctx.measureText(label).width;
    if (x > MARGIN && x + width > RIGHT) [x, y] = [MARGIN, y + 20];
    if (form === 'box') {
      ctx.fillStyle = colourOf(colour);
      ctx.fillRect(x, y - 10, 12, 12);
    } else {
      stroke(ctx, colourOf(colour), 2, form === 'dashed' ? DASH : [], lineOf(x, y - 4, x + 26, y - 4));
    }
    write(ctx, label, x + (form === 'box' ? 18 : 32), y, INK);
    x += width + 14;
  }
  return y + 20;
}

/** The plot of a drawing: its surface, and where shares of its axes lie on it. */
interface Plot {
  readonly ctx: SKRSContext2D;
  readonly across: Scale;
  readonly up: Scale;
  readonly left: number;
  readonly top: number;
  readonly right: (share: number) => number;
  readonly down: (share: number) => number;
}

function plot(ctx: SKRSContext2D, drawing: Drawing, below: number): void {
  const { marks } = drawing;
  const [across, up] = [scaleOf(drawing.x), scaleOf(drawing.y)];
  // The names of stages and faults stand between the legend and the plot.
  const rows = [marks?.stages ?? [], marks?.faults ?? []].filter((named) => named.length > 0).length;
  const top = below + ROW * rows;
  const left = 48 + Math.max(...up.ticks.map(({ label }) => ctx.measureText(label).width));
  const at: Plot = {
    ...{ ctx, across, up, left, top },
    right: (share) => left + (RIGHT - left) * share,
    down: (share) => BOTTOM - (BOTTOM - top) * share,
  };
  if (marks !== null) shades(marks, at);
  axes(drawing, at);
  curves(drawing, at);
  for (const { y, span } of drawing.limits) {
    const [from, to] = span === null ? [0, 1] : [across.at(span.from), across.at(span.to)];
    const height = at.down(up.at(y));
    stroke(ctx, COLOURS.limit, 2, DASH, lineOf(at.right(from), height, at.right(to), height));
  }
  if (marks === null) return;
  names(marks.stages, FAINT, [4, 4], below, at);
  names(marks.faults, COLOURS.fault, [], top - ROW, at);
}

/** In pixels. */
const ROW = 14;

/** What is not the measure phase, what was disturbed on purpose, and along the axis what else was disturbed. */
function shades({ measured, faults, noise }: Marks, { ctx, across, right, top }: Plot): void {
  const band = (from: number, to: number, colour: string, height = BOTTOM - top): void => {
    const [start, end] = [right(across.at(from)), right(across.at(to))];
    ctx.fillStyle = colour;
    ctx.fillRect(start, BOTTOM - height, end - start, height);
  };
  if (measured !== null) {
    band(0, measured.from, SHADE);
    band(measured.to, Number.MAX_SAFE_INTEGER, SHADE);
  }
  for (const { from, to } of faults) band(from, to, FAULT_BAND);
  for (const { from, to } of noise.spans) band(from, to, COLOURS.noise, 5);
}

function axes(drawing: Drawing, { ctx, across, up, left, right, down }: Plot): void {
  const { x, y, marks } = drawing;
  ctx.textAlign = 'right';
  for (const { at, label } of up.ticks) {
    stroke(ctx, GRID, 1, [], lineOf(left, down(at), RIGHT, down(at)));
    write(ctx, label, left - 8, down(at) + 4, FAINT);
  }
  ctx.textAlign = 'center';
  for (const { at, label } of columnsOf(drawing, across)) write(ctx, label, right(at), BOTTOM + 20, FAINT);
  const shaded = marks?.measured == null ? '' : ' (shaded: not measured)';
  write(ctx, `${x.title}${shaded}`, right(0.5), HEIGHT - 12, FAINT);
  ctx.save();
  ctx.rotate(-Math.PI / 2);
  write(ctx, y.title, -down(0.5), 24, FAINT);
  ctx.restore();
  ctx.textAlign = 'left';
}

function curves(drawing: Drawing, { ctx, across, up, left, top }: Plot): void {
  const box = { a: (RIGHT - left) / BOX, b: 0, c: 0, d: (BOTTOM - top) / BOX, e: left, f: top };
  for (const [i, svg] of pathsOf(drawing, across, up).entries()) {
    const path = new Path2D(svg).transform(box);
    if (isFilled(drawing)) {
      ctx.fillStyle = `${colourOf(i)}bf`;
      ctx.fill(path);
    } else {
      stroke(ctx, colourOf(i), 2, drawing.curves[i]?.dashed ? DASH : [], path);
    }
  }
}

/** A line where each begins, and its name where there is room; the report lists them all. */
function names(
  all: Marks['stages'],
  colour: string,
  dash: number[],
  above: number,
  { ctx, across, right, top }: Plot,
): void {
  for (const [i, { name, from }] of all.entries()) {
    const start = right(across.at(from));
    const end = right(across.at(all[i + 1]?.from ?? Number.MAX_SAFE_INTEGER));
    stroke(ctx, colour, 1, dash, lineOf(start, top, start, BOTTOM));
    ctx.font = `${SMALL} ${FONT}`;
    if (start + ctx.measureText(name).width <= end) write(ctx, name, start, above + ROW - 5, colour, SMALL);
  }
}
