import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { LIMIT_FIGURES } from '../../src/scenario/limit-metric.ts';
import { OUTAGE_FIGURES, OUTAGE_SHARES } from '../../src/scenario/outage-metric.ts';
import { PROCESS_FIGURES } from '../../src/scenario/process-metric.ts';
import { SYSTEMS } from '../../src/systems/registry.ts';
import { type MemoryHost, memoryHost } from '../memory-host.ts';

const folder = mkdtempSync(join(tmpdir(), 'metrics-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Path and unit of each metric of the flux world; figures.test.ts checks the figures against the same list. */
const KNOWN = readFileSync(join(import.meta.dirname, '../fixtures/flux-metrics.txt'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split(' ').slice(0, 2));

async function cli(...argv: string[]): Promise<MemoryHost> {
  const host = memoryHost(argv, { cwd: folder });
  await main(host);
  return host;
}

test('it lists every path with its unit, its statistics, and whether a stage can have it', async () => {
  const host = await cli('metrics');
  expect(host.ended()).toBe(0);
  // Text that does not fit on a line continues on the next one.
  const lines = host
    .out()
    .replace(/\n {4}/g, '  ')
    .split('\n');
  for (const [path, unit] of KNOWN) {
    const found = lines.filter((line) => line.startsWith(`${path} `));
    expect(found, path).toHaveLength(1);
    expect(found[0]?.split(/ {2,}/)[1], path).toBe(unit);
  }
  const line = (path: string) => lines.find((one) => one.startsWith(`${path} `))?.split(/ {2,}/);
  expect(line('latency.intent.due')).toEqual([
    ...['latency.intent.due', 'ms', 'stage', 'p50 p90 p95 p99 p999 min max mean'],
  ]);
  expect(line('network.left')).toEqual(['network.left', 'players', 'stage only']);
  expect(line('load.peakCcu')).toEqual(['load.peakCcu', 'players']);
  expect(line('stack.applied.<setting>')).toBeDefined();
  expect(line('target.metrics.<name>{label="value"}')).toContainEqual(
    expect.stringContaining('rate increase'),
  );
});

test('for a scenario it also lists settings, stages and budgets', async () => {
  writeFileSync(
    join(folder, 'mine.yaml'),
    `name: mine
system: flux
load: { players: 10, stages: [{ name: hold, lasting: 10s }, { name: spike, lasting: 5s, rate: 2 }] }
postgres: { settings: { fsync: on } }
budgets:
  - { id: fast, metric: latency.intent.due, stat: p95, op: <, limit: 1, unit: s }
  - { id: spiky, stage: spike, metric: latency.intent.due, stat: p99, op: <, limit: 1, unit: s }
  - { id: up, metric: 'target.metrics.up{job="game"}', stat: min, op: '=', limit: 1, unit: x }
`,
  );
  const host = await cli('metrics', 'mine.yaml');
  expect(
    host
      .out()
      .split('\n')
      .filter((line) => line.length > 80),
  ).toEqual([]);
  const out = host.out().replace(/\n {4}/g, '  ');
  expect(out).toMatch(/^latency\.intent\.due .+ fast, spiky$/m);
  expect(out).toMatch(/^stack\.applied\.fsync /m);
  expect(out).toMatch(/^stack\.applied\.worldServers /m);
  expect(out).toMatch(/^target\.metrics\.up\{job="game"\} .+ up$/m);
  expect(out).toContain('Stages of mine: hold, spike.');

  const listed = JSON.parse((await cli('metrics', 'mine.yaml', '--json')).out());
  expect(listed).toContainEqual({
    ...{ path: 'latency.intent.due', unit: 'ms', stages: 'too', budgets: ['fast', 'spiky'] },
    stats: ['p50', 'p90', 'p95', 'p99', 'p999', 'min', 'max', 'mean'],
  });
  const all: unknown[] = JSON.parse((await cli('metrics', '--json')).out());
  // Settings, metrics pages, players' own figures, processes, outages and limits have names of the user.
  const ofSystems = new Set(
    SYSTEMS.names.flatMap((name) => {
      const system = SYSTEMS.of({ system: name });
      return system === undefined ? [] : [...SYSTEMS.metricsOf(system).keys()];
    }),
  );
  const ofProcesses = Object.keys(PROCESS_FIGURES).length;
  const ofOutages = Object.keys(OUTAGE_FIGURES).length + OUTAGE_SHARES.length;
  expect(all.length).toBe(ofSystems.size + 3 + ofProcesses + ofOutages + LIMIT_FIGURES.length);
});

test('the metrics of many kinds of operations are listed once, with the budgets on all of them', async () => {
  writeFileSync(
    join(folder, 'kinds.yaml'),
    `name: mine
system: own
load: { players: 10, operations: { create: { perSecond: 1 }, look: { perSecond: 9 }, ready: { due: answer } } }
players: { module: ./a.mjs }
budgets:
  - { id: fast, metric: latency.look.due, stat: p95, op: <, limit: 1, unit: s }
  - { id: created, metric: latency.create.due, stat: p99, op: <, limit: 1, unit: s }
`,
  );
  const out = (await cli('metrics', 'kinds.yaml')).out().replace(/\n {4}/g, '  ');
  expect(out.match(/^latency\.\S+\.due /gm)).toEqual(['latency.<operation>.due ']);
  expect(out).toMatch(/^latency\.<operation>\.due .+ created, fast$/m);
  expect(out).toMatch(/^load\.operations\.<operation>\.ok /m);
  expect(out).toMatch(/^throughput\.<operation>PerSecond /m);
  expect(out).toMatch(/^throughput\.operationsPerSecond /m);
  expect(out).toContain('<operation>: one of create, look, ready.');
  const listed: { path: string }[] = JSON.parse((await cli('metrics', 'kinds.yaml', '--json')).out());
  for (const kind of ['create', 'look', 'ready'])
    expect(listed).toContainEqual(expect.objectContaining({ path: `latency.${kind}.due` }));
});

test.each([
  [['metrics', 'nosuch'], 'there is no scenario named "nosuch"'],
  [['metrics', '--scale', '2'], 'metrics: --scale needs a scenario'],
  [['metrics', '--set', 'load.players=2'], 'metrics: --set needs a scenario'],
])('%j is bad input', async (argv, message) => {
  const host = await cli(...argv);
  expect(host.err()).toContain(message);
  expect([host.ended(), host.out()]).toEqual([104, '']);
});
