import { expect, test } from 'vitest';
import { countOf } from '../../src/histogram.ts';
import { openWindowRecorder } from '../../src/measurement/windows.ts';

const second = (value: number) => ({ counts: [[value, 1]] as const, min: value, max: value, sum: value });

const bookOf = (seconds: number) => {
  const book = openWindowRecorder();
  for (let i = 0; i < seconds; i++) book.add(second(i + 1));
  return book.close();
};

test('a short run has a window for every second, in order', () => {
  expect(bookOf(20).map(({ sum }) => sum)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
});

test.each([120, 121, 122, 500, 3600, 86_400])(
  'a run of %i s keeps at most 120 windows of equal length',
  (length) => {
    const windows = bookOf(length);
    expect(windows.length).toBeLessThanOrEqual(120);
    expect(windows.length).toBeGreaterThanOrEqual(Math.min(length, 60));
    const each = new Set(windows.map(countOf));
    expect(each.size).toBe(1);
    const [seconds = 0] = each;
    // Less than one window is left out, at the end.
    expect(length - windows.length * seconds).toBeLessThan(seconds);
    expect(windows[0]?.min).toBe(1);
    expect(windows.at(-1)?.max).toBe(windows.length * seconds);
  },
);
