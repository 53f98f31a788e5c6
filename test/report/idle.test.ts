import { expect, test } from 'vitest';
import { EMPTY_HISTOGRAM } from '../../src/histogram.ts';
import type { LoadSecond } from '../../src/load/engine.ts';
import { contradictionsOf } from '../../src/measurement/contradictions.ts';
import { backlogAt } from '../../src/measurement/fault-figures.ts';
import type { Measurements } from '../../src/measurement/measurements.ts';
import { parseMeasurements } from '../../src/measurement/read-measurements.ts';
import { generatorSamples } from '../../src/probe/generator.ts';
import { html } from '../../src/report/html.ts';
import { seriesCsv } from '../../src/report/render.ts';
import { summary } from '../../src/report/summary.ts';
import { terminalSummary } from '../../src/report/terminal.ts';
import { measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { reportFrom } from './report-of.ts';

const m = measurementsOf();
const { intent } = m.operations;
const { points } = m.series['load.intent.scheduled']!;
const last = points.at(-1)?.[0] ?? 0;

/** The recorded run, with as many idle intents beside it, a quarter of all that was due then. */
const IDLE = { whole: 8000, measured: 6667 };
const idle: Partial<Measurements> = {
  operations: {
    ...m.operations,
    intent: {
      ...intent,
      whole: { ...intent.whole, scheduled: intent.whole.scheduled + IDLE.whole, idle: IDLE.whole },
      measured: {
        ...intent.measured,
        scheduled: intent.measured.scheduled + IDLE.measured,
        idle: IDLE.measured,
      },
    },
  },
  series: {
    ...m.series,
    // From the tenth second on.
    'load.intent.scheduled': {
      kind: 'counter',
      points: points.map(([at, n]) => [at, n + Math.max(0, (at - 9) / (last - 9)) * IDLE.whole]),
    },
    'load.intent.idle': {
      kind: 'counter',
      points: points.flatMap(([at]) =>
        at <= 9 ? [] : [[at, ((at - 9) / (last - 9)) * IDLE.whole] as const],
      ),
    },
  },
};
const style = { colour: false, width: 120, full: false, page: 'reports/recorded' };
const texts = (over: Partial<Measurements>, s = scenarioOf()) => {
  const report = reportFrom(measurementsOf(over), s);
  return {
    report,
    compact: terminalSummary(report, style),
    full: terminalSummary(report, { ...style, full: true }),
    page: html(report, []),
    markdown: summary(report),
    csv: seriesCsv(measurementsOf(over), 1),
  };
};

test('what was idle has a column and a share in every format, and is in no other share', () => {
  expect(contradictionsOf(measurementsOf(idle))).toEqual([]);
  const { report, compact, full, page, markdown, csv } = texts(idle);
  const before = texts({}).report;
  expect(report.load.idlePercent).toEqual({ intent: expect.closeTo(25, 2), monsterCommand: 0 });
  for (const share of ['sentPercent', 'errorPercent', 'unansweredPercent', 'rejectedPercent'] as const)
    expect(report.load[share].intent).toBeCloseTo(before.load[share].intent!, 9);
  expect(report.latency).toEqual(before.latency);
  expect(compact).toMatch(/answered\/s +rejected +idle +p50, ms/);
  expect(full).toMatch(/6,667 idle/);
  expect(page).toContain('25% idle');
  expect(markdown).toContain('25% idle');
  expect(csv.split('\n')[0]).toContain('load.intent.idle');
  expect(csv.split('\n')[0]).not.toContain('load.monsterCommand.idle');
});

test('without any, nothing is said of it', () => {
  const { compact, full, page, markdown, csv } = texts({});
  for (const text of [compact, full, page, markdown, csv]) expect(text).not.toMatch(/\bidle\b/);
});

test('a bundle of an earlier version has none', () => {
  const text = JSON.stringify(m, (key, value) => (key === 'idle' ? undefined : value));
  expect(text).not.toContain('"idle"');
  expect(parseMeasurements(text)).toMatchObject({ state: 'valid', measurements: { operations: { intent } } });
});

test('counts of idle operations that contradict each other are found', () => {
  const of = (over: Partial<Measurements>) =>
    contradictionsOf(measurementsOf({ ...idle, ...over })).join('\n');
  const { 'load.intent.idle': own } = idle.series!;
  const series = { ...idle.series, 'load.intent.idle': { ...own!, points: own!.points.slice(0, -1) } };
  expect(of({ series })).toContain('series.load.intent.idle');
  const { 'load.intent.idle': _, ...others } = idle.series!;
  expect(of({ series: others })).toContain(
    'series.load.intent.idle: 0 at its end, and 8000 in the whole run',
  );
  const { intent: facts } = idle.operations!;
  const operations = { ...idle.operations, intent: { ...facts!, whole: { ...facts!.whole, idle: 1 } } };
  expect(of({ operations })).toContain('operations.intent.measured.idle: 6667 of 1 in the whole run');
});

test('idle operations are no backlog, from before the first one on', () => {
  const grid = [5, 9, 12, 20];
  const [before, after] = [m, measurementsOf(idle)].map((facts) => backlogAt(facts, grid));
  expect(after!.map((one) => Math.round(one!))).toEqual(before!.map((one) => Math.round(one!)));
});

test('the series of idle operations begins with the first, and goes on', () => {
  const samples = generatorSamples();
  const none = { ok: 1, rejected: 0, failed: 0, failedUnsent: 0, timedOut: 0, skipped: 0, inFlight: 0 };
  const second = (idle: number) =>
    samples({
      operations: { ask: { ...none, scheduled: 1 + idle, idle, due: EMPTY_HISTOGRAM } },
      ...{ connected: 1, workers: [], slices: [], sockets: null },
    } as unknown as LoadSecond).filter(({ series }) => series === 'load.ask.idle');
  expect(second(0)).toEqual([]);
  expect(second(2)).toEqual([{ series: 'load.ask.idle', kind: 'counter', value: 2 }]);
  expect(second(0)).toEqual([{ series: 'load.ask.idle', kind: 'counter', value: 2 }]);
  expect(second(3)).toMatchObject([{ value: 5 }]);
});
