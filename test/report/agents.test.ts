import { expect, test } from 'vitest';
import { html } from '../../src/report/html.ts';
import { tableRow } from '../../src/report/markdown.ts';
import { summary } from '../../src/report/summary.ts';
import { terminalSummary } from '../../src/report/terminal.ts';
import { measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { reportFrom } from './report-of.ts';

const STYLE = { colour: false, width: 120, full: true, page: 'report.html' };
const clock = { clockOffsetMs: -51_234.5, clockUncertaintyMs: 0.42, driftMs: 0.017, roundTripMs: 0.81 };
const agents = [
  { address: '10.0.0.5:7400', workers: 2, onThisHost: false, ...clock },
  { address: '127.0.0.1:7401', workers: 3, onThisHost: true, ...clock, driftMs: null },
];
const [far, near] = [
  ['10.0.0.5:7400', '2', 'another one', '0.42 ms', '17 µs', '-51.2 s', '0.81 ms'],
  ['127.0.0.1:7401', '3', 'this one', '0.42 ms', 'not read again', '-51.2 s', '0.81 ms'],
];

test('the agents of a run, where they are and what is known of their clocks, are a table of every format', () => {
  const report = reportFrom(measurementsOf({ agents }), scenarioOf());
  // No tags: what stands between the cells is one sign. A number and its unit are not broken.
  const texts = html(report, [])
    .replaceAll(/(<[^>]+>)+/g, '|')
    .replaceAll('\u00a0', ' ');
  const lines = terminalSummary(report, STYLE).split('\n');
  for (const cells of [far, near]) {
    expect(texts).toContain(cells.join('|'));
    expect(summary(report)).toContain(tableRow(cells));
    expect(lines.map((line) => line.trim().split(/ {2,}/))).toContainEqual(cells);
  }
});

test('without agents there is none', () => {
  const report = reportFrom(measurementsOf(), scenarioOf());
  expect(html(report, [])).not.toContain('id="agents"');
  expect(summary(report)).not.toContain('round trip');
  expect(terminalSummary(report, STYLE)).not.toContain('AGENTS');
});
