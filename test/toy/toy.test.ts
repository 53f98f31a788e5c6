import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { runCli } from '../../src/cli.ts';
import type { Report } from '../../src/report/report.ts';
import { reportSchemaOf } from '../../src/report/report-schema.ts';
import { systemsOf } from '../../src/systems/registry.ts';
import { bundled } from '../bundled.ts';
import { memoryHost } from '../memory-host.ts';
import { processesIn } from '../stack/leftovers.ts';
import { toy } from './toy.ts';

/** A system that no general room knows runs to a verdict, like those that come with capbench. */

const scenario = join(import.meta.dirname, 'toy.yaml');
let programs: Awaited<ReturnType<typeof bundled>>;
beforeAll(async () => {
  programs = await bundled({ 'toy-server': 'test/toy/server.ts', 'toy-worker': 'test/toy/worker.ts' });
});
afterAll(() => programs.remove());

async function runToy(scenario: string, args: readonly string[], options: Parameters<typeof toy>[1] = {}) {
  const out = mkdtempSync(join(tmpdir(), 'toy-'));
  onTestFinished(() => rmSync(out, { recursive: true, force: true }));
  const files = { server: programs.file('toy-server'), worker: programs.file('toy-worker') };
  const system = toy(files, options);
  const host = memoryHost(['run', scenario, '--out', out, ...args], {
    env: { PATH: process.env.PATH, CAPBENCH_POSTGRES_BIN: process.env.CAPBENCH_TEST_POSTGRES_BIN },
    systems: async () => systemsOf([system]),
  });
  const code = await runCli(host);
  const bundle = join(out, 'latest');
  const report: unknown = JSON.parse(readFileSync(join(bundle, 'report.json'), 'utf8'));
  expect(reportSchemaOf([system]).safeParse(report).error).toBeUndefined();
  expect(processesIn(programs.folder)).toEqual([]);
  return {
    code,
    output: host.out() + host.err(),
    text: (name: string): string => readFileSync(join(bundle, name), 'utf8'),
    files: readdirSync(bundle, { recursive: true, encoding: 'utf8' }),
    report: report as Report,
  };
}

const ARTEFACTS = [
  'scenario.yaml',
  'measurements.json',
  'series.csv',
  'report.json',
  'report.html',
  'junit.xml',
];

test('a counter over WebSocket with its own table gets a verdict, with every report and its ledger', {
  timeout: 120_000,
}, async () => {
  const { code, output, text, files, report } = await runToy(scenario, []);
  expect(code, output).toBe(0);
  expect(files).toEqual(expect.arrayContaining([...ARTEFACTS, 'summary.md', 'logs/postgres.log']));
  expect(files.filter((name) => /^charts\/.*\.(png|svg)$/.test(name)).length).toBeGreaterThanOrEqual(4);
  expect(files.filter((name) => /^histograms\/(add|read)/.test(name)).length).toBeGreaterThanOrEqual(2);
  expect(report.rulings.map(({ id, state }) => [id, state])).toEqual(
    ['add', 'read', 'adds', 'lost'].map((id) => [id, 'met']),
  );
  // No part of the report mentions another system.
  for (const name of ['report.json', 'report.html', 'junit.xml', 'summary.md', 'series.csv']) {
    expect([name, ...(text(name).match(/\b(?:flux|monsters?|intents?|places?)\b/gi) ?? [])]).toEqual([name]);
  }
  const { wholeRun } = report.load;
  expect(Object.keys(wholeRun)).toEqual(['add', 'read']);
  const acknowledged = Object.values(wholeRun).reduce((sum, { ok }) => sum + ok, 0);
  expect(acknowledged).toBeGreaterThan(900);
  expect(report.integrity).toMatchObject({
    ...{ sent: acknowledged, acked: acknowledged, applied: acknowledged },
    ...{ lost: 0, phantom: 0, duplicated: 0, holes: 0 },
  });
  expect(report.integrity.rowWritesServers).toBe(report.integrity.rowWritesPostgres);
  const calibration = report.rules.find(({ id }) => id === 'generator-calibration');
  expect(calibration).toMatchObject({ state: 'held', observed: expect.stringMatching(/^100% of \d+\/s/) });
});

test('a server that acknowledges and does not write is detected', { timeout: 120_000 }, async () => {
  const { code, output, report } = await runToy(scenario, ['--duration', '1s', '--no-charts'], {
    broken: true,
  });
  expect(code, output).toBe(92);
  expect(report.integrity.lost).toBe(report.integrity.acked);
});

test('a third operation needs only its own folder: figures, budgets, and one schedule for 1 and 4 workers', {
  timeout: 240_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'toy-third-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const third = join(folder, 'toy.yaml');
  const text = readFileSync(scenario, 'utf8')
    .replace('    read: {', '    take: { perSecond: 50 }\n    read: {')
    .replace('calibration: { seconds: 1,', 'calibration: { seconds: 0,');
  const more = '- { id: take, metric: latency.take.due, stat: p95, op: <, limit: 5, unit: s }';
  writeFileSync(third, `${text}  ${more}\n`);
  const hashes = new Set<string | null>();
  for (const workers of ['1', '4']) {
    const { code, output, report } = await runToy(
      third,
      ['--duration', '2s', '--no-charts', '--workers', workers],
      {
        operations: ['add', 'read', 'take'],
      },
    );
    expect(code, output).toBe(0);
    expect(report.rulings.find(({ id }) => id === 'take')).toMatchObject({ state: 'met' });
    expect(report.latency.take?.due.p95).toBeGreaterThan(0);
    hashes.add(report.scheduleHash);
  }
  expect(hashes.size).toBe(1);
});
