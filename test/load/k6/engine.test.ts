import { kill } from 'node:process';
import { describe, expect, test } from 'vitest';
import { monotonic } from '../../../src/clock.ts';
import { countOf } from '../../../src/histogram.ts';
import type { LoadSecond, ReadyFleet } from '../../../src/load/engine.ts';
import { createK6Engine } from '../../../src/load/k6/engine.ts';
import { ofOperation } from '../../../src/scenario/operations.ts';
import type { Workload } from '../../../src/scenario/workload.ts';
import type { Endpoints } from '../../../src/stack/stack.ts';
import { dealWorlds } from '../../../src/systems/flux/deal.ts';
import { fluxK6 } from '../../../src/systems/flux/k6/system.ts';
import { settled } from '../../counts.ts';
import { minimal, read } from '../../scenario/scenario-text.ts';
import { workloadWith } from '../a-workload.ts';
import { failureOf, isAlive, load, serve, theWatchdog } from '../engine-room.ts';
import { figuresOf } from '../ledger-figures.ts';
import { installedK6 } from './installed.ts';
import { scriptOf } from './script-parts.ts';

const scenario = read(minimal('  intentsPerSecond: 10\n'));

const prepare = (
  workload: Workload,
  at: Endpoints,
  signal = new AbortController().signal,
): Promise<ReadyFleet> => {
  if (installedK6 === null) throw new Error('there is no k6');
  return createK6Engine({
    ...{ k6: installedK6, system: fluxK6, deal: dealWorlds, watchdog: theWatchdog() },
    script: (load, urls) => scriptOf(scenario, urls, load),
  }).prepare(workload, at, signal);
};
const goOf = (fleet: ReadyFleet) => {
  if (fleet.go === null) throw new Error('k6 fixes GO itself');
  return fleet.go;
};

