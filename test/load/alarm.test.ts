import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { exactMonotonic, monotonic } from '../../src/clock.ts';
import { Alarm } from '../../src/load/fleet/alarm.ts';
import { Metronome } from '../../src/load/fleet/metronome.ts';

/** Until the test is over. */
function alarm(): { readonly rung: number[]; readonly one: Alarm } {
  const rung: number[] = [];
  const one = new Alarm(() => rung.push(exactMonotonic()));
  onTestFinished(() => one.stop());
  return { rung, one };
}

async function until(met: () => boolean): Promise<void> {
  for (const start = exactMonotonic(); !met(); ) {
    if (exactMonotonic() - start > 10_000_000) throw new Error('not within 10 s');
    await sleep(5);
  }
}

test('an alarm rings once each time that it is set, and never too early', async () => {
  const { rung, one } = alarm();
  for (let i = 1; i <= 20; i++) {
    const wait = (i % 5) * 700;
    const set = exactMonotonic();
    one.set(wait);
    await until(() => rung.length === i);
    expect(rung.at(-1)! - set).toBeGreaterThanOrEqual(wait);
  }
  await sleep(20);
  expect(rung).toHaveLength(20);
});

test('an alarm that is set anew forgets what it was set to, sooner or later', async () => {
  const { rung, one } = alarm();
  one.set(3_600_000_000);
  await sleep(20);
  const set = exactMonotonic();
  one.set(1_000);
  await until(() => rung.length === 1);
  one.set(60_000_000);
  one.set(300_000);
  await until(() => rung.length === 2);
  expect(rung[1]! - set).toBeGreaterThanOrEqual(300_000);
});

test('an alarm that was stopped is silent', async () => {
  const { rung, one } = alarm();
  one.set(200_000);
  one.stop();
  await sleep(400);
  expect(rung).toEqual([]);
});

test('a precise metronome turns for each thing that is due, not before it, and sees its blocks', async () => {
  const dues = Array.from({ length: 50 }, (_, i) => monotonic() + 20_000 + i * 1_730);
  const turns: number[] = [];
  let next = 0;
  const metronome = new Metronome(
    {
      nextWake: () => dues[next] ?? Number.POSITIVE_INFINITY,
      turn(now) {
        while (next < dues.length && dues[next]! <= now) next += 1;
        turns.push(next);
        return false;
      },
    },
    () => monotonic(),
    true,
  );
  metronome.start();
  await until(() => next === dues.length);
  const until80 = performance.now() + 80;
  while (performance.now() < until80);
  await sleep(100);
  metronome.stop();
  expect(metronome.takeLongestBlock()).toBeGreaterThanOrEqual(20_000);
  const { length } = turns;
  await sleep(120);
  expect(turns).toHaveLength(length);
});
