import { expect, test } from 'vitest';
import { openWrittenTimes } from '../../../../src/systems/massless/server/written-times.ts';

test('what Redis lost is the span from the newest time that it has to the newest that it had; unknown before it was away', async () => {
  let [now, stored] = [1_000, [] as number[]];
  const run = async ([command]: readonly (readonly unknown[])[]): Promise<unknown[]> => {
    if (command?.[0] === 'xadd') {
      stored.push(Number(command.at(-1)));
      return ['id'];
    }
    return [stored.slice(-1).map((at) => ['id', ['at', String(at)]])];
  };
  const times = openWrittenTimes(1, () => now);
  await times.compare(run as never);
  expect(times.lostSeconds).toBeNull();
  for (; now <= 1_500; now += 100) await times.add(run as never);
  expect(times.lostSeconds).toBeNull();
  await times.compare(run as never);
  expect(times.lostSeconds).toBe(0);
  stored = stored.slice(0, -2);
  await times.compare(run as never);
  expect(times.lostSeconds).toBe(0.2);
  stored = [];
  await times.compare(run as never);
  expect(times.lostSeconds).toBe(0.5);
});
