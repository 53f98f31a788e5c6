import { expect, test } from 'vitest';
import { unwatched } from '../../src/judge/figure-source.ts';
import { metric, probe } from '../fixtures/recorded-run.ts';
import { recorded, ruleOf, verdictOf, withTraits } from './measured.ts';

const host = probe('host');
const foreign = { ...recorded, stackKind: 'target', probes: [host], integrity: null } as const;

test('of a target that is no world of ours nothing is known that nobody watched', () => {
  for (const path of [
    ...['world.servers', 'world.cpuPercentOfCore', 'throughput.rowWritesPerSecond'],
    ...['throughput.batchesPerSecond', 'throughput.coalescing'],
  ]) {
    expect(unwatched(metric(path, null), foreign)).toBe('the target has no metrics of a world server');
  }
  for (const path of ['database.connections', 'integrity.lost']) {
    expect(unwatched(metric(path, null), foreign)).toBe('the target has no database that capbench reads');
  }
});

test('what the load itself knows is known, and what is watched is', () => {
  for (const path of [
    ...[
      'latency.intent.due',
      'load.peakCcu',
      'throughput.intentsPerSecond',
      'throughput.operationsPerSecond',
    ],
    ...['network.disconnects', 'host.cpuPercent', 'generator.lagP99Ms'],
  ]) {
    expect(unwatched(metric(path, null), foreign)).toBeNull();
  }
  const watched = { ...foreign, probes: [host, probe('world-1')] };
  expect(unwatched(metric('world.servers', null), watched)).toBeNull();
  const read = { ...foreign, probes: [host, probe('postgres')] };
  expect(unwatched(metric('integrity.lost', null), read)).toBeNull();
  expect(unwatched(metric('integrity.lost', null), recorded)).toBeNull();
});

test('what a player module did wrong is told with its name, and blamed on no server', () => {
  const errors = [
    'the player module ./my-player.mjs: perform: no such spell (12 times)',
    "a player's connection: reset",
  ];
  const verdict = verdictOf({ errors, strayAnswers: 3 }, withTraits({ playerCode: './my-player.mjs' }));
  expect(verdict.notes[0]).toBe(errors[0]);
  expect(verdict.notes).not.toContain(errors[1]);
  expect(verdict.exitCode).toBe(90);
  expect(ruleOf(verdict, 'protocol').advice).toContain(
    'the player module ./my-player.mjs settled an operation twice',
  );
  expect(ruleOf(verdict, 'generator-loop-delay').advice).toContain(
    'the player module ./my-player.mjs runs in',
  );

  const plain = verdictOf({ errors, strayAnswers: 3 });
  expect(plain.notes).not.toContain(errors[0]);
  expect(ruleOf(plain, 'protocol').advice).toContain('the target sent unexpected answers');
});
