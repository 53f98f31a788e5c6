import { expect, test } from 'vitest';
import { strangeness } from '../../src/judge/stranger.ts';
import { recorded, ruleOf, verdictOf } from './measured.ts';

const host = { name: 'host', samples: 20, gaps: 0, lastError: null };
const stranger = { ...recorded, stackKind: 'target', probes: [host], integrity: null } as const;

test('of a target that is no world of ours nothing is known that nobody watched', () => {
  for (const metric of [
    ...['world.servers', 'world.cpuPercentOfCore', 'throughput.rowWritesPerSecond'],
    ...['throughput.batchesPerSecond', 'throughput.coalescing'],
  ]) {
    expect(strangeness(metric, stranger)).toBe('the target has no metrics of a world server');
  }
  for (const metric of ['database.connections', 'integrity.lost']) {
    expect(strangeness(metric, stranger)).toBe('the target has no database that capbench reads');
  }
});

test('what the load itself knows is known, and what is watched is', () => {
  for (const metric of [
    ...[
      'latency.intent.due',
      'load.peakCcu',
      'throughput.intentsPerSecond',
      'throughput.operationsPerSecond',
    ],
    ...['network.disconnects', 'host.cpuPercent', 'generator.lagP99Ms'],
  ]) {
    expect(strangeness(metric, stranger)).toBeNull();
  }
  const watched = { ...stranger, probes: [host, { ...host, name: 'world-1' }] };
  expect(strangeness('world.servers', watched)).toBeNull();
  const read = { ...stranger, probes: [host, { ...host, name: 'postgres' }] };
  expect(strangeness('integrity.lost', read)).toBeNull();
  expect(strangeness('integrity.lost', recorded)).toBeNull();
});

test('what a player module did wrong is told with its name, and blamed on no server', () => {
  const players = { protocol: 'module', module: './my-player.mjs' } as const;
  const errors = [
    'the player module ./my-player.mjs: perform: no such spell (12 times)',
    "a player's connection: reset",
  ];
  const verdict = verdictOf({ errors, strayAnswers: 3 }, { players });
  expect(verdict.notes[0]).toBe(errors[0]);
  expect(verdict.notes).not.toContain(errors[1]);
  expect(verdict.exitCode).toBe(90);
  expect(ruleOf(verdict, 'protocol').advice).toContain('the player module ./my-player.mjs settles');
  expect(ruleOf(verdict, 'generator-loop-delay').advice).toContain(
    'the player module ./my-player.mjs runs in',
  );

  const plain = verdictOf({ errors, strayAnswers: 3 });
  expect(plain.notes).not.toContain(errors[0]);
  expect(ruleOf(plain, 'protocol').advice).toContain('the target answers what was never asked');
});
