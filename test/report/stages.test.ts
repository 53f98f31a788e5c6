import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { drawCharts } from '../../src/report/chart.ts';
import { drawingsOf } from '../../src/report/drawing.ts';
import { html } from '../../src/report/html.ts';
import { junit } from '../../src/report/junit.ts';
import { reportJson } from '../../src/report/render.ts';
import { reportJsonSchema } from '../../src/report/report-schema.ts';
import { summary } from '../../src/report/summary.ts';
import { terminalSummary } from '../../src/report/terminal.ts';
import { flux } from '../../src/systems/flux/system.ts';
import { budget, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { CUT, STAGES, STORM, stageFacts } from '../fixtures/recorded-stages.ts';
import { reportFrom } from './report-of.ts';

const spike = stageFacts(1, { levelFrom: 22, rateBefore: 1, rate: 3 });
const m = measurementsOf({ stages: [stageFacts(0), spike, stageFacts(2, STORM)], faults: [CUT] });
const { load } = scenarioOf();
const budgets = [
  budget({
    id: 'full',
    title: 'storm: all are back',
    stage: 'storm',
    metric: 'network.fullStrengthMs',
    limit: 1000,
  }),
];
const report = reportFrom(m, scenarioOf({ load: { ...load, stages: STAGES }, budgets }));

test('report.json has the stages with figures of their own, as the schema says', () => {
  const told = JSON.parse(reportJson(report));
  const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(reportJsonSchema([flux]));
  expect(validate(told), JSON.stringify(validate.errors)).toBe(true);
  expect(told.stages.map(({ name }: { name: string }) => name)).toEqual(['hold', 'spike', 'storm']);
  expect(told.stages[2].network).toMatchObject({ cut: 1000, fullStrengthMs: 1500, connectMs: { p95: 5 } });
  expect(told.stages[0].load).toMatchObject({ durationSeconds: 16, sentPercent: { intent: 100 } });
  expect(told.stages[0].throughput.operationsPerSecond).toBe(21_000);
  expect(told.rulings[0]).toMatchObject({ stage: 'storm', state: 'breached' });
});

test.each([80, 120])('the terminal has a line for each, within %d columns', (width) => {
  const lines = terminalSummary(report, { colour: false, full: true, width, page: 'reports/x' }).split('\n');
  const at = lines.findIndex((line) => line.trim() === 'STAGES');
  const own = lines.slice(
    at,
    lines.findIndex((line) => line.trim() === 'FAULTS'),
  );
  const told = own.join('\n');
  expect(told).toMatch(/hold +5\.00 +16\.0 +1x +21,000 +100 /);
  expect(told).toMatch(/spike +21\.0 +2\.00 +→3x /);
  expect(told.replace(/\s+/g, ' ')).toContain(
    '1000 cut off, full strength after 1.5 s; 1000 disconnects, 1000 reconnects; connect p95 5 ms, reconnect p95 400 ms',
  );
  expect(own.filter((line) => line.length > width)).toEqual([]);
});

test('page, summary and JUnit name the stages', () => {
  const page = html(report, []);
  expect(page).toContain('<h2>Stages</h2>');
  expect(page).toContain('network.fullStrengthMs of stage storm');
  expect(summary(report)).toMatch(/^\| spike \| 2 \| →3x \| 21,000 \| 100% \| /m);
  expect(junit(report)).toContain('full storm: all are back');
});

test('the page has what was answered and what was open at the end of each stage beside what was due', () => {
  const late = m.series['load.intent.ok']?.points.map(([at, value]) => [at + 0.5, value] as const) ?? [];
  const series = { ...m.series, 'load.intent.ok': { kind: 'counter', points: late } } as const;
  const behind = reportFrom(
    measurementsOf({ ...m, series }),
    scenarioOf({ load: { ...load, stages: STAGES } }),
  );
  // Half a second of 900 intents that are answered ok.
  expect(behind.stages.map(({ backlog }) => backlog)).toEqual([450, 450, 450]);
  expect(report.stages.map(({ backlog }) => backlog)).toEqual([0, 0, 0]);
  const row = /<tr><td>spike<\/td>.*?<\/tr>/.exec(html(behind, []))?.[0];
  expect(row).toContain(
    '<td data-name="due">21,000/s</td><td data-name="answered">21,000/s</td><td data-name="backlog at end">450</td>',
  );
});

test('the charts mark where stages begin, and say so', () => {
  const plain = drawCharts(report, drawingsOf(report, measurementsOf({ faults: [CUT] })));
  const drawings = drawingsOf(report, m);
  const marked = drawCharts(report, drawings);
  const differ = marked.filter(({ png }, i) => Buffer.compare(png, plain[i]?.png ?? new Uint8Array()) !== 0);
  expect(differ.map(({ name }) => name)).toEqual(['latency', 'throughput', 'cpu']);
  expect(drawings[0]?.alt).toContain('Stages: hold from 5 s, spike from 21 s, storm from 23 s.');
});

test('stages with numbers of players: a column, what one player more costs, and charts of it', () => {
  const numbers = [600, 1000, 800];
  const stages = numbers.map((players, i) =>
    stageFacts(i, { playersBefore: numbers[i - 1] ?? players, players }),
  );
  const points = Array.from({ length: 28 }, (_, at) => [at, at <= 21 ? 600 : at <= 23 ? 1000 : 800] as const);
  const series = { ...measurementsOf().series, 'load.connected': { kind: 'gauge' as const, points } };
  const facts = measurementsOf({ stages, series });
  const of = reportFrom(facts, scenarioOf({ load: { ...load, stages: STAGES } }));
  const { memoryBytes, bytesPerSecond } = of.perPlayer;
  expect([memoryBytes.points, bytesPerSecond.points]).toEqual([3, 3]);
  const text = terminalSummary(of, { colour: false, full: true, width: 80, page: 'x' });
  expect(text).toMatch(/spike +21\.0 +2\.00 +→1,000 +1x /);
  expect(text).toContain('one player more: ');
  expect(summary(of)).toMatch(/^\| spike \| 2 \| →1,000 \| 1x \| /m);
  expect(html(of, [])).toContain('<h3>One player more</h3>');
  const drawings = drawingsOf(of, facts);
  const own = drawings.filter(({ name }) => name.endsWith('-by-players'));
  expect(own.map(({ name, x }) => [name, x.to > 900])).toEqual([
    ['memory-by-players', true],
    ['cpu-by-players', true],
  ]);
  expect(drawCharts(of, own).every(({ png }) => png.length > 1000)).toBe(true);
  expect(html(of, drawings)).toContain('Memory by players');
});

test('without stages nothing is said of any', () => {
  const without = reportFrom(measurementsOf(), scenarioOf());
  expect(without.stages).toEqual([]);
  expect(terminalSummary(without, { colour: false, full: true, width: 80, page: 'x' })).not.toContain(
    'STAGES',
  );
  expect(html(without, [])).not.toContain('Stages');
  expect(summary(without)).not.toContain('| stage |');
});
