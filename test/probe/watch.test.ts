import { expect, onTestFinished, test, vi } from 'vitest';
import { watch } from '../../src/probe/watch.ts';

const clock = vi.hoisted(() => ({ seconds: 0 }));
vi.mock('../../src/clock.ts', () => ({ monotonic: () => clock.seconds * 1e6 }));

test('gaps of the measure phase are counted apart from what was read before it', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let asked = 0;
  const probe = {
    name: 'page',
    sample: () => (++asked <= 4 ? Promise.resolve([]) : Promise.reject(new Error('the page is gone'))),
    close: () => Promise.resolve(),
  };
  const heard: number[] = [];
  const readings = watch([probe], { from: 2.5e6, to: 6.5e6 }, (at) => heard.push(at));
  for (let second = 1; second <= 8; second++) {
    clock.seconds = second;
    await vi.advanceTimersByTimeAsync(1000);
  }
  await readings.finish();
  const [tally] = readings.tallies();
  expect(heard).toHaveLength(4);
  // Read at 0, 1, 2 and 3 s; gone from 4 s on.
  expect(tally).toMatchObject({ samples: 4, gaps: 6, lastError: 'the page is gone' });
  expect(tally?.measured).toEqual({ samples: 1, gaps: 3 });
});
