import { expect, test } from 'vitest';
import { bytesText, cellText, numberText, quantity } from '../../src/report/quantity.ts';
import { limitText, marginText, observedText } from '../../src/report/ruling-text.ts';
import { measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { reportFrom } from './report-of.ts';

test.each([
  [34.123, '34.1'],
  [0.012345, '0.0123'],
  [999.79, '1,000'],
  [104_876.3, '104,876'],
  [20_000, '20,000'],
  [7, '7'],
  [0, '0'],
  [0.00001234, '1.23e-5'],
  [null, '–'],
])('%s is shown as %s', (value, text) => {
  expect(numberText(value)).toBe(text);
});

test('a column has three digits on every line', () => {
  expect([10.002, 9.7654, 33, 0.5, 1234.5, 0, null].map(cellText)).toEqual([
    '10.0',
    '9.77',
    '33.0',
    '0.500',
    '1,235',
    '0',
    '–',
  ]);
});

test('what is not quite 100% is not shown as 100%', () => {
  expect(quantity(99.976, '%')).toBe('99.98%');
  expect(quantity(100, '%')).toBe('100%');
});

test.each([
  [5.5, 'ms', '5.5 ms'],
  [1234, 'ms', '1.23 s'],
  [999.7, 'ms', '1 s'],
  [0.0123, 'ms', '12.3 µs'],
  [45.2, 'us', '45.2 µs'],
  [0.3, 's', '0.3 s'],
  [0.0021, 's', '2.1 ms'],
  [0, 's', '0 s'],
])('%s %s is shown as %s', (value, unit, text) => {
  expect(quantity(value, unit)).toBe(text);
});

test('bytes are counted in powers of 1,024', () => {
  expect(bytesText(24 * 2 ** 30)).toBe('24 GB');
  expect(bytesText(1200)).toBe('1.17 kB');
  expect(bytesText(110, true)).toBe('110 bytes/s');
});

test('limits are shown as the document has them', () => {
  expect(limitText({ op: '<', limit: 20, unit: 'ms' })).toBe('< 20 ms');
  expect(limitText({ op: 'between', limit: [40, 80], unit: '% CPU' })).toBe('40 to 80% CPU');
  expect(limitText({ op: '<', limit: 1500, unit: 'ms' })).toBe('< 1.5 s');
  expect(limitText({ op: 'is', limit: 'on', unit: 'enum' })).toBe('on');
  expect(limitText({ op: '~', limit: 2500, unit: 'batches/s' })).toBe('≈ 2,500 batches/s');
});

test('a breach is never rounded to its limit', () => {
  const [ruling] = reportFrom(measurementsOf(), scenarioOf()).rulings;
  if (ruling === undefined) throw new Error('no ruling');
  const missed = {
    ...ruling,
    state: 'breached',
    op: '>=',
    limit: 20_000,
    observed: 19_999.6,
    metricUnit: 'ops/s',
  } as const;
  expect(observedText(missed)).toBe('19,999.6 ops/s');
  expect(observedText({ ...missed, state: 'met' })).toBe('20,000 ops/s');
});

test('memory is shown in the unit that reads well, whatever the unit of its budget', () => {
  const [ruling] = reportFrom(measurementsOf(), scenarioOf()).rulings;
  if (ruling === undefined) throw new Error('no ruling');
  const memory = { ...ruling, op: '<', limit: 1, observed: 0.0964, unit: 'GB', metricUnit: 'GB' } as const;
  expect(observedText({ ...memory, state: 'met' })).toBe('98.7 MB');
  expect(observedText({ ...memory, state: 'breached', observed: 1.0004 })).toBe('1.0004 GB');
});

test.each([
  [17, 20, '15% below the limit'],
  [20, 20, ''],
  [19_999.6, 20_000, 'less than 0.1% below the limit'],
  [0.01, 100, 'over 99% below the limit'],
  [23, 20, '15% above the limit'],
  [46, 20, '2.3 times the limit'],
  [0, 20, ''],
  [5, 0, ''],
  [57, [40, 80], 'within the range'],
  [20, [40, 80], '50% below the low end'],
  [88, [40, 80], '10% above the high end'],
  [200, [40, 80], '2.5 times the high end'],
  ['on', 'off', ''],
  [null, 20, ''],
] as const)('%j against %j: %s', (observed, limit, text) => {
  expect(marginText({ observed, limit: typeof limit === 'object' ? [limit[0], limit[1]] : limit })).toBe(
    text,
  );
});
