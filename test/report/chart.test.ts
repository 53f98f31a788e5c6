import { inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { judge } from '../../src/judge/verdict.ts';
import { drawCharts } from '../../src/report/chart.ts';
import {
  batchBars,
  cpuCurves,
  latencyBudget,
  latencyCurves,
  percentileCurves,
  throughputCurves,
} from '../../src/report/curves.ts';
import { render } from '../../src/report/render.ts';
import { failedRun, fluxFiguresOf, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
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

test('five charts are drawn, each a picture with something to see and something to read', () => {
  const charts = drawCharts(report, m);
  expect(charts.map(({ name }) => name)).toEqual(['latency', 'percentiles', 'throughput', 'batches', 'cpu']);
  for (const chart of charts) {
    const { width, height, pixels } = png(chart.png);
    expect([width, height]).toEqual([1920, 840]);
    expect(new Set(pixels).size).toBeGreaterThan(50);
    expect(chart.alt.length).toBeGreaterThan(20);
  }
});

test('what there is no data for is not drawn', () => {
  const failed = failedRun();
  expect(drawCharts(reportFrom(failed, scenarioOf()), failed)).toEqual([]);
  const noServers = measurementsOf({ worlds: null });
  expect(drawCharts(report, noServers).map(({ name }) => name)).not.toContain('batches');
});

test('a single second is drawn as well', () => {
  const series = Object.fromEntries(
    Object.entries(m.series).map(([name, one]) => [name, { ...one, points: one.points.slice(2, 5) }]),
  );
  expect(drawCharts(report, measurementsOf({ series })).map(({ name }) => name)).toContain('latency');
});

test('the curves say what was measured', () => {
  expect(latencyCurves(m, report.operations).map(({ name }) => name)).toEqual([
    'intents p50',
    'intents p95',
    'intents p99',
    'monster commands p95',
  ]);
  expect(latencyBudget(report)).toEqual({ name: 'FLX-151: p95 < 20 ms', ms: 20 });
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
  const curve = percentileCurves(some, report.operations).find(({ name }) => name === 'intents, from due');
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
  expect(String(artefacts.get('report.html')).match(/src="data:image\/png;base64,/g)).toHaveLength(5);
});
