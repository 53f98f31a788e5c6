import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EXIT } from '../../src/errors.ts';
import { LOST_NOTHING, settled } from '../counts.ts';
import { REDIS } from '../real-redis.ts';
import { capbench, root } from './capbench.ts';
import { IS_SEEN, plateauOf, spreadOf, watchFromOutside } from './outside-view.ts';

/** Figures that do not depend on how fast the machine is. */
const EXACT = [
  'connected',
  'lost',
  'trades',
  'transfers',
  'out-of-band',
  'wrong-frames',
  'missing-patches',
  'wrong-sights',
  'judged-sights',
  'wrong-scores',
  'refused',
  'sessions-expire',
];

test.skipIf(REDIS === null)(
  'massless-small as shipped: places, trades and transfers are acknowledged, saved and counted, and so it is seen from outside',
  { timeout: 120_000 },
  async () => {
    const run = capbench(['run', join(root, 'scenarios', 'massless-small.yaml'), '--duration', '6s']);
    const views = await watchFromOutside(run, { server: 'massless-server', keys: 'session:*' });
    const { stdout } = await run.ends(EXIT.pass, EXIT.breached, EXIT.invalid);
    const { load, rulings, integrity, rules, ...report } = run.report();
    const states = new Map(rulings.map(({ id, state }) => [id, state]));
    expect(
      EXACT.map((id) => [id, states.get(id)]),
      stdout,
    ).toEqual(EXACT.map((id) => [id, 'met']));

    for (const counts of Object.values(load.operations)) {
      expect(settled(counts)).toBe(counts.scheduled);
      expect(counts).toMatchObject({ failed: 0, timedOut: 0, unfinished: 0 });
    }
    const { input, trade, zone } = load.wholeRun;
    expect(input!.ok).toBeGreaterThan(800);
    expect(trade!.ok).toBeGreaterThan(20);
    expect(zone!.ok).toBeGreaterThan(4);
    // What is refused leaves no trace.
    const acknowledged = input!.ok + trade!.ok + zone!.ok;
    expect(integrity).toMatchObject(LOST_NOTHING);
    expect(integrity).toMatchObject({ acked: acknowledged, applied: acknowledged, saved: trade!.ok });
    expect(rules.find(({ id }) => id === 'integrity')).toMatchObject({ state: 'held' });
    expect(rules.find(({ id }) => id === 'deliveries-complete')).toMatchObject({ state: 'held' });
    expect(rules.find(({ id }) => id === 'probes-gave-data')).toMatchObject({ observed: '6 of 6' });

    const { massless, player } = report as unknown as Record<
      'massless' | 'player',
      Record<string, { readonly mean: number; readonly total: number }>
    >;
    expect(massless).toMatchObject({ rooms: { mean: 2, min: 2, max: 2 }, skippedTicks: expect.any(Number) });
    expect(player.inSight?.mean).toBeGreaterThan(1);
    expect(player.patches?.total).toBeGreaterThan(400);
    const plateau = plateauOf(views, 40);
    expect(plateau.length > 5).toBe(IS_SEEN);
    if (IS_SEEN) {
      // A player that changes zones has two sockets for a moment, or none.
      expect(spreadOf(plateau, 'sockets').median).toBe(40);
      expect(spreadOf(plateau, 'keys').median).toBe(40);
    }
    expect(run.leftovers()).toEqual({ processes: [], files: [] });
  },
);
