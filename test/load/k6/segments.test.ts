import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { deploymentOf } from '../../../src/export/k8s/deployment.ts';
import { testRun } from '../../../src/export/k8s/manifests.ts';
import { judgeK6 } from '../../../src/judge/k6-verdict.ts';
import { readK6Summary } from '../../../src/measurement/k6-summary.ts';
import { fluxK6 } from '../../../src/systems/flux/k6/system.ts';
import { minimal, read } from '../../scenario/scenario-text.ts';
import { serve } from '../engine-room.ts';
import { installedK6 } from './installed.ts';
import { fluxWorkloadOf, perSampleOf, scriptOf } from './script-parts.ts';

const RUNNERS = 3;
const SEQUENCE = '0,1/3,2/3,1';
const SEGMENTS = ['0:1/3', '1/3:2/3', '2/3:1'];

const scenario = read(
  minimal(
    [
      ...[
        '  intentsPerSecond: 40',
        '  monsters: 60',
        '  monsterCommandsPerSecond: 200',
        '  commandsPerPost: 10',
      ],
      ...['  ramp: 0s', '  warmUp: 500ms', '  duration: 2s', '  drain: 3s', 'world: { servers: 2 }'],
      // Other tests keep the machine busy meanwhile.
      'rules: { generatorLagMs: 10000 }',
      'budgets:',
      '  - { id: everybody, metric: load.peakCcu, op: ">=", limit: 10, unit: players }',
      '  - { id: soon, metric: latency.intent.due, stat: p95, op: <, limit: 60, unit: s }',
      '',
    ].join('\n'),
  ).replace('players: 100', 'players: 10'),
);

describe.skipIf(installedK6 === null)('the exported script on several runners', () => {
  test('with the arguments of the TestRun and the segments of the operator, each player is played once, and the summaries make one verdict', {
    timeout: 60_000,
  }, async () => {
    const workload = fluxWorkloadOf(scenario);
    const { endpoints, servers } = await serve(workload, {}, 2);
    const targets = endpoints.worlds.map(({ url }) => url);
    const folder = mkdtempSync(join(tmpdir(), 'k6-segments-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, 'script.js'), scriptOf(scenario, ['http://127.0.0.1:1']));
    const manifest = testRun(
      deploymentOf(scenario.name, fluxK6, workload, {
        ...{ namespace: 'default', parallelism: RUNNERS, targets, prometheus: 'http://127.0.0.1:1' },
      }),
    );
    // All of them but the output: nobody takes it here.
    const given = parse(manifest).spec.arguments.replace('--out experimental-prometheus-rw ', '').split(' ');
    const outputs = await Promise.all(
      SEGMENTS.map((segment) => {
        const dealt = ['--execution-segment', segment, '--execution-segment-sequence', SEQUENCE];
        const args = [
          'run',
          '--quiet',
          '--no-usage-report',
          '--address',
          '',
          ...dealt,
          ...given,
          'script.js',
        ];
        return new Promise<string>((resolve, reject) => {
          execFile(
            installedK6?.path ?? '',
            args,
            { cwd: folder, env: { PATH: '/usr/bin:/bin', HOME: folder } },
            (error, out, err) => (error === null ? resolve(out) : reject(new Error(out + err))),
          );
        });
      }),
    );
    const summaries = outputs.map((out, index) => {
      const line = out.split('\n').find((one) => one.startsWith('{"capbench"')) ?? '';
      return readK6Summary(`runner ${index}`, line, perSampleOf(scenario));
    });
    for (const { connected } of summaries) expect(connected).toBeGreaterThan(0);
    const { exitCode, rulings, bounds, invalidBecause } = judgeK6(summaries, scenario);
    expect(invalidBecause).toEqual([]);
    expect(exitCode).toBe(0);
    expect(rulings.map(({ state }) => state)).toEqual(['met', 'met']);
    expect(bounds.high.load.peakCcu).toBe(10);
    // Each player's numbers are dense: nobody else has used them.
    const numbers = new Map(servers.flatMap(({ received }) => [...received]));
    for (let player = 0; player < 10; player++) {
      const own = numbers.get(player) ?? [];
      expect(own.length).toBeGreaterThan(0);
      expect(own).toEqual(own.map((_, index) => index + 1));
    }
    const commands = [...numbers].flatMap(([entity, own]) => (entity < 10 ? [] : own)).length;
    const { intent, monsterCommand } = bounds.high.load.wholeRun;
    expect(commands).toBe(monsterCommand?.scheduled);
    expect([...numbers].flatMap(([entity, own]) => (entity < 10 ? own : [])).length).toBe(intent?.scheduled);
  });
});
