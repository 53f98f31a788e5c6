import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EXIT } from '../../src/errors.ts';
import { LOST_NOTHING, settled } from '../counts.ts';
import { REDIS } from '../real-redis.ts';
import { capbench, root } from './capbench.ts';
import { IS_SEEN, plateauOf, spreadOf, watchFromOutside } from './outside-view.ts';

/** Figures that do not depend on how fast the machine is. */
const EXACT = ['matches', 'abandoned', 'lost', 'workers'];
/** Of each of a match's two players. */
const QUESTIONS = 10;

test.skipIf(REDIS === null)(
  'quiz-small as shipped: every match is played to its end, and what was acknowledged is stored once, and so it is seen from outside',
  { timeout: 120_000 },
  async () => {
    const run = capbench(['run', join(root, 'scenarios', 'quiz-small.yaml'), '--duration', '6s']);
    const views = await watchFromOutside(run, { server: 'quiz-server', keys: 'match:*' });
    const { stdout } = await run.ends(EXIT.pass, EXIT.breached, EXIT.invalid);
    const { load, rulings, integrity, rules, ...report } = run.report();
    const states = new Map(rulings.map(({ id, state }) => [id, state]));
    expect(
      EXACT.map((id) => [id, states.get(id)]),
      stdout,
    ).toEqual(EXACT.map((id) => [id, 'met']));

    const { create, join: joined, ready, answer } = load.wholeRun;
    const all = [create!, joined!, ready!, answer!];
    for (const counts of Object.values(load.operations)) {
      expect(settled(counts)).toBe(counts.scheduled);
      expect(counts).toMatchObject({ failed: 0, timedOut: 0, unfinished: 0, rejected: 0 });
    }
    // Who has created a match waits for one player to join it, and for two to be ready.
    expect(create!.ok).toBeGreaterThanOrEqual(20);
    expect(create!.ok - joined!.ok).toBeGreaterThanOrEqual(0);
    expect(create!.ok - joined!.ok).toBeLessThanOrEqual(20);
    expect(ready!.ok).toBeLessThanOrEqual(2 * joined!.ok);
    expect(answer!.ok).toBeLessThanOrEqual(QUESTIONS * ready!.ok);

    const acknowledged = all.reduce((sum, { ok }) => sum + ok, 0);
    expect(integrity).toMatchObject(LOST_NOTHING);
    expect(integrity).toMatchObject({ sent: acknowledged, acked: acknowledged, applied: acknowledged });
    // A finished match was saved with all of its operations.
    const { quiz } = report as unknown as {
      readonly quiz: { readonly matchesCompleted: number; readonly activeMatches: { readonly mean: number } };
    };
    const ofMatch = 2 * (2 + QUESTIONS);
    // One that is committed as the run ends is in the rows, and nobody waits to be told.
    const { saved = 0, unreported = 0 } = run.measurements().integrity ?? {};
    expect(saved + unreported).toBeGreaterThanOrEqual(ofMatch * quiz.matchesCompleted);
    expect(saved % ofMatch).toBe(0);
    expect(rules.find(({ id }) => id === 'integrity')).toMatchObject({ state: 'held' });
    expect(rules.find(({ id }) => id === 'probes-gave-data')).toMatchObject({ observed: '4 of 4' });
    // The kernel's sockets of the players, and the matches in Redis, where they are a moment longer than they are in progress.
    const forty = { mean: 40, min: 40, max: 40 };
    expect([report.network.connections, report.world.connections]).toEqual([forty, forty]);
    const plateau = plateauOf(views, 40);
    expect(plateau.length > 5).toBe(IS_SEEN);
    if (IS_SEEN) {
      expect(spreadOf(plateau, 'sockets')).toEqual({ median: 40, max: 40 });
      const difference = spreadOf(plateau, 'keys').median - quiz.activeMatches.mean;
      expect(Math.abs(difference), `${difference} more matches in Redis`).toBeLessThanOrEqual(2);
    }
    expect(run.leftovers()).toEqual({ processes: [], files: [] });
  },
);
