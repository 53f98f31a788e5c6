import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { stablePort } from '../../src/supervision/stable-port.ts';
import { settled } from '../counts.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { capbench, eventually, root } from './capbench.ts';

/** A server of the user's own, which a command starts: as many processes as a real one. */
const SERVER = `
import { createRequire } from 'node:module';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
const { WebSocketServer } = createRequire(${JSON.stringify(join(root, 'package.json'))})('ws');
const http = createServer((_, answer) => answer.end('ok'));
new WebSocketServer({ server: http }).on('connection', (socket) =>
  socket.on('message', (data) => socket.send(JSON.stringify({ id: JSON.parse(data).id }))));
spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
process.on('SIGTERM', () => { console.log('asked to end'); process.exit(0); });
http.listen(process.env.PORT, '127.0.0.1', () => console.log('listening, and the key is ' + process.env.KEY));
`;

async function scenario(more = ''): Promise<string> {
  const folder = temporaryFolder();
  const port = await stablePort('127.0.0.1');
  writeFileSync(join(folder, 'server.mjs'), SERVER);
  writeFileSync(
    join(folder, 'mine.yaml'),
    `name: mine
system: own
load: { players: 10, operations: { intent: { perSecond: 50 } }, ramp: 200ms, warmUp: 200ms, duration: 2s, drain: 2s, skipAfter: 5s }
calibration: { seconds: 0, canary: false }
rules: { foreignCpuPercent: 100, confidencePercent: 0, generatorLagMs: 60000 }
players: { protocol: json, commands: [{ command: look }] }
stack:
  start: node server.mjs
  ready: http://127.0.0.1:${port}/health
  reset: touch was-reset
  environment: { PORT: ${port}, KEY: $GAME_KEY }
budgets:
  - { id: connected, metric: load.peakCcu, op: '>=', limit: 10, unit: players }
${more}`,
  );
  return folder;
}

/** Takes remote writes, and refuses each; its URL has a password. */
async function refusingReceiver() {
  let requests = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      requests += 1;
      response.writeHead(400).end('no');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://me:pass-of-the-receiver@127.0.0.1:${port}/api/v1/write`,
    requests: () => requests,
  };
}
const launch = { env: { GAME_KEY: 'a-key-of-the-game-server' } };

test('two trials of a start command, each with a restart: two bundles, every operation counted, nothing left', async () => {
  const folder = await scenario('faults: [{ action: restart, of: server, at: 500ms, lasting: 0s }]\n');
  const series = await refusingReceiver();
  const run = capbench(
    [
      ...['run', join(folder, 'mine.yaml'), '--allow-start', '--trials', '2'],
      ...['--out', `prometheus=${folder}/metrics.prom`, '--out', `prometheus=${series.url}`],
    ],
    launch,
  );
  // A restarted server drops its connections, and on a busy machine anything may be late.
  const { stdout, stderr, code } = await run.ends(0, 90, 99);
  // Series that are refused are a warning, once, and no part of the verdict.
  expect(series.requests()).toBe(2);
  expect(stderr.match(/warning: --out prometheus=.* status 400/g)).toHaveLength(1);
  expect(`${stdout}${stderr}`).not.toContain('pass-of-the-receiver');
  const last = JSON.parse(run.read('trials/2/report.json'));
  const metrics = readFileSync(join(folder, 'metrics.prom'), 'utf8');
  expect(metrics).toContain(`capbench_run_exit_code{scenario="mine"} ${last.exitCode}\n`);
  const answered = JSON.parse(run.read('trials/2/measurements.json')).series['load.intent.ok'].points.at(
    -1,
  )[1];
  expect(answered).toBeGreaterThan(0);
  expect(metrics).toContain(
    `capbench_load_operations_total{scenario="mine",operation="intent",outcome="ok"} ${answered}\n`,
  );
  expect([last.exitCode, JSON.parse(run.read('trials/1/report.json')).exitCode]).toContain(code);
  expect(stdout).toContain('2 of 2 trials, each on a fresh stack');
  expect(existsSync(join(folder, 'was-reset'))).toBe(true);
  for (const trial of [1, 2]) {
    const read = (name: string): string => run.read(join('trials', String(trial), name));
    const report = JSON.parse(read('report.json'));
    const { scheduled } = report.load.wholeRun.intent;
    expect(settled(report.load.wholeRun.intent)).toBe(scheduled);
    expect(report.network.reconnects).toBe(10);
    expect(report.faults).toMatchObject([{ id: 'restart-server-1', error: null }]);
    expect(report.faults[0].downSeconds).toBeGreaterThan(0);
    expect(report.target.process.server.memoryBytes.max).toBeGreaterThan(1e6);
    expect(report.stack.applied.startCommand).toBe('node server.mjs');
    expect(read('logs/server.log')).toBe(
      'listening, and the key is (redacted)\nasked to end\nlistening, and the key is (redacted)\n',
    );
  }
  const all = JSON.parse(run.read('trials.json'));
  expect(all).toMatchObject({ requested: 2, sameServer: false, trials: [{ trial: 1 }, { trial: 2 }] });
  expect(all.budgets).toMatchObject([{ id: 'connected', min: 10, median: 10, max: 10, met: 2 }]);
  expect(run.leftovers()).toEqual({ processes: [], files: [] });
  const added = await capbench(['history', 'add', join(folder, 'h'), join(run.out, 'latest')]).finished;
  expect(added).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(/^added: mine, .* of 2 trials: /),
  });
  const again = capbench(['report', join(run.out, 'latest')]);
  expect((await again.finished).stdout.split('\n').slice(2, -2)).toEqual(stdout.split('\n').slice(2, -2));
});

test('capbench is killed during the second trial: the first is kept, and nothing is left', async () => {
  const folder = await scenario();
  const run = capbench(['run', join(folder, 'mine.yaml'), '--allow-start', '--trials', '3'], launch);
  await run.says('trial 2 of 3');
  await eventually('the server of the second trial', () =>
    run.leftovers().processes.some((one) => JSON.stringify(one).includes('server.mjs')) ? true : null,
  );
  run.child.kill('SIGKILL');
  await run.finished;
  const left = (): unknown => run.leftovers();
  await expect.poll(left, { timeout: 25_000 }).toEqual({ processes: [], files: [] });
  expect(JSON.parse(run.read('trials.json')).trials).toMatchObject([{ trial: 1 }]);
  const { code, stdout } = await capbench(['report', join(run.out, 'latest')]).finished;
  expect(code).toBe(105);
  expect(stdout).toContain('interrupted after 1 of 3 trials');
});

test('a start command that does not come up: 93 with its last lines, which are in the bundle', async () => {
  const folder = await scenario();
  writeFileSync(join(folder, 'server.mjs'), "console.log('no database'); process.exit(3);");
  const run = capbench(['run', join(folder, 'mine.yaml'), '--allow-start'], launch);
  const { stderr } = await run.ends(93);
  expect(stderr).toContain('error: server ended while starting: exit code 3\n  | no database');
  expect(readFileSync(join(run.out, 'latest', 'measurements.json'), 'utf8')).toContain('stackFailed');
  expect(run.leftovers()).toEqual({ processes: [], files: [] });
});
