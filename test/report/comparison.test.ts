import { expect, test } from 'vitest';
import { compare } from '../../src/compare/comparison.ts';
import { DEFAULT_GATE, type Gate } from '../../src/compare/gate.ts';
import type { Trial } from '../../src/compare/trial.ts';
import { comparisonHtml } from '../../src/report/comparison-html.ts';
import { comparisonMarkdown } from '../../src/report/comparison-markdown.ts';
import { comparisonLine, comparisonSummary } from '../../src/report/comparison-terminal.ts';
import { comparisonAdvice, meanText, percentText } from '../../src/report/comparison-text.ts';
import { trialsOf } from '../compare/trials.ts';
import { NASTY } from './report-of.ts';

const CPU = 'cpuPerOperation.servers';
const NOISE = [-0.8, 0.6, 0.3, -0.5, 0.9, -0.7, 0.2, -0.1];
const around = (mean: number, n = NOISE.length): readonly number[] =>
  NOISE.slice(0, n).map((percent) => mean * (1 + percent / 100));

const between = (
  head: readonly Trial[],
  base: readonly Trial[] = trialsOf(CPU, around(1000)),
  gate: Gate = DEFAULT_GATE,
) => compare({ name: 'main', trials: base }, { name: 'pr', trials: head }, gate, 'separate');
const slower = between(trialsOf(CPU, around(1100)));
const few = between(trialsOf(CPU, around(1000, 1)));
const elsewhere = between(
  trialsOf(CPU, around(1000)).map((one) => ({ ...one, identity: { ...one.identity, CPU: NASTY } })),
);

const style = { colour: false, width: 140, full: false, page: 'to/comparison.html' };

test('the terminal: what decides first, side by side, and the verdict last', () => {
  const lines = comparisonSummary(slower, style).trimEnd().split('\n');
  expect(lines.at(-1)).toBe(
    '  REGRESSION (91)  CPU per operation, servers is 10.0% higher  to/comparison.html',
  );
  const row = lines.find((line) => line.includes('CPU per operation, servers')) ?? '';
  expect(row).toMatch(
    /✗ CPU per operation, servers +1 ms +1\.1 ms +\+10\.0% +\+\d+(\.\d+)?% to \+\d+(\.\d+)?% +\d\.\d+% +worse$/,
  );
  const place = (text: string): number => lines.findIndex((line) => line.includes(text));
  expect(place('· throughput')).toBeGreaterThan(place('✓ answered share'));
  expect(place('(same)')).toBeGreaterThan(0);
});

test.each([60, 80, 100, 120])('in %d columns no line is longer, and each metric is named', (width) => {
  const lines = comparisonSummary(slower, { ...style, width, page: '' }).split('\n');
  // The verdict is one line, whatever its length.
  for (const line of lines.slice(0, -2)) expect(line.length).toBeLessThanOrEqual(width);
  expect(lines.some((line) => /✗ CPU/.test(line))).toBe(true);
});

test('one trial: no interval, and what to do', () => {
  const text = comparisonSummary(few, style);
  expect(text).toContain('one trial has no interval');
  expect(text).toContain('Next: run several trials of each version');
  expect(comparisonLine(few, style)).toMatch(/^NO CONCLUSION \(90\) {2}too few trials/);
  expect(comparisonAdvice(slower)).toContain('look at what changed');
  const noisy = between(trialsOf(CPU, [1, 1000, 1, 1000]), trialsOf(CPU, [1, 1000, 1, 1000]));
  expect(comparisonAdvice(noisy)).toContain('a quieter machine');
  const three = between(trialsOf(CPU, around(1000, 3)), trialsOf(CPU, around(1000, 3)));
  expect(comparisonAdvice(three)).toMatch(/^run about \d+ trials of each version/);
});

test('the page and the comment hold the same verdict, and nothing that a text brings along', () => {
  const page = comparisonHtml(slower);
  expect(page).toContain('<h1>Regression <span class="faint">exit code 91</span></h1>');
  expect(page.match(/<h2>[^<]*<\/h2>/g)).toEqual([
    ...['<h2>What decides</h2>', '<h2>What does not decide</h2>', '<h2>Trials</h2>'],
  ]);
  expect(page.match(/<svg class="interval"/g)).toHaveLength(slower.metrics.length);
  const comment = comparisonMarkdown(slower);
  expect(comment.split('\n')[0]).toBe('### ❌ REGRESSION (91): my-world');
  expect(comment).toContain('| ❌ | CPU per operation, servers | 1 ms | 1.1 ms | \\+10.0% |');
  expect(comment.indexOf('<details>')).toBeGreaterThan(comment.indexOf('answered share'));
  const nasty = { ...elsewhere, scenario: NASTY, base: { ...elsewhere.base, name: NASTY } };
  for (const text of [comparisonHtml(nasty), comparisonMarkdown(nasty)]) {
    expect(text).not.toContain('<script>');
    expect(text).not.toContain('<img');
  }
  expect(comparisonMarkdown(nasty)).toMatch(/^\| CPU \| Example CPU/m);
  expect(comparisonSummary(nasty, style)).not.toContain('\u001b');
  expect(comparisonSummary(nasty, style)).toContain('NOT COMPARABLE');
});

test.each([
  [0, '0%'],
  [0.001, '0%'],
  [-0.001, '0%'],
  [4.567, '+4.57%'],
  [-12.34, '-12.3%'],
  [250.4, '+250%'],
  [null, '–'],
])('%d percent as %s', (percent, text) => {
  expect(percentText(percent)).toBe(text);
});

test.each([
  [{ n: 1, mean: 182, cvPercent: null }, 'us', '182 µs'],
  [{ n: 1, mean: 3 * 2 ** 20, cvPercent: null }, 'bytes', '3 MB'],
  [{ n: 1, mean: 512, cvPercent: null }, 'bytes', '512 bytes'],
  [{ n: 1, mean: 99.97, cvPercent: null }, '%', '99.97%'],
  [{ n: 0, mean: null, cvPercent: null }, 'bytes', '–'],
])('%j in %s: %s', (sample, unit, text) => {
  expect(meanText(sample, unit)).toBe(text);
});
