import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Duet } from '../../src/compare/duet.ts';
import { stablePort } from '../../src/supervision/stable-port.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { capbench, root } from './capbench.ts';

const server = (version: string): string => `
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
const { WebSocketServer } = createRequire(${JSON.stringify(join(root, 'package.json'))})('ws');
const http = createServer((_, answer) => answer.end('ok'));
new WebSocketServer({ server: http }).on('connection', (socket) =>
  socket.on('message', (data) => socket.send(JSON.stringify({ id: JSON.parse(data).id }))));
process.on('SIGTERM', () => process.exit(0));
console.log('version ${version}, prepared: ' + existsSync('prepared'));
http.listen(process.env.PORT, '127.0.0.1');
`;

async function repository(): Promise<string> {
  const folder = realpathSync(temporaryFolder());
  const port = await stablePort('127.0.0.1');
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args]);
  writeFileSync(
    join(folder, 'mine.yaml'),
    `name: mine
system: own
load: { players: 10, operations: { intent: { perSecond: 50 } }, ramp: 0s, warmUp: 0s, duration: 1s, drain: 2s, skipAfter: 5s }
calibration: { seconds: 0, canary: false }
rules: { foreignCpuPercent: 100, stealMeanPercent: 100, stealMaxPercent: 100, confidencePercent: 0, generatorLagMs: 60000, generatorLoopDelayMs: 60000, generatorStalledPercent: 100, generatorUtilisationPercent: 100 }
players: { protocol: json, commands: [{ command: look }] }
stack:
  start: node server.mjs
  ready: http://127.0.0.1:${port}/
  environment: { PORT: ${port} }
budgets:
  - { id: connected, metric: load.peakCcu, op: '>=', limit: 10, unit: players }
`,
  );
  writeFileSync(join(folder, 'server.mjs'), server('old'));
  writeFileSync(join(folder, '.gitignore'), 'prepared\n');
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '-m', 'old');
  git('tag', 'old');
  writeFileSync(join(folder, 'server.mjs'), server('new'));
  return folder;
}

test('a git ref and the working directory in turn: interrupted, and resumed without repeating a trial; nothing is left', async () => {
  const cwd = await repository();
  const args = ['duet', './mine.yaml', '--allow-start', '--base-ref', 'old', '--prepare', 'touch prepared'];
  const first = capbench([...args, '--most-trials', '2', '--out', 'out'], { cwd });
  await first.says('    1  base');
  first.child.kill('SIGINT');
  const begun = await first.ends(105);
  expect(begun.stdout).toContain('INTERRUPTED (105)');
  expect(begun.stderr).toContain('--resume');
  expect(first.leftovers()).toEqual({ processes: [], files: [] });
  const folder = join(cwd, 'out', 'latest');
  const read = (): Duet => JSON.parse(readFileSync(join(folder, 'duet.json'), 'utf8'));
  const before = read();
  expect(before.result).toBeNull();

  const resumed = capbench([...args, '--most-trials', '2', '--resume', folder], { cwd });
  // A second has no reading of the CPU: what was not measured is no pass.
  const { stdout } = await resumed.ends(90);
  expect(stdout).toContain('trials of each');
  const duet = read();
  expect(duet.attempts.slice(0, before.attempts.length)).toEqual(before.attempts);
  expect(duet.result?.stopped).toBe('trials');
  const measured = duet.attempts.filter(({ outcome }) => outcome !== 'invalid');
  expect(measured.map(({ trial, version }) => `${trial} ${version}`)).toEqual([
    ...['1 base', '2 head', '3 head', '4 base'],
  ]);
  for (const { bundle, version, seed } of measured) {
    const report = JSON.parse(readFileSync(join(folder, bundle, 'report.json'), 'utf8'));
    expect(report.seed).toBe(seed);
    expect(report.commit).toBe(duet.base.commit);
    // Each version was started from its own folder, after it was prepared there.
    expect(readFileSync(join(folder, bundle, 'logs', 'server.log'), 'utf8')).toBe(
      `version ${version === 'base' ? 'old' : 'new'}, prepared: true\n`,
    );
  }
  expect(duet.head.changes).toMatch(/^[0-9a-f]{64}$/);
  const comparison = JSON.parse(readFileSync(join(folder, 'comparison.json'), 'utf8'));
  expect(comparison).toMatchObject({ design: 'paired', notComparable: [], base: { counted: 2 } });
  const cpu = comparison.metrics.find(
    ({ metric }: { metric: string }) => metric === 'cpuPerOperation.server',
  );
  expect(cpu).toMatchObject({ gated: true, ruling: 'not comparable', base: { n: 0 }, head: { n: 0 } });
  expect(readdirSync(folder)).toEqual(expect.arrayContaining(['duet.html', 'summary.md', 'logs']));
  expect(resumed.leftovers()).toEqual({ processes: [], files: [] });
  const worktrees = execFileSync('git', ['-C', cwd, 'worktree', 'list'], { encoding: 'utf8' });
  expect(worktrees.trim().split('\n')).toHaveLength(1);

  writeFileSync(join(cwd, 'server.mjs'), server('newer'));
  const other = capbench([...args, '--most-trials', '2', '--resume', folder], { cwd });
  expect((await other.ends(104)).stderr).toContain('that duet has another state of head');
});
