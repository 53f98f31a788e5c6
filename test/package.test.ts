import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

/** What a user of the package needs: the programs, the files they read, and the files that messages name. */
const NEEDED: readonly RegExp[] = [
  /^(package\.json|README\.md|CHANGELOG\.md|LICENSE)$/,
  /^bin\/capbench\.js$/,
  /^dist\/([\w-]+\/)*[\w-]+\.js$|^dist\/LICENSES\.txt$/,
  /^scenarios\/([\w-]+\.yaml|README\.md)$/,
  /^fixtures\/(claims\.json|(ci|init|players|redis|schema|tiers)\/[\w.-]+)$/,
  /^src\/player\.d\.ts$/,
  /^(src\/([\w-]+\/)*|reports\/)README\.md$/,
];

test('the package contains what a user needs: no sources, no source maps, no tests', {
  timeout: 60_000,
}, () => {
  const listed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    ...{ cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  });
  const [{ files }] = JSON.parse(listed) as [{ files: readonly { readonly path: string }[] }];
  const paths = files.map(({ path }) => path);
  expect(paths.filter((path) => !NEEDED.some((pattern) => pattern.test(path)))).toEqual([]);
  for (const pattern of NEEDED)
    expect(
      paths.some((path) => pattern.test(path)),
      String(pattern),
    ).toBe(true);
});

test('installing the package runs no script of it', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const ran = ['preinstall', 'install', 'postinstall', 'prepublish', 'preprepare', 'prepare', 'postprepare'];
  expect(Object.keys(scripts).filter((name) => ran.includes(name))).toEqual([]);
});
