import { expect, onTestFinished, test } from 'vitest';
import { countAbove, countOf, percentileOf } from '../../../src/histogram.ts';
import type { Workload } from '../../../src/scenario/workload.ts';
import { NullWorld } from '../../../src/systems/flux/null/server.ts';
import { fluxWorkload } from '../../../src/systems/flux/workload.ts';
import type { BothTally } from '../../load/a-workload.ts';
import { prepare, run } from '../../load/engine-room.ts';
import { portOf } from '../../loopback.ts';
import { commandsAt, intentsAt } from './capbench.ts';
import { DelayLine } from './delay-line.ts';
import { stall } from './delays.ts';

/** The native engine against the stall, for two of them: what is due while it lasts is counted from then. */
const OFFER = { rate: 200, seconds: 4 };

async function load(workload: Workload): Promise<{ tally: BothTally; line: DelayLine }> {
  const line = new DelayLine(stall());
  const { players } = workload;
  const { monsters } = fluxWorkload(workload);
  const world = new NullWorld({ instance: 1, instances: 1, players, monsters }, line.release);
  const url = `http://127.0.0.1:${await portOf(world.http)}`;
  onTestFinished(() => line.close());
  const endpoints = { worlds: [{ url, pid: null }], database: null };
  const fleet = await prepare(workload, endpoints, { workers: 1 });
  const { tally } = await run(fleet);
  await fleet.close();
  return { tally, line };
}

test.each([
  ['intents over WebSocket', 'intent', intentsAt],
  ['commands over HTTP', 'monsterCommand', commandsAt],
] as const)(
  '%s: every operation that a stall delays is counted with its delay',
  async (_name, operation, workloadAt) => {
    const workload = workloadAt(OFFER);
    const { tally, line } = await load(workload);
    const { measured, whole, due } = tally.operations[operation];
    expect(tally.errors).toEqual([]);
    // Open: as many were sent as came due, stalls or no stalls; but for what a busy host kept for over a second.
    expect(whole.ok + whole.skipped).toBe(whole.scheduled);
    expect(countOf(line.taken.toData())).toBe(whole.ok);
    expect(Math.abs(measured.scheduled - OFFER.rate * OFFER.seconds)).toBeLessThanOrEqual(1);
    expect(countOf(due)).toBe(measured.ok);
    // A tenth of them waited. Who waits for one answer before asking again sees one or two that did.
    expect(countAbove(due, 20_000)).toBeGreaterThan(0.05 * measured.ok);
    expect(percentileOf(due, 99)).toBeGreaterThan(100_000);
  },
);
