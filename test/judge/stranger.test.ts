import { expect, test } from 'vitest';
import { strangeness } from '../../src/judge/stranger.ts';
import { recorded } from './measured.ts';

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
