import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EXIT } from '../../src/errors.ts';
import { LOST_NOTHING, settled } from '../counts.ts';
import { capbench, root } from './capbench.ts';
import { IS_SEEN, plateauOf, spreadOf, watchFromOutside } from './outside-view.ts';

/** Figures that do not depend on how fast the machine is. */
const EXACT = ['connected', 'lost', 'unheard', 'heard-twice', 'unexpected', 'wrong-frames', 'SHR-060'];
const KINDS = ['move', 'chat', 'emote'] as const;

test('realm-10 as shipped: everything is answered, heard once by everybody, and at the relay; and so it is seen from outside', {
  timeout: 120_000,
}, async () => {
  const run = capbench(['run', join(root, 'scenarios', 'realm-10.yaml'), '--duration', '6s']);
  const views = await watchFromOutside(run, { server: 'realm-server', keys: null });
  const { stdout } = await run.ends(EXIT.pass, EXIT.breached, EXIT.invalid);
  const { load, rulings, integrity, delivery, rules, ...report } = run.report();
  const states = new Map(rulings.map(({ id, state }) => [id, state]));
  expect(
    EXACT.map((id) => [id, states.get(id)]),
    stdout,
  ).toEqual(EXACT.map((id) => [id, 'met']));

  for (const kind of KINDS) {
    const counts = load.operations[kind]!;
    expect(settled(counts)).toBe(counts.scheduled);
    expect(counts).toMatchObject({ failed: 0, timedOut: 0, unfinished: 0 });
  }
  const answered = KINDS.reduce((sum, kind) => {
    const { ok, rejected } = load.wholeRun[kind]!;
    return sum + ok + rejected;
  }, 0);
  expect(answered).toBeGreaterThan(100);

  // At the end only the relay counts.
  expect(integrity).toMatchObject(LOST_NOTHING);
  expect(integrity).toMatchObject({ sent: answered, acked: answered, applied: answered });
  expect(rules.find(({ id }) => id === 'integrity')).toMatchObject({ state: 'held' });
  expect(rules.find(({ id }) => id === 'saves-reported')).toMatchObject({ state: 'held' });
  expect(rules.find(({ id }) => id === 'probes-gave-data')).toMatchObject({ observed: '4 of 4' });

  // Each chat and each emote to each of the nine others.
  const said = load.operations.chat!.ok + load.operations.emote!.ok;
  expect(said).toBeGreaterThan(5);
  expect(delivery).toMatchObject({ expected: 9 * said, delivered: 9 * said, lost: 0, excused: 0 });

  const { realm } = report as unknown as { readonly realm: Readonly<Record<string, number>> };
  expect(realm.syncFailures).toBe(0);
  for (const name of ['thinkPercent', 'updatePercent', 'signedEventsPerSecond', 'bytesOutPerSecond'])
    expect([name, (realm[name] ?? 0) > 0]).toEqual([name, true]);

  // What the worlds count is what went through the sockets of the agents, but for the two seconds at the ends of ten.
  const received = 10 * (report.network.bytesPerPlayerSecondIn ?? 0);
  expect(Math.abs((realm.bytesOutPerSecond ?? 0) / received - 1)).toBeLessThan(0.25);

  // And the kernel, of the very same connections: what is on its way at the two readings aside.
  if (IS_SEEN) {
    const { seenPercent, disagreePercentIn, disagreePercentOut } = report.network.kernel;
    expect(seenPercent).toBe(100);
    for (const percent of [disagreePercentIn, disagreePercentOut]) expect(percent ?? 100).toBeLessThan(10);
  }

  const ten = { mean: 10, min: 10, max: 10 };
  expect([report.network.connections, report.world.connections]).toEqual([ten, ten]);
  const plateau = plateauOf(views, 10);
  expect(plateau.length > 5).toBe(IS_SEEN);
  if (IS_SEEN) expect(spreadOf(plateau, 'sockets')).toEqual({ median: 10, max: 10 });
  expect(run.leftovers()).toEqual({ processes: [], files: [] });
});
