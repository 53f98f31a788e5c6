import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EXIT } from '../../src/errors.ts';
import { ofOperation } from '../../src/scenario/operations.ts';
import { OPERATIONS } from '../../src/systems/flux/scenario.ts';
import { LOST_NOTHING, settled } from '../counts.ts';
import { capbench } from './capbench.ts';

const scenario = join(import.meta.dirname, 'shaped.yaml');

test('a spike, churn, a reconnect storm and fewer players: each stage has its own rulings, all players reconnect, nothing is lost', {
  timeout: 120_000,
}, async () => {
  const run = capbench(['run', scenario]);
  // One budget of the storm cannot be met, which affects no other.
  const { stdout } = await run.ends(EXIT.breached);
  const report = run.report();
  const { rulings, stages, faults, integrity, rules, load, invalidBecause } = report;
  expect(invalidBecause).toEqual([]);
  expect(rulings.map(({ id, state, stage }) => [id, state, stage])).toEqual([
    ['spike-due', 'met', 'spike'],
    ['spike-p95', 'met', 'spike'],
    ['churn-left', 'met', 'churn'],
    ['storm-cut', 'met', 'storm'],
    ['storm-connect', 'met', 'storm'],
    ['storm-full', 'met', 'storm'],
    ['impossible', 'breached', 'storm'],
    ['a-player', 'met', undefined],
    ['lost', 'met', undefined],
  ]);
  expect(rulings.at(-3)?.title).toBe('storm: network.fullStrengthMs');

  expect(stages.map(({ name, from, to }) => [name, from, to])).toEqual([
    ['hold', 1, 3],
    ['spike', 3, 6],
    ['churn', 6, 9],
    ['storm', 9, 14],
    ['after', 14, 16],
    ['half', 16, 18],
    ['third', 18, 20],
  ]);
  for (const { id } of OPERATIONS) {
    const { scheduled } = ofOperation(load.operations, id);
    const parts = stages.map((stage) => ofOperation(stage.load.operations, id));
    expect(parts.reduce((sum, part) => sum + part.scheduled, 0)).toBe(scheduled);
    for (const part of parts) expect(settled(part)).toBe(part.scheduled);
  }
  const [hold, , churn, storm, after, half, third] = stages;
  for (const quiet of [hold, after])
    expect(quiet?.network).toMatchObject({ left: 0, disconnects: 0, cut: 0 });
  expect(churn?.network).toMatchObject({ disconnects: 0, cut: 0 });
  // Full strength counts from the cut and includes players that had just left by churn.
  expect(storm?.network.disconnects).toBe(storm?.network.cut);
  expect(storm?.network.reconnects).toBe(storm?.network.cut);
  expect(storm?.network.connectMs.count).toBeGreaterThanOrEqual(storm?.network.cut ?? Number.NaN);
  expect(faults.map(({ id, dropped, error }) => [id, dropped, error])).toEqual([
    ['cut-storm', storm?.network.cut, null],
  ]);
  expect(run.measurements().series['load.connected']?.points.at(-1)?.[1]).toBe(100);
  // Of the 300, who leave in order after their last answers.
  expect([half, third].map((stage) => [stage?.players, stage?.network.left])).toEqual([
    [150, 150],
    [100, 50],
  ]);
  expect(report.perPlayer.memoryBytes.points).toBe(7);
  expect(report.perPlayer.memoryBytes.slope).toEqual(expect.any(Number));
  expect(integrity).toMatchObject(LOST_NOTHING);
  expect(rules.filter(({ state }) => state === 'broken')).toEqual([]);
  const measured = { state: 'held', observed: '7 of 7' };
  expect(rules.find(({ id }) => id === 'stages-measured')).toMatchObject(measured);
  expect(run.leftovers()).toEqual({ processes: [], files: [] });

  expect(stdout).toMatch(/ms +at, s[\s\S]*spike[\s\S]*cut off, full strength after/);
  expect(run.read('report.html')).toContain('<h2>Stages</h2>');
  expect(run.read('report.html')).toContain('Memory by players');
  expect(run.read('summary.md')).toContain('| spike | 3 | 300 | 3x |');
  // Judging again from only the facts gives the same result.
  const reported = await capbench(['report', join(run.out, 'latest'), '--json']).ends(EXIT.breached);
  expect(JSON.parse(reported.stdout).stages).toEqual(JSON.parse(JSON.stringify(stages)));
});
