import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { countOf } from '../../src/histogram.ts';
import { readWaitedSeconds } from '../../src/load/fleet/worker-health.ts';
import { OPERATIONS, workloadWith } from './a-workload.ts';
import { begin, isAlive, load, prepare, run, serve } from './engine-room.ts';
import { figuresOf } from './ledger-figures.ts';

test('all due operations are sent, answered and recorded in the ledger', async () => {
  const workload = workloadWith({ ramp: 1, warmUp: 1, duration: 2 });
  const { tally, seconds, servers, fleet } = await load(workload, {}, { instances: 2, workers: 2 });
  expect(fleet.connect).toMatchObject({ connected: 20, failed: 0 });
  expect(countOf(fleet.connect.connect)).toBe(20);
  expect(fleet.workerPids).toHaveLength(2);

  const { intent, monsterCommand } = tally.operations;
  // 20 players x 5/s and 20 posts/s x 10, over 2 s at full rate, exact to one operation in each stream.
  expect(Math.abs(intent.measured.scheduled - 200)).toBeLessThanOrEqual(20);
  expect(Math.abs(monsterCommand.measured.scheduled - 400)).toBeLessThanOrEqual(10);
  for (const { whole, measured, due, service, lag, ownLag } of [intent, monsterCommand]) {
    expect(whole.ok).toBe(whole.scheduled);
    expect(measured.ok).toBe(measured.scheduled);
    for (const histogram of [due, service, lag, ownLag]) expect(countOf(histogram)).toBe(measured.ok);
    expect(ownLag.max).toBeLessThanOrEqual(lag.max);
    expect(ownLag.sum).toBeLessThanOrEqual(lag.sum);
  }
  expect(tally).toMatchObject({ disconnects: 0, errors: [] });
  expect(tally.endedAt).toBe(workload.timeline.end);
  expect(tally.scheduleHash).toMatch(/^[0-9a-f]{16}$/);

  // The servers received what the ledger says for each entity, with numbers that are dense from 1.
  const { sentN, sentMax, ackedMax, ackedSum } = figuresOf(tally.ledger);
  let received = 0;
  for (const server of servers) {
    for (const [entity, numbers] of server.received) {
      received += numbers.length;
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
      for (const column of [sentN, sentMax, ackedMax]) expect(column[entity]).toBe(numbers.length);
      expect(ackedSum[entity]).toBe((numbers.length * (numbers.length + 1)) / 2);
    }
  }
  expect(received).toBe(intent.whole.ok + monsterCommand.whole.ok);

  // Seconds are deltas: they add up to the tally.
  for (const name of OPERATIONS) {
    for (const kind of ['scheduled', 'ok', 'rejected'] as const) {
      const sum = seconds.reduce((total, second) => total + second.operations[name][kind], 0);
      expect(sum).toBe(tally.operations[name].whole[kind]);
    }
  }
  expect(seconds.reduce((sum, { bytesIn }) => sum + bytesIn, 0)).toBe(tally.bytesIn);
  expect(seconds.slice(0, 4).map(({ at }) => at)).toEqual([1e6, 2e6, 3e6, 4e6]);
  const slices = seconds.flatMap((second) => second.slices);
  expect(slices.slice(0, 20).map(({ at }) => at)).toEqual(
    Array.from({ length: 20 }, (_, index) => (index + 1) * 200_000),
  );
  for (const name of OPERATIONS) {
    const answered = slices.reduce((sum, { operations }) => sum + operations[name].answered, 0);
    expect(answered).toBe(tally.operations[name].whole.ok);
  }
  expect(seconds[0]).toMatchObject({ connected: 20 });
  expect(seconds[0]?.workers.map((worker) => worker?.pid)).toEqual(fleet.workerPids);
  let waited = 0;
  for (const { workers } of seconds) {
    for (const worker of workers) {
      if (worker === null) continue;
      if (!('stalledMs' in worker)) throw new Error('a worker of ours tells how its loop fared');
      const { stalledMs, maxLoopDelayMs, waitedSeconds } = worker;
      // The stalled time of a second includes its longest block.
      expect(stalledMs).toBeGreaterThanOrEqual(Math.max(0, maxLoopDelayMs - 10) - 0.001);
      waited += waitedSeconds ?? 0;
    }
  }
  // Two processes that wake up thousands of times must wait for a core at least once.
  expect(waited > 0).toBe(readWaitedSeconds() !== null);
  expect(fleet.workerPids.filter(isAlive)).toEqual([]);
});

