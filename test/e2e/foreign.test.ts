import { platform } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { settled } from '../counts.ts';
import { capbench, eventually, root, type Started } from './capbench.ts';
import { broadcast, colyseus, type ForeignServer, socketIo } from './foreign-servers.ts';

const scenario = join(root, 'fixtures', 'players', 'foreign.yaml');
const flags = (server: ForeignServer, module: string): string[] => [
  ...['run', scenario, '--allow-module', '--set', `players.module=./${module}`],
  ...['--target', server.url.replace(/^http/, 'ws')],
  ...(platform() === 'linux' ? ['--probe-process', `game=:${new URL(server.url).port}`] : []),
];

/** The expected bundle of a run against a foreign server. */
function isSensible(run: Started, { seen }: ForeignServer): void {
  const report = run.report();
  const { scheduled, ok, rejected, failed, timedOut, unfinished } = report.load.wholeRun.intent;
  expect(settled(report.load.wholeRun.intent)).toBe(scheduled);
  expect(seen.moves).toBe(ok + rejected + timedOut + unfinished);
  expect(ok + rejected).toBeGreaterThan(150);
  expect(failed).toBe(0);
  expect(seen.joined).toBe(20);
  expect(report.load.peakCcu).toBe(20);
  expect(report.network.disconnects).toBe(0);
  expect(report.latency.intent.due.p50).toBeGreaterThan(0);
  expect(run.measurements()).toMatchObject({
    strayAnswers: 0,
    stackKind: 'target',
    ending: { state: 'completed' },
  });

  // An unmeasured budget is not met, and gives its reason.
  const rulings = new Map(report.rulings.map((ruling) => [ruling.id, ruling]));
  expect(rulings.get('connected')?.state).toBe('met');
  expect(rulings.get('answered')?.state).toBe('met');
  for (const [id, has] of [
    ['lost', 'no database'],
    ['servers', 'no metrics'],
  ] as const) {
    expect(rulings.get(id)).toMatchObject({ state: 'unmeasured', observed: null });
    expect(rulings.get(id)?.reason).toContain(`the target has ${has}`);
  }
  const rules = new Map(report.rules.map((rule) => [rule.id, rule.state]));
  expect(rules.get('integrity')).toBe('not-applicable');
  expect(rules.get('row-writes-agree')).toBe('not-applicable');
  if (platform() !== 'linux') return;
  // The server is the parent of capbench, which is no part of it.
  expect(rules.get('foreign-cpu')).not.toBe('not-applicable');
  expect(report.target.process.game).toMatchObject({ processes: { min: 1, max: 1 } });
  expect(report.target.process.game?.cpuPercentOfCore.mean).toBeGreaterThan(0);
  expect(report.probes.map(({ name }) => name)).toContain('process-game');
  expect(report.invalidBecause).toEqual([]);
}

test.for([
  ['a Colyseus room', colyseus, 'colyseus.mjs', true],
  ['a Socket.IO server', socketIo, 'socket-io.mjs', true],
  ['a ws broadcast server', broadcast, 'broadcast.mjs', false],
] as const)(
  '%s is driven by a short module: a verdict, every operation counted, nothing left',
  {
    timeout: 60_000,
  },
  async ([, start, module, rejects]) => {
    const server = await start();
    onTestFinished(() => server.close());
    const run = capbench(flags(server, module));
    await run.ends(0);
    isSensible(run, server);
    expect(run.report().load.wholeRun.intent.rejected > 0).toBe(rejects);
    await eventually('everybody has left', () => (server.seen.present === 0 ? true : null));
    expect(run.leftovers()).toEqual({ processes: [], files: [] });
  },
);

test('a target that refuses connections: 93', async () => {
  const server = await broadcast();
  await server.close();
  const { stderr } = await capbench(flags(server, 'broadcast.mjs')).ends(93);
  expect(stderr).toContain(`connection refused at ${server.url}`);
});
