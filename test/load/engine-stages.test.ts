import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { countOf } from '../../src/histogram.ts';
import { type Counts, OUTCOMES } from '../../src/load/engine.ts';
import {
  churnWindows,
  type LoadShape,
  operationalSeconds,
  type Stage,
  timedStages,
} from '../../src/scenario/stages.ts';
import type { Workload } from '../../src/scenario/workload.ts';
import { micros, seconds } from '../../src/units.ts';
import { LOST_NOTHING } from '../counts.ts';
import { type BothStageTally, type BothTally, OPERATIONS, workloadWith } from './a-workload.ts';
import { begin, load } from './engine-room.ts';
import { findings } from './ledger-figures.ts';

const stage = (name: string, lasting: number, more: Partial<Stage> = {}): Stage => ({
  ...{ name, lasting: seconds(lasting), rate: 1, over: seconds(0) },
  ...more,
});

function shaped(
  shape: Omit<LoadShape, 'duration' | 'players' | 'connectsPerSecond'>,
  players = 40,
): Workload {
  const duration = shape.stages?.reduce((sum, { lasting }) => sum + lasting, 0) ?? 0;
  const plain = workloadWith({
    ...{ ramp: 0.5, duration: duration / 1e6, players, intentRate: 10, postRate: 20, reconnect: true },
  });
  const { measureStart, end } = plain.timeline;
  const whole = { ...shape, players, connectsPerSecond: plain.connectsPerSecond, duration: micros(duration) };
  const stages = timedStages(whole, measureStart);
  return { ...plain, timeline: { ...plain.timeline, stages }, churn: churnWindows(whole, stages, end) };
}

/** Every operation that was due in the measure phase was due in one of its stages. */
function expectShares(tally: BothTally, stages: readonly BothStageTally[]): void {
  for (const name of OPERATIONS) {
    const { measured, due } = tally.operations[name];
    const each = stages.map(({ operations }) => operations[name]);
    const sums = Object.fromEntries(
      OUTCOMES.map((kind) => [kind, each.reduce((sum, { counts }) => sum + counts[kind], 0)]),
    );
    expect(sums as unknown as Counts).toEqual(measured);
    expect(each.reduce((sum, one) => sum + countOf(one.due), 0)).toBe(countOf(due));
  }
}

test('a spike, a reconnect storm and churn: every stage has its own counts, all players reconnect, nothing is lost', async () => {
  const workload = shaped({
    stages: [
      stage('hold', 1),
      stage('spike', 1, { rate: 3 }),
      stage('storm', 3, { reconnect: { sharePercent: 50 } }),
      stage('churn', 2, { rate: 0.5, over: seconds(1), churn: { perSecond: 10, away: seconds(0.2) } }),
    ],
  });
  const { servers, fleet, running } = await begin(workload, { commitAfter: 20 }, { workers: 2 });
  const storm = workload.timeline.stages?.[2];
  await sleep(100 + (storm?.start ?? 0) / 1e3 + 20);
  expect(await fleet.drop(50, 1, 2)).toBe(20);
  const { tally, seconds: emitted } = await running;
  const stages = tally.stages ?? [];
  expect(stages).toHaveLength(4);
  expectShares(tally, stages);
  for (const [i, timed] of (workload.timeline.stages ?? []).entries()) {
    const due = stages[i]?.operations.intent.counts.scheduled ?? 0;
    // Exact to less than two for each player.
    expect(Math.abs(due - 400 * operationalSeconds(timed))).toBeLessThan(80);
  }
  const [hold, spike, cut, churn] = stages;
  for (const quiet of [hold, spike]) {
    const nobody = { disconnects: 0, reconnects: 0, left: 0, joined: 0, cut: 0, fullStrength: null };
    expect(quiet).toMatchObject(nobody);
  }
  expect(cut).toMatchObject({ disconnects: 20, reconnects: 20, left: 0, cut: 20 });
  expect(countOf(cut!.reconnect)).toBe(20);
  expect(countOf(cut!.connect)).toBe(20);
  // Full strength is reached with the last reconnect.
  expect(cut?.fullStrength).toBeGreaterThan(30_000);
  expect(cut?.fullStrength).toBeGreaterThanOrEqual(cut!.reconnect.max - 20_000);
  expect(churn).toMatchObject({ disconnects: 0, reconnects: 0, cut: 0, fullStrength: null });
  expect(churn?.left).toBeGreaterThanOrEqual(18);
  expect(churn?.left).toBeLessThanOrEqual(20);
  expect(churn?.joined).toBeGreaterThanOrEqual(14);
  expect(tally).toMatchObject({ disconnects: 20, reconnects: 20, strayAnswers: 0, errors: [] });
  // The last players to leave had no time to join again.
  expect(emitted.at(-1)?.connected).toBeGreaterThanOrEqual(37);
  // Players leave after their last answer, so only operations of cut connections fail.
  expect(churn?.operations.intent.counts.failed).toBe(0);
  expect(findings(tally.ledger, servers)).toMatchObject(LOST_NOTHING);
  await fleet.close();
});

test('1, 2 and 3 workers have the same schedule', async () => {
  const workload = shaped({
    stages: [stage('a', 0.4, { rate: 2, over: seconds(0.2) }), stage('b', 0.4, { rate: 0.5 })],
    churn: { perSecond: 10, away: seconds(0.1) },
  });
  const hashes = new Set<string>();
  for (const workers of [1, 2, 3]) {
    const { tally } = await load(workload, {}, { workers });
    hashes.add(tally.scheduleHash);
    expectShares(tally, tally.stages ?? []);
  }
  expect(hashes.size).toBe(1);
});

test('stages with numbers of players: who joins connects, who leaves has all answers, and nothing is due for others', async () => {
  const workload = shaped({
    stages: [
      stage('few', 1, { players: 10 }),
      stage('all', 2),
      stage('half', 2, { players: 20 }),
      stage('again', 1, { players: 30 }),
    ],
  });
  const { tally, seconds: emitted, servers } = await load(workload, { commitAfter: 20 }, { workers: 2 });
  const stages = tally.stages ?? [];
  expectShares(tally, stages);
  for (const [i, timed] of (workload.timeline.stages ?? []).entries()) {
    const due = stages[i]?.operations.intent.counts.scheduled ?? 0;
    expect(Math.abs(due - 400 * operationalSeconds(timed, 40))).toBeLessThan(80);
  }
  expect(stages.reduce((sum, { left }) => sum + left, 0)).toBe(20);
  expect(stages.reduce((sum, { joined }) => sum + joined, 0)).toBe(40);
  expect(stages.map(({ disconnects, reconnects, cut }) => [disconnects, reconnects, cut])).toEqual(
    stages.map(() => [0, 0, 0]),
  );
  expect(Math.max(...emitted.map(({ connected }) => connected))).toBe(40);
  expect(emitted.at(-1)?.connected).toBe(30);
  const { failed, failedUnsent, unfinished } = tally.operations.intent.whole;
  expect([failed, failedUnsent, unfinished]).toEqual([0, 0, 0]);
  expect(tally).toMatchObject({ strayAnswers: 0, errors: [] });
  expect(findings(tally.ledger, servers)).toMatchObject(LOST_NOTHING);
});