test('players send the expected mix of intents', async () => {
  const { servers } = await load(workloadWith({ players: 50, intentRate: 20, postRate: 0, duration: 2 }));
  const texts = servers[0]?.texts ?? [];
  const share = (matches: (text: string) => boolean): number => texts.filter(matches).length / texts.length;
  expect(texts.length).toBeGreaterThan(1900);
  expect(share((text) => text.startsWith('go '))).toBeCloseTo(0.5, 1);
  expect(share((text) => text === 'look')).toBeGreaterThan(0.2);
  expect(share((text) => text === 'say hello')).toBeCloseTo(0.1, 1);
  expect(share((text) => text.startsWith('attack '))).toBeGreaterThan(0);
  // North is a known exit, and players try west only without knowing exits.
  expect(share((text) => text === 'go west')).toBeGreaterThan(0);
  expect(share((text) => text === 'go west')).toBeLessThan(0.05);
  expect(
    texts.filter((text) => !/^(go (north|east|south|west)|look|say hello|attack \d+)$/.test(text)),
  ).toEqual([]);
});

test("sequence numbers continue from the servers' last ones", async () => {
  const { tally, servers } = await load(workloadWith({ duration: 1 }), { lastSeq: 40 });
  for (const numbers of servers[0]?.received.values() ?? []) expect(numbers[0]).toBe(41);
  expect(Math.min(...figuresOf(tally.ledger).sentMax.filter((max) => max > 0))).toBeGreaterThan(40);
});

test('1, 2 and 4 workers have the same schedule, another seed has another', async () => {
  const workload = workloadWith({ duration: 1, ramp: 1 });
  const hashes: string[] = [];
  const scheduled: number[] = [];
  for (const workers of [1, 2, 4]) {
    const { tally } = await load(workload, {}, { workers });
    hashes.push(tally.scheduleHash);
    scheduled.push(tally.operations.intent.whole.scheduled, tally.operations.monsterCommand.whole.scheduled);
  }
  expect(new Set(hashes).size).toBe(1);
  expect(new Set(scheduled).size).toBe(2);
  const { tally } = await load({ ...workload, seed: 8 });
  expect(tally.scheduleHash).not.toBe(hashes[0]);
});

test('an early stop ends the schedule but does not change its hash', async () => {
  const workload = workloadWith({ duration: 4 });
  const { endpoints } = await serve(workload);
  const whole = await run(await prepare({ ...workload }, endpoints));
  const { fleet, running } = await begin(workload, {}, { workers: 2 });
  await sleep(1600);
  fleet.stop();
  fleet.stop();
  const { tally } = await running;
  expect(tally.endedAt).toBeGreaterThan(1e6);
  expect(tally.endedAt).toBeLessThan(2.5e6);
  const { whole: counts } = tally.operations.intent;
  expect(counts.ok).toBe(counts.scheduled);
  expect(counts.scheduled).toBeLessThan(whole.tally.operations.intent.whole.scheduled * 0.7);
  expect(tally.scheduleHash).toBe(whole.tally.scheduleHash);
});

test('a stop before GO is a run of no length', async () => {
  const workload = workloadWith({ duration: 2 });
  const fleet = await prepare(workload, (await serve(workload)).endpoints);
  fleet.stop();
  const { tally } = await run(fleet);
  expect(tally.operations.intent.whole.scheduled).toBe(0);
  expect(tally.endedAt).toBe(0);
});
