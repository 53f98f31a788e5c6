import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LOST_NOTHING } from '../counts.ts';
import { type FluxReport, root } from '../e2e/capbench.ts';
import { temporaryFolder } from '../temporary-folder.ts';

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
