import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EXIT } from '../../src/errors.ts';
import { ofOperation } from '../../src/scenario/operations.ts';
import { LOST_NOTHING, settled } from '../counts.ts';
import { REDIS } from '../real-redis.ts';
import { capbench, root } from './capbench.ts';
import { IS_SEEN, plateauOf, spreadOf, watchFromOutside } from './outside-view.ts';

/** Figures that do not depend on how fast the machine is. */
const EXACT = ['connected', 'lost', 'unheard', 'frames', 'saves'];

test.skipIf(REDIS === null)(
  'mud-small as shipped: everything is answered, heard, saved and counted, and so it is seen from outside',
  {
    timeout: 120_000,
  },
  async () => {
    const run = capbench(['run', join(root, 'scenarios', 'mud-small.yaml'), '--duration', '5s']);
    const views = await watchFromOutside(run, { server: 'mud-server', keys: 'player:*:session' });
    const { stdout } = await run.ends(EXIT.pass, EXIT.breached, EXIT.invalid);
    const { load, rulings, integrity, delivery, rules, ...report } = run.report();
    const states = new Map(rulings.map(({ id, state }) => [id, state]));
    expect(
      EXACT.map((id) => [id, states.get(id)]),
      stdout,
    ).toEqual(EXACT.map((id) => [id, 'met']));

    const counts = ofOperation(load.operations, 'command');
    expect(counts.scheduled).toBeGreaterThan(250);
    expect(settled(counts)).toBe(counts.scheduled);
    expect(counts).toMatchObject({ failed: 0, timedOut: 0, unfinished: 0 });
    const { ok, rejected } = ofOperation(load.wholeRun, 'command');

    // At the end only the rows count.
    expect(integrity).toMatchObject(LOST_NOTHING);
    expect(integrity).toMatchObject({ sent: ok + rejected, acked: ok + rejected, applied: ok + rejected });
    expect(rules.find(({ id }) => id === 'integrity')).toMatchObject({ state: 'held' });
    expect(rules.find(({ id }) => id === 'probes-gave-data')).toMatchObject({ observed: '7 of 7' });

    expect(delivery?.expected).toBeGreaterThan(50);
    expect(delivery).toMatchObject({ delivered: delivery?.expected, lost: 0, duplicated: 0, unexpected: 0 });

    const { mud, redis } = report as unknown as Record<'mud' | 'redis', Record<string, number>>;
    expect(mud).toMatchObject({
      ...{
        keysPerPlayer: 3,
        globalKeys: 4,
        keysWithoutTtl: 0,
        userChannels: 60,
        roomChannels: 3,
        otherChannels: 0,
      },
      ...{ degradedCommands: 0, unavailableCommands: 0, breakerOpened: 0 },
    });
    expect(redis.operationsPerSecond).toBeGreaterThan(0);
    // The kernel's sockets of the players, and their sessions in Redis.
    const sixty = { mean: 60, min: 60, max: 60 };
    expect([report.network.connections, report.world.connections]).toEqual([sixty, sixty]);
    const plateau = plateauOf(views, 60);
    expect(plateau.length > 5).toBe(IS_SEEN);
    if (IS_SEEN) {
      expect(spreadOf(plateau, 'sockets')).toEqual({ median: 60, max: 60 });
      expect(spreadOf(plateau, 'keys').median).toBe(60);
    }
    expect(run.leftovers()).toEqual({ processes: [], files: [] });
  },
);
