import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { Alarm, clockMicros } from '../../src/load/fleet/alarm.ts';

const alarms: Alarm[] = [];
function alarm(rung: number[]): Alarm {
  const opened = new Alarm(() => rung.push(clockMicros()));
  alarms.push(opened);
  return opened;
}
afterEach(() => {
  for (const opened of alarms.splice(0)) opened.stop();
});

async function until(met: () => boolean): Promise<void> {
  for (const start = clockMicros(); !met(); ) {
    if (clockMicros() - start > 10_000_000) throw new Error('not within 10 s');
    await sleep(5);
  }
}

test('an alarm rings once each time that it is set, and never too early', async () => {
  const rung: number[] = [];
  const one = alarm(rung);
  for (let i = 1; i <= 20; i++) {
    const wait = (i % 5) * 700;
    const set = clockMicros();
    one.set(wait);
    await until(() => rung.length === i);
    expect(rung.at(-1)! - set).toBeGreaterThanOrEqual(wait);
  }
  await sleep(20);
  expect(rung).toHaveLength(20);
});

test('an alarm that is set anew forgets what it was set to, sooner or later', async () => {
  const rung: number[] = [];
  const one = alarm(rung);
  one.set(3_600_000_000);
  await sleep(20);
  const set = clockMicros();
  one.set(1_000);
  await until(() => rung.length === 1);
  one.set(60_000_000);
  one.set(300_000);
  await until(() => rung.length === 2);
  expect(rung[1]! - set).toBeGreaterThanOrEqual(300_000);
});

test('an alarm that was stopped is silent', async () => {
  const rung: number[] = [];
  const one = alarm(rung);
  one.set(200_000);
  one.stop();
  await sleep(400);
  expect(rung).toEqual([]);
});
