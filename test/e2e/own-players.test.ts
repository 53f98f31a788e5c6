import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LOST_NOTHING } from '../counts.ts';
import { portOf } from '../loopback.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { capbench, type FluxReport, root, smallWith } from './capbench.ts';

test('init in an empty folder, then the command that it prints: a verdict', { timeout: 120_000 }, () => {
  const folder = temporaryFolder();
  const cli = join(root, 'bin', 'capbench.js');
  const environment = { cwd: folder, encoding: 'utf8' as const, env: { ...process.env, NO_COLOR: '1' } };
  const output = execFileSync(process.execPath, [cli, 'init'], environment);
  expect(readdirSync(folder).sort()).toEqual(['my-player.mjs', 'my-world.yaml']);
  const [, printed = ''] = /^npx capbench (.+)$/m.exec(output) ?? [];
  expect(printed).toBe('run ./my-world.yaml --allow-module --set system=flux');

  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...printed.split(' ')], environment);
  expect(status, `${stdout}${stderr}`).toBe(0);
  expect(stdout).toMatch(/^ {2}PASS \(0\) {2}7 of 7 budgets met/m);
  const bundle = join(folder, 'reports', 'latest');
  const report = JSON.parse(readFileSync(join(bundle, 'report.json'), 'utf8')) as FluxReport;
  const { scheduled, ok, rejected } = report.load.operations.intent;
  expect(ok + rejected).toBe(scheduled);
  expect(report.integrity).toMatchObject(LOST_NOTHING);
  expect(report.network.bytesPerPlayerSecondIn).toBeGreaterThan(0);
  expect(report.network.bytesPerPlayerSecondOut).toBeGreaterThan(0);
  expect(readFileSync(join(bundle, 'logs', 'fleet-0.log'), 'utf8')).toContain('welcome to place');
});

/** A run of HTTP players against a server of nothing but this; its requests are counted. */
async function httpRun(status: number, exitCode: number) {
  const seen = { requests: 0 };
  const server = createServer((_request, response) => {
    seen.requests += 1;
    response.statusCode = status;
    response.end('{}');
  });
  const scenario = smallWith('players: { protocol: http, requests: [{ path: /moves }] }');
  const run = capbench([
    ...['run', scenario, '--target', `http://127.0.0.1:${await portOf(server)}/api`],
    ...['--set', 'load.monsterCommandsPerSecond=0', '--duration', '1s'],
  ]);
  return { run, seen, ...(await run.ends(exitCode)) };
}

test('plain HTTP against a server that knows nothing of capbench', { timeout: 60_000 }, async () => {
  const { run, seen } = await httpRun(200, 0);
  const { scheduled, ok } = run.report().load.wholeRun.intent;
  expect(ok).toBe(scheduled);
  expect(seen.requests).toBe(scheduled);
  expect(run.report().rulings.find(({ id }) => id === 'lost')?.state).toBe('unmeasured');
  expect(run.leftovers()).toEqual({ processes: [], files: [] });
});

test('a server that answers 500 to everything: the failures are attributed to its answers, not to sending', {
  timeout: 60_000,
}, async () => {
  const { run, seen, stdout } = await httpRun(500, 99);
  const { load, rules, breachedBecause, errors } = run.report();
  const { scheduled, failed, failedUnsent } = load.wholeRun.intent;
  expect({ failed, failedUnsent }).toEqual({ failed: scheduled, failedUnsent: 0 });
  expect(seen.requests).toBe(scheduled);
  expect(load.sentPercent.intent).toBe(100);
  const states = new Map(rules.map(({ id, state }) => [id, state]));
  expect(states.get('load-sustained.intent')).toBe('held');
  expect(states.get('operations-failed.intent')).toBe('broken');
  expect(states.get('answers.intent')).toBe('broken');
  const because = breachedBecause.find((one) => one.startsWith('answered.intent'));
  expect(because).toContain('the target answered with errors');
  expect(`${stdout}${breachedBecause.join()}`).not.toContain('load not sustained');
  const error = `a server answered GET with status 500 (${scheduled} times)`;
  expect(errors).toEqual([error]);
  expect(stdout).toContain(`• error: ${error}`);
  expect(run.read('summary.md')).toContain(`- error: ${error}`);
});
