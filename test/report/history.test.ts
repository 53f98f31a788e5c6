import { expect, test } from 'vitest';
import { DEFAULT_GATE } from '../../src/compare/gate.ts';
import { HISTORY_RULES, reportHistory } from '../../src/compare/history.ts';
import { entryOf } from '../../src/compare/history-entry.ts';
import { historyHtml } from '../../src/report/history-html.ts';
import { historyLine, historySummary } from '../../src/report/history-terminal.ts';
import { sparkline } from '../../src/report/sparkline.ts';
import { NASTY } from './report-of.ts';

const entries = Array.from({ length: 24 }, (_, i) =>
  entryOf([
    {
      ...{
        name: `${i}`,
        scenario: NASTY,
        system: 'own',
        outcome: 'pass',
        exitCode: 0,
        headline: '',
        seed: i,
      },
      ...{
        startedAt: `2026-03-${String(i + 1).padStart(2, '0')}T10:00:00.000Z`,
        commit: `${i}`.padStart(40, 'a'),
      },
      ...{ identity: { CPU: NASTY, cores: '2' }, versions: { Node: i < 18 ? 'v22.12.0' : 'v22.13.0' } },
      metrics: {
        'cpuPerOperation.servers': (i < 18 ? 50 : 60) + 0.1 * (i % 3),
        'latencyP95.look': i < 10 ? 20 : 10 + 0.1 * (i % 2),
        ...(i === 5 ? {} : { answeredPercent: 100 }),
      },
      gate: null,
    },
  ]),
);
const report = reportHistory(
  { entries, problems: ['h.jsonl, line 9 was cut'] },
  () => DEFAULT_GATE,
  HISTORY_RULES,
);
const style = { colour: false, width: 120, full: true };

test.each([
  [[1, 2, 3, 4, 5, 6, 7, 8], 8, '▁▂▃▄▅▆▇█'],
  [[1, 2, 3, 4, 5, 6, 7, 8], 3, '▁▅█'],
  [[5, 5, 5], 8, '▅▅▅'],
  [[0, null, 1], 8, '▁ █'],
  [[], 8, ''],
  [[null], 8, ' '],
])('the sparkline of %j in %d columns', (values, width, line) => {
  expect(sparkline(values, width)).toBe(line);
});

test('the terminal has each metric with its chart and its newest change, and the verdict last', () => {
  const lines = historySummary(report, style).split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(120);
  const line = lines.find((one) => one.includes('CPU per operation, servers'));
  expect(line).toMatch(
    /^ {4}✗ CPU per operation, servers +[▁-█]{24} +60\.\d µs +\+20% since aaaaaaaa \(6 runs\)$/,
  );
  expect(lines.find((one) => one.includes('p95 latency'))).toContain('-49.8% since aaaaaaaa (14 runs)');
  expect(lines.find((one) => one.includes('answered share'))).toMatch(/✓ .* 100% +no change$/);
  expect(lines).toContain('  • h.jsonl, line 9 was cut');
  expect(lines).toContain('  • CPU per operation, servers: from the same run on, Node v22.12.0 to v22.13.0');
  expect(lines.at(-2)).toMatch(/^ {2}REGRESSION \(91\) {2}CPU per operation, servers is 20\.0% higher since/);
  expect(historySummary(report, { ...style, full: false })).not.toContain('p95 latency');
  expect(historyLine(report, style)).toMatch(/^REGRESSION \(91\) {2}CPU .*\n$/);
  // Nothing of what was measured reaches the terminal as a command.
  expect(lines.join('')).not.toContain('\u001b');
});

test.each([60, 80])('on a terminal of %d columns each line of a metric fits', (width) => {
  const lines = historySummary(report, { ...style, width }).split('\n');
  expect(lines.filter((one) => /[▁-█]/.test(one))).toHaveLength(3);
  // The verdict is broken by the terminal.
  expect(lines.slice(0, -2).filter((one) => one.length > width)).toEqual([]);
});

test('the page has a chart for each metric, with its changes in words, and makes no request', () => {
  const page = historyHtml(report);
  expect(page.match(/<figure id="chart-/g)).toHaveLength(3);
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(page).toContain('+20% from run 19 (aaaaaaaa, 2026-03-19 10:00:00 UTC): worse.');
  expect(page).not.toContain('<script>');
  expect(page).not.toMatch(/(?:src|href)="(?!#|data:)/);
});

test('an empty history has a page and a verdict', () => {
  const none = reportHistory({ entries: [], problems: [] }, () => DEFAULT_GATE, HISTORY_RULES);
  expect(historyHtml(none)).toContain('There is no run with a conclusion.');
  expect(historyLine(none, style)).toBe('INCONCLUSIVE (90)  There is no run with a conclusion\n');
});
