import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Report } from '../../src/report/report.ts';
import { root, small } from '../e2e/capbench.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const isRoot = process.getuid?.() === 0;

test('the packed tarball runs in an empty folder, as root and as an ordinary user', {
  timeout: 240_000,
}, () => {
  const folder = temporaryFolder();
  // The build is there already: the tarball is made of what was tested.
  const packed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    ...{ cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  });
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  copyFileSync(small, join(folder, 'small.yaml'));
  // As npm 12 does it: no script of a dependency is run.
  const flags = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  execFileSync('npm', ['install', ...flags, join(folder, filename)], { cwd: folder, stdio: 'ignore' });

  const runAs = (user: readonly string[], out: string): Report => {
    const [command = '', ...words] = [...user, join(folder, 'node_modules', '.bin', 'capbench')];
    const flags = ['run', 'small.yaml', '--out', out, '--duration', '1s'];
    try {
      // What a plain account would have; nothing of this test run leaks in.
      const env = { PATH: process.env.PATH ?? '', HOME: out, TMPDIR: out };
      execFileSync(command, [...words, ...flags], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    } catch (failure) {
      // 99 on a slow machine is a verdict too.
      expect(failure).toMatchObject({ status: 99 });
    }
    return JSON.parse(readFileSync(join(out, 'latest', 'report.json'), 'utf8')) as Report;
  };

  const own = temporaryFolder();
  const report = runAs([], own);
  expect(report.load.peakCcu).toBe(60);
  expect(report.integrity.lost).toBe(0);
  expect(readdirSync(join(own, 'latest', 'charts')).length).toBeGreaterThanOrEqual(5);

  if (!isRoot) return;
  const plain = temporaryFolder();
  chmodSync(folder, 0o755);
  execFileSync('chown', ['nobody', plain]);
  const asNobody = runAs(['setpriv', '--reuid=nobody', '--clear-groups'], plain);
  expect(asNobody.load.peakCcu).toBe(60);
  expect(asNobody.integrity.lost).toBe(0);
});
