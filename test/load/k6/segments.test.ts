import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { deploymentOf, testRun } from '../../../src/export/k8s/deployment.ts';
import { judge } from '../../../src/judge/verdict.ts';
import { figuresOf } from '../../../src/measurement/figures-of.ts';
import { k6Measurements } from '../../../src/measurement/k6-measurements.ts';
import { readK6Summary } from '../../../src/measurement/k6-summary.ts';
import { fluxK6 } from '../../../src/systems/flux/k6/system.ts';
import { plannedHash } from '../../systems/flux/planned-hash.ts';
import { serve } from '../engine-room.ts';
import { installedK6 } from './installed.ts';
import { exported, k6Run, tenPlayers } from './plain-run.ts';
import { fluxWorkloadOf, perRequestOf } from './script-parts.ts';

const RUNNERS = 3;
const SEQUENCE = '0,1/3,2/3,1';
const SEGMENTS = ['0:1/3', '1/3:2/3', '2/3:1'];

// Other tests keep the machine busy at the same time.
const scenario = tenPlayers('60, unit: s', 'rules: { generatorLagMs: 10000 }');

describe.skipIf(installedK6 === null)('the exported script on several runners', () => {
  test('with the arguments of the TestRun and the segments of the operator, each player is played once, and the summaries give one verdict', {
    timeout: 60_000,
  }, async () => {
    const workload = fluxWorkloadOf(scenario);
    const { endpoints, servers } = await serve(workload, {}, 2);
    const targets = endpoints.worlds.map(({ url }) => url);
    const folder = exported(scenario);
    const manifest = testRun(
      deploymentOf(scenario.name, fluxK6, workload, {
        ...{ namespace: 'default', parallelism: RUNNERS, targets, prometheus: 'http://127.0.0.1:1' },
      }),
    );
    // All arguments except the output, which nothing receives here.
    const given = parse(manifest).spec.arguments.replace('--out experimental-prometheus-rw ', '').split(' ');
    const outputs = await Promise.all(
      SEGMENTS.map(async (segment) => {
        const dealt = ['--execution-segment', segment, '--execution-segment-sequence', SEQUENCE];
        const { code, stdout, stderr } = await k6Run(folder, [...dealt, ...given]);
        expect(code, stdout + stderr).toBe(0);
        return stdout;
      }),
    );
    const summaries = outputs.map((out, index) => {
      const line = out.split('\n').find((one) => one.startsWith('{"capbench"')) ?? '';
      return readK6Summary(`runner ${index}`, line, perRequestOf(scenario));
    });
    for (const { totals } of summaries) expect(totals.connected).toBeGreaterThan(0);
    const facts = k6Measurements(summaries, scenario, '0');
    const figures = figuresOf(facts, scenario);
    const { exitCode, rulings, invalidBecause } = judge(facts, scenario, figures);
    expect(invalidBecause).toEqual([]);
    expect(exitCode).toBe(0);
    expect(rulings.map(({ state }) => state)).toEqual(['met', 'met']);
    expect(figures.load.peakCcu).toBe(10);
    const ranges = [
      { from: 0, to: 30 },
      { from: 30, to: 60 },
    ];
    expect(facts.scheduleHash).toBe(plannedHash(workload, ranges));
    // The numbers of each player are dense, so no other runner used them.
    const numbers = new Map(servers.flatMap(({ received }) => [...received]));
    for (let player = 0; player < 10; player++) {
      const own = numbers.get(player) ?? [];
      expect(own.length).toBeGreaterThan(0);
      expect(own).toEqual(own.map((_, index) => index + 1));
    }
    const commands = [...numbers].flatMap(([entity, own]) => (entity < 10 ? [] : own)).length;
    const { intent, monsterCommand } = figures.load.wholeRun;
    expect(commands).toBe(monsterCommand?.scheduled);
    expect([...numbers].flatMap(([entity, own]) => (entity < 10 ? own : [])).length).toBe(intent?.scheduled);
  });
});