describe.skipIf(installedK6 === null)('the k6 engine', () => {
  test('makes the same load as the native engine, and reports all of it', { timeout: 60_000 }, async () => {
    const workload = workloadWith({ players: 12, intentRate: 5, ramp: 0.5, warmUp: 0.5, duration: 2 });
    const { servers, endpoints } = await serve(workload, {}, 2);
    const fleet = await prepare(workload, endpoints);
    expect(fleet.connect).toMatchObject({ connected: 12, failed: 0 });
    expect(countOf(fleet.connect.connect)).toBe(12);
    const seconds: LoadSecond[] = [];
    const tally = await fleet.run(goOf(fleet), (second) => seconds.push(second));
    await fleet.close();
    await fleet.close();
    expect(fleet.workerPids.filter(isAlive)).toEqual([]);
    const native = await load(workload, {}, { instances: 2 });

    expect(tally.scheduleHash).toBe(native.tally.scheduleHash);
    expect(tally.endedAt).toBe(3e6);
    for (const [name, theirs] of Object.entries(tally.operations)) {
      const ours = ofOperation(native.tally.operations, name);
      for (const scope of ['whole', 'measured'] as const) {
        expect(theirs[scope]).toEqual({ ...ours[scope] });
        expect(theirs[scope].ok + theirs[scope].rejected).toBe(theirs[scope].scheduled);
      }
      const answered = theirs.measured.ok + theirs.measured.rejected;
      for (const kind of ['due', 'service', 'lag', 'ownLag'] as const)
        expect(countOf(theirs[kind])).toBe(answered);
      expect(theirs.rejected && countOf(theirs.rejected)).toBe(theirs.measured.rejected);
      // The seconds hold the whole run, and so do the slices.
      const sum = (figure: (second: LoadSecond) => number): number =>
        seconds.reduce((total, second) => total + figure(second), 0);
      expect(sum(({ operations }) => ofOperation(operations, name).scheduled)).toBe(theirs.whole.scheduled);
      expect(sum(({ operations }) => ofOperation(operations, name).ok)).toBe(theirs.whole.ok);
      expect(
        sum(({ slices }) =>
          slices.reduce((total, { operations }) => total + ofOperation(operations, name).answered, 0),
        ),
      ).toBe(theirs.whole.ok + theirs.whole.rejected);
    }
    expect(seconds.map(({ at }) => at).slice(0, 3)).toEqual([1e6, 2e6, 3e6]);
    expect(seconds.slice(0, 3).map(({ connected }) => connected)).toEqual([12, 12, 12]);
    expect(seconds[1]?.workers).toMatchObject([{ pid: fleet.workerPids[0] }]);
    expect(seconds[1]?.workers[0]).not.toHaveProperty('utilisation');
    expect(tally).toMatchObject({ disconnects: 0, strayAnswers: 0, errors: [] });
    expect(tally).not.toHaveProperty('ledgerLost');

    // The ledger equals that of the native engine, and what the servers received.
    const [ours, theirs] = [native.tally, tally].map(({ ledger }) => figuresOf(ledger));
    for (const figure of ['sentN', 'sentSum', 'sentMax', 'ackedSum'] as const)
      expect(theirs?.[figure]).toEqual(ours?.[figure]);
    expect(tally.framesIn).toBeGreaterThan(0);
    // Where a player goes depends on the last answer, so one that comes late changes a text by a few letters.
    expect(Math.abs(tally.bytesOut - native.tally.bytesOut)).toBeLessThan(0.01 * native.tally.bytesOut);
    expect(servers.flatMap(({ texts }) => texts)).toHaveLength(
      ofOperation(tally.operations, 'intent').whole.scheduled,
    );
  });

  test('stopped early, accounts for everything that was due until then', { timeout: 60_000 }, async () => {
    const workload = workloadWith({ players: 6, intentRate: 10, duration: 30 });
    const { endpoints } = await serve(workload);
    const fleet = await prepare(workload, endpoints);
    const go = goOf(fleet);
    const seconds: LoadSecond[] = [];
    const tally = await fleet.run(go, (second) => {
      seconds.push(second);
      fleet.stop();
      fleet.stop();
    });
    await fleet.close();
    expect(tally.endedAt).toBeGreaterThan(1e6);
    expect(tally.endedAt).toBeLessThan(20e6);
    const planned = fluxK6.plannedUntil(workload, tally.endedAt);
    for (const [name, { whole }] of Object.entries(tally.operations)) {
      expect(settled(whole)).toBe(whole.scheduled);
      expect(whole.scheduled).toBeGreaterThanOrEqual(ofOperation(planned, name).whole);
      expect(whole.ok).toBeGreaterThan(0);
    }
    expect(tally.scheduleHash).toBe('incomplete');
    expect(tally.ledgerLost).toContain('only 0 of 14 virtual users');
    expect(tally.errors.join()).toContain('the rows were not checked');
    expect(fleet.workerPids.filter(isAlive)).toEqual([]);
  });

  test('is named in the error when k6 is killed: 93', { timeout: 60_000 }, async () => {
    const workload = workloadWith({ players: 4 });
    const { endpoints } = await serve(workload);
    const fleet = await prepare(workload, endpoints);
    const [pid = 0] = fleet.workerPids;
    const failure = failureOf(fleet.run(goOf(fleet), () => undefined));
    kill(pid, 'SIGKILL');
    expect(await failure).toMatchObject({
      exitCode: 93,
      message: `k6 (process ${pid}) ended during the run: killed by SIGKILL`,
    });
    await fleet.close();
    expect(isAlive(pid)).toBe(false);
  });

  test('refuses a world that differs from the workload, and stops when it is aborted', {
    timeout: 60_000,
  }, async () => {
    const workload = workloadWith({ players: 4 });
    const { endpoints } = await serve(workloadWith({ players: 5 }));
    expect(await failureOf(prepare(workload, endpoints))).toMatchObject({ exitCode: 93 });

    const right = await serve(workload);
    const abort = new AbortController();
    const stopped = failureOf(prepare(workload, right.endpoints, abort.signal));
    const begun = monotonic();
    setTimeout(() => abort.abort(), 300);
    expect(await stopped).toMatchObject({ exitCode: 105 });
    expect(monotonic() - begun).toBeLessThan(30e6);
  });
});
