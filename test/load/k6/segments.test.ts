import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { runCli } from '../../../src/cli.ts';
import { deploymentOf, testRun } from '../../../src/export/k8s/deployment.ts';
import { bucketEnd } from '../../../src/load/k6/buckets.ts';
import { trendOf } from '../../../src/load/k6/metrics.ts';
import type { K6Report } from '../../../src/report/report.ts';
import { writeScenario } from '../../../src/scenario/resolved.ts';
import { fluxK6 } from '../../../src/systems/flux/k6/system.ts';
import { fluxScenario } from '../../../src/systems/flux/scenario.ts';
import { memoryHost } from '../../memory-host.ts';
import { load, serve } from '../engine-room.ts';
import { installedK6 } from './installed.ts';
import { exported, k6Run, tenPlayers } from './plain-run.ts';
import { fluxWorkloadOf } from './script-parts.ts';

const RUNNERS = 3;
const SEQUENCE = '0,1/3,2/3,1';
const SEGMENTS = ['0:1/3', '1/3:2/3', '2/3:1'];

// Other tests keep the machine busy at the same time.
const scenario = tenPlayers('60, unit: s', 'rules: { generatorLagMs: 10000 }');

/** From 0 to 1.2 s, most of them short: some are in buckets of 1 ms, and some in wider ones. */
const commitAfter = (entity: number, seq: number): number =>
  1.2e-3 * ((entity * 7919 + seq * 104_729) % 100) ** 3;

const SOURCES = ['due', 'service', 'lag'] as const;
const PERCENTILES = { p50: 50, p90: 90, p95: 95, p99: 99 } as const;

/** Every value of a trend, from what k6 itself wrote (`--out json`). */
const rawValues = (file: string, trend: string): number[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.includes(`"metric":"${trend}"`) && line.includes('"type":"Point"'))
    .map((line) => (JSON.parse(line) as { data: { value: number } }).data.value);

describe.skipIf(installedK6 === null)('the exported script on several runners', () => {
  test('each player is played once, and the summaries make one verdict, with the percentiles of all values and the hash of the native engine', {
    timeout: 60_000,
  }, async () => {
    const workload = fluxWorkloadOf(scenario);
    const { endpoints, servers } = await serve(workload, { commitAfter }, 2);
    const targets = endpoints.worlds.map(({ url }) => url);
    const folder = exported(scenario);
    const manifest = testRun(
      deploymentOf(scenario.name, fluxK6, workload, {
        ...{ namespace: 'default', parallelism: RUNNERS, targets, prometheus: 'http://127.0.0.1:1' },
      }),
    );
    // All arguments except the output, which nothing receives here.
    const given = parse(manifest).spec.arguments.replace('--out experimental-prometheus-rw ', '').split(' ');
    const native = load(workload, {}, { instances: 2 });
    await Promise.all(
      SEGMENTS.map(async (segment, index) => {
        const dealt = ['--execution-segment', segment, '--execution-segment-sequence', SEQUENCE];
        const raw = ['--out', `json=raw-${index}.json`];
        const { code, stdout, stderr } = await k6Run(folder, [...dealt, ...raw, ...given]);
        expect(code, stdout + stderr).toBe(0);
        const summary = stdout.split('\n').find((line) => line.startsWith('{"capbench"')) ?? '';
        writeFileSync(join(folder, `summary-${index}.json`), summary);
      }),
    );
    writeFileSync(join(folder, 'world.yaml'), writeScenario(scenario, fluxScenario));
    const files = SEGMENTS.map((_, index) => `summary-${index}.json`);
    const host = memoryHost(['report', '--scenario', './world.yaml', '--json', '--from-k6', ...files], {
      cwd: folder,
    });
    expect(await runCli(host), host.err()).toBe(0);
    const report = JSON.parse(host.out()) as K6Report;

    expect(report.invalidBecause).toEqual([]);
    expect(report.rulings.map(({ state }) => state)).toEqual(['met', 'met']);
    expect(report.load.peakCcu).toBe(10);
    expect(report.scheduleHash).toBe((await native).tally.scheduleHash);
    for (const operation of ['intent', 'monsterCommand'] as const) {
      for (const source of SOURCES) {
        const trend = trendOf(operation, source);
        const each = SEGMENTS.map((_, index) => rawValues(join(folder, `raw-${index}.json`), trend));
        for (const values of each) expect(values.length).toBeGreaterThan(0);
        const all = each.flat().sort((a, b) => a - b);
        const reported = report.latency[operation]?.[source];
        for (const [name, percent] of Object.entries(PERCENTILES)) {
          const value = all[Math.ceil((percent / 100) * all.length) - 1] ?? Number.NaN;
          const expected = Math.min(bucketEnd(value), all.at(-1) ?? Number.NaN);
          expect(reported?.[name as keyof typeof PERCENTILES], `${trend} ${name}`).toBe(expected);
        }
      }
    }

    // Each player is in one process: its numbers are dense.
    const numbers = new Map(servers.flatMap(({ received }) => [...received]));
    for (let player = 0; player < 10; player++) {
      const own = numbers.get(player) ?? [];
      expect(own.length).toBeGreaterThan(0);
      expect(own).toEqual(own.map((_, index) => index + 1));
    }
    const commands = [...numbers].flatMap(([entity, own]) => (entity < 10 ? [] : own)).length;
    const { intent, monsterCommand } = report.load.wholeRun;
    expect(commands).toBe(monsterCommand?.scheduled);
    expect([...numbers].flatMap(([entity, own]) => (entity < 10 ? own : [])).length).toBe(intent?.scheduled);
  });
});
