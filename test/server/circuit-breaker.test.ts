import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openBackoff } from '../../src/server/backoff.ts';
import { CircuitBreaker } from '../../src/server/circuit-breaker.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function openBreaker() {
  const events: string[] = [];
  const probes: { resolve(): void; reject(error: Error): void }[] = [];
  const breaker = new CircuitBreaker({
    failures: 3,
    backoff: openBackoff({ first: 100, most: 400 }, () => 0),
    probe: () => {
      events.push(`probe at ${performance.now() - start}`);
      return new Promise((resolve, reject) => probes.push({ resolve, reject }));
    },
    opened: (why) => events.push(`opened: ${why}`),
    closed: (millis) => events.push(`closed after ${millis}`),
  });
  const start = performance.now();
  const next = () => probes.shift() ?? { resolve: () => {}, reject: () => {} };
  return { breaker, events, next };
}

test('opens after failures in a row, and an answer between them begins the row again', () => {
  const { breaker, events } = openBreaker();
  breaker.failed('a');
  breaker.failed('b');
  breaker.succeeded();
  breaker.failed('c');
  breaker.failed('d');
  expect(breaker.state).toBe('closed');
  breaker.failed('e');
  expect(breaker.state).toBe('open');
  breaker.failed('f');
  expect(events).toEqual(['opened: e']);
});

test('probes with growing pauses up to the cap, and closes when one succeeds', async () => {
  const { breaker, events, next } = openBreaker();
  breaker.trip('lost');
  for (const pause of [100, 200, 400, 400]) {
    expect(breaker.state).toBe('open');
    await vi.advanceTimersByTimeAsync(pause);
    expect(breaker.state).toBe('half-open');
    next().reject(new Error('not yet'));
    await vi.advanceTimersByTimeAsync(0);
  }
  await vi.advanceTimersByTimeAsync(400);
  next().resolve();
  await vi.advanceTimersByTimeAsync(0);
  expect(breaker.state).toBe('closed');
  expect(events).toEqual([
    'opened: lost',
    ...[100, 300, 700, 1_100, 1_500].map((at) => `probe at ${at}`),
    'closed after 1500',
  ]);
  // The next pauses are short again.
  breaker.trip('lost again');
  await vi.advanceTimersByTimeAsync(100);
  expect(events.slice(-2)).toEqual(['opened: lost again', 'probe at 1600']);
});

test('a probe whose connection was lost meanwhile does not close it', async () => {
  const { breaker, events, next } = openBreaker();
  breaker.trip('lost');
  await vi.advanceTimersByTimeAsync(100);
  breaker.trip('lost during the probe');
  next().resolve();
  await vi.advanceTimersByTimeAsync(0);
  expect(breaker.state).toBe('open');
  expect(events).toEqual(['opened: lost', 'probe at 100']);
});

test('asks no more once it has ended', async () => {
  const { breaker, events } = openBreaker();
  breaker.trip('lost');
  breaker.end();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(events).toEqual(['opened: lost']);
});
