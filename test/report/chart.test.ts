import { inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { judge } from '../../src/judge/verdict.ts';
import { drawCharts } from '../../src/report/chart.ts';
import {
  batchBars,
  cpuCurves,
  latencyCurves,
  latencyLimits,
  percentileCurves,
  throughputCurves,
} from '../../src/report/curves.ts';
import { drawingsOf } from '../../src/report/drawing.ts';
import { render } from '../../src/report/render.ts';
import { svgOf } from '../../src/report/svg.ts';
import { budget, failedRun, fluxFiguresOf, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { CUT, STAGES, stageFacts } from '../fixtures/recorded-stages.ts';
import { reportFrom } from './report-of.ts';

const m = measurementsOf();
const report = reportFrom(m, scenarioOf());

/** Width, height and the bytes of the unpacked picture. */
function png(bytes: Uint8Array) {
  const buffer = Buffer.from(bytes);
  expect(buffer.toString('latin1', 1, 4)).toBe('PNG');
  const data: Buffer[] = [];
  for (let at = 8; at < buffer.length; ) {
    const length = buffer.readUInt32BE(at);
    if (buffer.toString('latin1', at + 4, at + 8) === 'IDAT')
      data.push(buffer.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  return {
    width: buffer.readUInt32BE(16),
    height: buffer.readUInt32BE(20),
    pixels: inflateSync(Buffer.concat(data)),
  };
}

const drawingsFrom = (facts = m) => drawingsOf(reportFrom(facts, scenarioOf()), facts);
const namesOf = (drawings: readonly { readonly name: string }[]) => drawings.map(({ name }) => name);

test('five charts are drawn, each a picture with something to see and something to read', () => {
  const drawings = drawingsFrom();
  expect(namesOf(drawings)).toEqual(['latency', 'percentiles', 'throughput', 'batches', 'cpu']);
  for (const { alt } of drawings) expect(alt.length).toBeGreaterThan(20);
  const charts = drawCharts(report, drawings);
  expect(namesOf(charts)).toEqual(namesOf(drawings));
  for (const chart of charts) {
    const { width, height, pixels } = png(chart.png);
    expect([width, height]).toEqual([1920, 840]);
    expect(new Set(pixels).size).toBeGreaterThan(50);
  }
});

test('what there is no data for is not drawn', () => {
  expect(drawingsFrom(failedRun())).toEqual([]);
  expect(namesOf(drawingsFrom(measurementsOf({ worlds: null })))).not.toContain('batches');
});

test('a single second is drawn as well', () => {
  const series = Object.fromEntries(
    Object.entries(m.series).map(([name, one]) => [name, { ...one, points: one.points.slice(2, 5) }]),
  );
  const latency = drawingsFrom(measurementsOf({ series })).find(({ name }) => name === 'latency');
  if (latency === undefined) throw new Error('no chart of latencies');
  expect(drawCharts(report, [latency])).toHaveLength(1);
  expect(svgOf(latency)).toMatch(/<path class="curve c0" d="M[\d.,LM]+h0"/);
});

/** Every x and y of the paths, in units of their box. */
const placesIn = (svg: string): number[] =>
  [...svg.matchAll(/ d="([^"]*)"/g)].flatMap(([, path = '']) =>
    (path.replaceAll('h0', '').match(/-?[\d.e-]+/g) ?? []).map(Number),
  );

test('on the page a chart is SVG with a title and a text, in colours of the style sheet, and nothing lies outside', () => {
  for (const drawing of drawingsFrom()) {
    const svg = svgOf(drawing);
    expect(svg).toMatch(/<svg class="plot" role="img" aria-labelledby="(\w+)-title \1-text"/);
    expect(svg).toContain(`-title">${drawing.title}</title>`);
    expect(svg).toContain('<desc id=');
    expect(svg).not.toMatch(/NaN|Infinity|undefined|#[0-9a-f]{6}|fill="|stroke="/);
    expect(placesIn(svg).filter((place) => !(place >= 0 && place <= 1000))).toEqual([]);
  }
});

test('a long run is drawn with as many points as can be seen, and keeps its peaks', () => {
  const seconds = Array.from({ length: 14_000 }, (_, i) => i + 1);
  const points = seconds.map((at) => [at, at === 7001 ? 40 : 5 + (at % 3)] as const);
  const series = { 'load.intent.p95Ms': { kind: 'gauge', points } } as const;
  const [latency] = drawingsFrom(measurementsOf({ series }));
  if (latency === undefined) throw new Error('no chart of latencies');
  const heights = placesIn(svgOf(latency)).filter((_, i) => i % 2 === 1);
  expect(heights.length).toBeLessThanOrEqual(600);
  // 40 ms of an axis that ends 6% above it.
  expect(Math.min(...heights)).toBeCloseTo(1000 * (1 - 1 / 1.06), 0);
});

test('a limit far above what was measured, or a few slow seconds, give the latencies a logarithmic axis', () => {
  const budgets = [
    budget({ id: 'far', title: 'far', metric: 'latency.intent.due', stat: 'p95', limit: 1000 }),
  ];
  const near = drawingsFrom()[0];
  expect(near?.y).toMatchObject({ scale: 'linear', from: 0 });
  const far = drawingsOf(reportFrom(m, scenarioOf({ budgets })), m)[0];
  expect(far?.y).toMatchObject({ scale: 'log', title: 'milliseconds (log scale)' });
  const { points } = m.series['load.intent.p99Ms'] ?? { points: [] };
  const slow = {
    kind: 'gauge',
    points: points.map(([at, value]) => [at, at > 20 ? 900 : value] as const),
  } as const;
  const series = { ...m.series, 'load.intent.p99Ms': slow };
  expect(drawingsFrom(measurementsOf({ series }))[0]?.y.scale).toBe('log');
});

test('seconds in which something else used the machine are marked, and named', () => {
  const stolen = Array.from(
    { length: 26 },
    (_, at) => [at, at <= 10 ? 0 : Math.min(at - 10, 3) * 0.5] as const,
  );
  const late = [
    [11.5, 40],
    [15.2, 300],
    [16.2, 40],
  ] as const;
  const series = {
    ...m.series,
    'host.cpuStealSeconds': { kind: 'counter', points: stolen },
    'generator.0.loopDelayMs': { kind: 'gauge', points: late },
  } as const;
  const [latency] = drawingsFrom(measurementsOf({ series }));
  expect(latency?.marks?.noise).toEqual({
    spans: [
      { from: 10, to: 13 },
      { from: 15, to: 16 },
    ],
    causes: ['CPU steal', 'generator late'],
  });
  const svg = svgOf(latency as NonNullable<typeof latency>);
  expect(svg.match(/<rect class="noise"/g)).toHaveLength(2);
  expect(svg).toContain('disturbed seconds (CPU steal, generator late)');
  expect(drawingsFrom()[0]?.marks?.noise.spans).toEqual([]);
});

test('a limit of one stage is a line over that stage', () => {
  const stages = [stageFacts(0), stageFacts(1), stageFacts(2)];
  const budgets = [
    budget({ id: 'whole', title: 'whole', metric: 'latency.intent.due', stat: 'p95', limit: 30 }),
    budget({
      id: 'spike',
      title: 'spike',
      metric: 'latency.intent.due',
      stat: 'p95',
      limit: 40,
      stage: 'spike',
    }),
  ];
  const facts = measurementsOf({ stages, faults: [CUT] });
  const staged = reportFrom(facts, scenarioOf({ load: { ...scenarioOf().load, stages: STAGES }, budgets }));
  const [latency] = drawingsOf(staged, facts);
  expect(latency?.limits.map(({ name, span }) => [name, span?.from ?? null])).toEqual([
    ['whole: p95 < 30 ms', null],
    ['spike: p95 < 40 ms', 21],
  ]);
  expect(svgOf(latency as NonNullable<typeof latency>)).toMatch(/<line class="stage"[^>]*><title>spike</);
});

test('the curves say what was measured', () => {
  expect(latencyCurves(m, report.operations).map(({ name }) => name)).toEqual([
    'intents p50',
    'intents p95',
    'intents p99',
    'monster commands p95',
  ]);
  expect(latencyLimits(report)).toEqual([{ name: 'FLX-151: p95 < 20 ms', ms: 20, stage: undefined }]);
  const due = throughputCurves(m).find(({ name }) => name === 'operations due');
  expect(due?.y[due.x.indexOf(10)]).toBeCloseTo(21_000, 6);
  expect(cpuCurves(m).map(({ name }) => name)).toEqual([
    'world servers',
    'PostgreSQL',
    'generator',
    'others',
  ]);
  expect(batchBars(m)).toEqual({
    labels: ['11–50', '51–100', '101–200', '201–500'],
    counts: [40, 2900, 1010, 50],
  });
});

test('a percentile curve ends where the unanswered operations begin', () => {
  const { intent, monsterCommand } = m.operations;
  const measured = { ...intent.measured, timedOut: 1000 };
  const some = measurementsOf({ operations: { intent: { ...intent, measured }, monsterCommand } });
  const curve = percentileCurves(some, report.operations).find(
    ({ name }) => name === 'intents, from the scheduled time',
  );
  const last = curve?.x.filter((_, i) => curve.y[i] !== null).at(-1) ?? 0;
  // 1,000 of 21,000 were not answered: p95.24 is the last that is known, which is 1 / (1 - 0.9524).
  expect(last).toBeGreaterThan(17);
  expect(last).toBeLessThanOrEqual(21);
});

test('every artefact is rendered, and names itself', async () => {
  const s = scenarioOf();
  const figures = fluxFiguresOf(m, s);
  const { artefacts, warnings } = await render(m, s, judge(m, s, figures), figures);
  expect(warnings).toEqual([]);
  expect([...artefacts.keys()].filter((name) => !name.includes('/'))).toEqual([
    'report.json',
    'report.html',
    'junit.xml',
    'summary.md',
    'series.csv',
  ]);
  expect([...artefacts.keys()].filter((name) => name.startsWith('charts/'))).toHaveLength(5);
  expect(String(artefacts.get('report.html')).match(/<svg class="plot"/g)).toHaveLength(5);
  expect(String(artefacts.get('report.html'))).not.toContain('<img');
});
