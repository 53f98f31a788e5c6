import { expect, test } from 'vitest';
import { statedWindows } from '../../src/measurement/stated-window.ts';

test.each([
  [[{ of: 'redis', withinSeconds: 6 }], 'the stated window of 6 s (redis)'],
  [[{ of: 'redis', withinSeconds: null }], 'the stated window without limit (redis)'],
  [
    [
      { of: 'redis', withinSeconds: 6 },
      { of: 'postgres', withinSeconds: 0.6 },
    ],
    'the stated windows of 6 s (redis) and of 0.6 s (postgres)',
  ],
])('windows as text: %o', (windows, text) => {
  expect(statedWindows(windows)).toBe(text);
});
