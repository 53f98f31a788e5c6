import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Report } from '../../src/report/report.ts';
import { root, small } from './capbench.ts';

const isRoot = process.getuid?.() === 0;
/** What a plain account would have; nothing of this test run leaks in. */
const environment = (home: string): Record<string, string> => ({
  PATH: process.env.PATH ?? '',
  HOME: home,
  TMPDIR: home,
});

test('the packed tarball runs in an empty folder, as root and as an ordinary user', {
  timeout: 240_000,
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'e2e-pack-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  // The build is there already: the tarball is made of what was tested.
  const [{ filename }] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  ) as [{ filename: string }];
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  copyFileSync(small, join(folder, 'small.yaml'));
  execFileSync('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', join(folder, filename)], {
    cwd: folder,
    stdio: 'ignore',
  });

  const runAs = (user: readonly string[], out: string): Report => {
    const command = [
      ...user,
      join(folder, 'node_modules', '.bin', 'capbench'),
      'run',
      'small.yaml',
      '--out',
      out,
    ];
    try {
      execFileSync(command[0] ?? '', [...command.slice(1), '--duration', '1s'], {
        cwd: folder,
        env: environment(out),
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    } catch (failure) {
      // 99 on a slow machine is a verdict too.
      expect(failure).toMatchObject({ status: 99 });
    }
    return JSON.parse(readFileSync(join(out, 'latest', 'report.json'), 'utf8')) as Report;
  };

  const own = mkdtempSync(join(tmpdir(), 'e2e-own-'));
  onTestFinished(() => rmSync(own, { recursive: true, force: true }));
  const report = runAs([], own);
  expect(report.load.peakCcu).toBe(60);
  expect(report.integrity.lost).toBe(0);
  expect(readdirSync(join(own, 'latest', 'charts')).length).toBeGreaterThanOrEqual(5);

  if (!isRoot) return;
  const plain = mkdtempSync(join(tmpdir(), 'e2e-plain-'));
  onTestFinished(() => rmSync(plain, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  execFileSync('chown', ['nobody', plain]);
  const asNobody = runAs(['setpriv', '--reuid=nobody', '--clear-groups'], plain);
  expect(asNobody.load.peakCcu).toBe(60);
  expect(asNobody.integrity.lost).toBe(0);
});
