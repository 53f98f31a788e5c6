import { expect, test } from 'vitest';
import { drawCharts } from '../../src/report/chart.ts';
import { drawingsOf } from '../../src/report/drawing.ts';
import { html } from '../../src/report/html.ts';
import { summary } from '../../src/report/summary.ts';
import { svgOf } from '../../src/report/svg.ts';
import { terminalSummary } from '../../src/report/terminal.ts';
import { DELIVERIES, LOST_SERIES, PLAYER } from '../fixtures/recorded-deliveries.ts';
import { measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { reportFrom } from './report-of.ts';

const REQUESTS = 'http_requests_total{code="500"}';
const points = (of: (second: number) => number) => Array.from({ length: 28 }, (_, i) => [i, of(i)] as const);
const plain = measurementsOf();
const m = measurementsOf({
  ...{ deliveries: DELIVERIES, player: PLAYER },
  series: {
    ...plain.series,
    ...LOST_SERIES,
    [`metrics.1.${REQUESTS}`]: { kind: 'counter', points: points((second) => 7 * second) },
    'metrics.1.queue': { kind: 'gauge', points: points((second) => second % 3) },
    'metrics.1.took.p95': { kind: 'gauge', points: points((second) => 0.2 + (second % 2) / 10) },
  },
  histograms: { took: { bounds: [0.1, 0.5], counts: [3, 4, 0] } },
  absences: [{ of: 'target.metrics.gone', because: 'no page has gone' }],
});
const s = scenarioOf({ watch: [REQUESTS, 'target.metrics.queue', 'took', 'gone'] });
const report = reportFrom(m, s);
const drawings = drawingsOf(report, m);
const terminal = (of: typeof report, full: boolean): string =>
  terminalSummary(of, { colour: false, width: 120, full, page: 'report.html' });

test('a run that uses none of it has no block of it anywhere', () => {
  const without = reportFrom(plain, scenarioOf());
  for (const key of ['delivery', 'player', 'watch']) expect(without).not.toHaveProperty(key);
  const all = [html(without, drawingsOf(without, plain)), summary(without), terminal(without, true)].join(
    '\n',
  );
  expect(all).not.toMatch(/deliver|figures of the players|watched/i);
});

test('deliveries are on the terminal, on the page and in the comment', () => {
  const line =
    '20,000 expected  199 lost (1%)  p95 2 ms  101 excused  3 heard twice  2 heard late  4 unexpected';
  expect(terminal(report, false)).toContain(`deliveries        ${line}`);
  const full = terminal(report, true);
  expect(full).toMatch(/DELIVERIES\n\n.+20,000 expected {2}19,700 heard in time/);
  expect(full).toMatch(/latency of deliveries.+p95 2 ms {2}p99 lost/);
  expect(summary(report)).toContain('Deliveries: 20,000 expected · 199 lost (1%) · p95 2 ms');
  expect(html(report, drawings)).toContain('<section id="deliveries">');
});

test('so are the figures that players measured', () => {
  const full = terminal(report, true);
  expect(full).toMatch(/queue\.+: p50 10 ms {2}p95 30 ms {2}p99 30 ms {2}max 30 ms {2}100 values/);
  expect(full).toMatch(/kills\.+: 100 in all {2}5\/s/);
  expect(summary(report)).toContain('Players: queue p50 10 ms');
  const page = html(report, drawings);
  expect(page).toContain('<section id="player">');
  expect(page).toContain('times measured');
});

test('watched metrics have their statistics, or the reason why there are none', () => {
  expect(report.watch).toEqual([REQUESTS, 'queue', 'took', 'gone']);
  const full = terminal(report, true);
  expect(full).toContain('WATCHED');
  expect(full).toMatch(/http_requests_total\{code="500"\}\n +7\/s {2}increase 140/);
  expect(full).toMatch(/queue\.+: mean \S+ {2}min 0 {2}max 2/);
  expect(full).toMatch(/took\.+: p50 0\.1\d+ {2}p90 0\.\d+/);
  expect(full).toMatch(/gone\.+: no page has gone/);
  expect(html(report, drawings)).toContain('gone: no page has gone');
});

test('what the reader must not miss is on the short terminal and in the comment: no figures, unseen traffic', () => {
  const note = 'watch: gone has no figures: no page has gone';
  for (const text of [terminal(report, false), terminal(report, true), summary(report)])
    expect(text).toContain(note);
  expect(summary(report)).not.toContain('watch: queue');
  const because = 'the player module ./mine.mjs opened no connection';
  const unseen = reportFrom(
    measurementsOf({ absences: [{ of: 'network.connections', because }] }),
    scenarioOf(),
  );
  for (const text of [terminal(unseen, false), summary(unseen)])
    expect(text).toContain(`network traffic is not measured: ${because}`);
});

test('there is a chart of what was lost, and one of each watched metric, as pictures and on the page', () => {
  const own = drawings.filter(({ name }) => /^(deliveries|watch-\d)$/.test(name));
  expect(own.map(({ name, title }) => `${name}: ${title}`)).toEqual([
    'deliveries: Deliveries lost, by the second in which they were due',
    `watch-1: ${REQUESTS}, per second`,
    'watch-2: queue',
    'watch-3: took',
  ]);
  for (const drawing of own) expect(svgOf(drawing)).toContain('<svg');
  expect(own[0]?.curves[0]?.y.slice(3, 8)).toEqual([0, 0, 10, 10, 10]);
  expect(own[1]?.curves[0]?.y.slice(0, 3)).toEqual([7, 7, 7]);
  expect(drawCharts(report, own).map(({ name, png }) => [name, png.length > 1_000])).toEqual(
    own.map(({ name }) => [name, true]),
  );
});
