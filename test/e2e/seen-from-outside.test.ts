import { platform } from 'node:os';
import { describe, expect, test } from 'vitest';
import { redisPath } from '../../src/stack/redis-program.ts';
import { settled } from '../counts.ts';
import { capbench } from './capbench.ts';
import { type OutsideView, watchFromOutside } from './outside-view.ts';

/** The two small worlds with Redis, once each: what the kernel and Redis show of a run is what its report says. */

const isHere = platform() === 'linux' && (await redisPath(process.env)) !== null;

/** Without the beginning and the end, in which players connect and leave. */
function plateauOf(views: readonly OutsideView[], players: number): readonly OutsideView[] {
  const full = views.map(({ sockets }) => sockets === players);
  return views.slice(full.indexOf(true), full.lastIndexOf(true) + 1);
}

const medianOf = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const RUN = ['--quiet', '--set', 'calibration.seconds=0', '--set', 'calibration.canary=false'];

describe.skipIf(!isHere)(`seen from outside${isHere ? '' : ' (no Redis here)'}`, () => {
  test('quiz-small: sockets of players, and matches in Redis', { timeout: 180_000 }, async () => {
    const run = capbench(['run', 'quiz-small', ...RUN]);
    const views = await watchFromOutside(run, { server: 'quiz-server', keys: 'match:*' });
    // However slow the machine is: a verdict on speed may be any, and nothing that was acknowledged is lost.
    await run.ends(0, 90, 99);
    const report = run.report() as ReturnType<typeof run.report> & {
      readonly quiz: { readonly activeMatches: { readonly mean: number }; readonly peakMatches: number };
    };
    const plateau = plateauOf(views, 40);
    expect(plateau.length).toBeGreaterThan(5);
    expect(new Set(plateau.map(({ sockets }) => sockets))).toEqual(new Set([40]));
    expect(report.network.connections).toEqual({ mean: 40, min: 40, max: 40 });
    expect(report.world.connections).toEqual({ mean: 40, min: 40, max: 40 });
    // A match is in Redis a moment longer than it counts as one in progress.
    expect(report.quiz.peakMatches).toBe(20);
    const inRedis = medianOf(plateau.map(({ keys }) => keys));
    expect(Math.abs(inRedis - report.quiz.activeMatches.mean)).toBeLessThanOrEqual(2);
    const { sent, acked, lost, phantom, duplicated } = report.integrity;
    expect({ lost, phantom, duplicated }).toEqual({ lost: 0, phantom: 0, duplicated: 0 });
    const counts = Object.values(report.load.wholeRun);
    for (const one of counts) expect(settled(one)).toBe(one.scheduled);
    expect(acked).toBeGreaterThan(300);
    expect(sent).toBeGreaterThanOrEqual(acked ?? 0);
    expect(run.leftovers()).toEqual({ processes: [], files: [] });
  });

  test('mud-small: sockets of players, and their sessions in Redis', { timeout: 180_000 }, async () => {
    const run = capbench(['run', 'mud-small', ...RUN]);
    const views = await watchFromOutside(run, { server: 'mud-server', keys: 'player:*:session' });
    await run.ends(0, 90, 99);
    const report = run.report();
    const plateau = plateauOf(views, 60);
    expect(plateau.length).toBeGreaterThan(5);
    expect(new Set(plateau.map(({ sockets }) => sockets))).toEqual(new Set([60]));
    expect(report.network.connections).toEqual({ mean: 60, min: 60, max: 60 });
    expect(report.world.connections).toEqual({ mean: 60, min: 60, max: 60 });
    expect(medianOf(plateau.map(({ keys }) => keys))).toBe(60);
    const { lost, phantom, duplicated } = report.integrity;
    expect({ lost, phantom, duplicated }).toEqual({ lost: 0, phantom: 0, duplicated: 0 });
    for (const one of Object.values(report.load.wholeRun)) expect(settled(one)).toBe(one.scheduled);
    expect(run.leftovers()).toEqual({ processes: [], files: [] });
  });
});
