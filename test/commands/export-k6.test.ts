import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runCli } from '../../src/cli.ts';
import { fakes, partsOf } from '../load/k6/script-parts.ts';
import { memoryHost } from '../memory-host.ts';

const folder = mkdtempSync(join(tmpdir(), 'capbench-export-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function exported(...argv: readonly string[]) {
  const host = memoryHost(['export', 'k6', ...argv], { cwd: folder });
  const exitCode = await runCli(host);
  return { exitCode, out: host.out(), err: host.err() };
}

interface Declared {
  readonly CONFIG: Record<string, unknown>;
  readonly BASE_URLS: readonly string[];
  readonly HEADERS: Record<string, string>;
  readonly options: { readonly thresholds: Record<string, readonly string[]> };
}
const declared = (source: string, env: Record<string, string> = {}): Declared =>
  partsOf<Declared>(source.replace('export {', 'export { CONFIG, BASE_URLS, HEADERS,'), fakes(env));

test('the script on stdout has the load of the scenario and of the flags', async () => {
  const { exitCode, out, err } = await exported('quickstart', '--scale', '0.5', '--seed', '9');
  expect(exitCode).toBe(0);
  expect(err).toBe('');
  const { CONFIG, BASE_URLS, HEADERS } = declared(out, { CAPBENCH_AUTHORIZATION: 'Bearer x' });
  expect(HEADERS).toEqual({ authorization: 'Bearer x' });
  expect(CONFIG).toMatchObject({
    ...{ scenario: 'quickstart', seed: 9, players: 500, intentsPerSecondOfAPlayer: 1 },
    ...{ monsters: 5000, lanes: 8, commandsPerPost: 200, postsPerSecond: 25 },
    ...{ rampSeconds: 2, warmUpSeconds: 3, durationSeconds: 20, skipAfterSeconds: 1 },
  });
  expect(CONFIG.scenarioHash).toMatch(/^[0-9a-f]{64}$/);
  expect(BASE_URLS).toEqual(['http://127.0.0.1:3001', 'http://127.0.0.1:3002']);
});

test('prose of several lines stays a comment, never code', async () => {
  const file = join(folder, 'prose.yaml');
  const text = readFileSync(join(import.meta.dirname, '..', 'e2e', 'small.yaml'), 'utf8');
  const description = JSON.stringify('one line\nthrow new Error("ran")\nthree');
  writeFileSync(file, text.replace(/^description:.*$/m, `description: ${description}`));
  const { exitCode, out } = await exported(file);
  expect(exitCode).toBe(0);
  expect(out).toContain('// throw new Error("ran")\n// three\n');
  expect(declared(out).CONFIG).toMatchObject({ scenario: 'small' });
});

test('an existing script is not overwritten', async () => {
  const script = join(folder, 'kept.js');
  writeFileSync(script, '// mine');
  const { exitCode, err } = await exported('quickstart', '--out', script);
  expect(exitCode).toBe(104);
  expect(err).toContain('already exists');
  expect(readFileSync(script, 'utf8')).toBe('// mine');
});

test('the script is written to a file, with targets from the flags or, at run time, from the environment', async () => {
  const { exitCode, out, err } = await exported(
    'quickstart',
    ...['--out', 'load.js', '--target', 'http://127.0.0.1:4001/', '--target', 'http://[::1]:4002/two/'],
  );
  expect({ exitCode, out }).toEqual({ exitCode: 0, out: '' });
  expect(err).toBe('load.js: k6 run load.js\n');
  const source = readFileSync(join(folder, 'load.js'), 'utf8');
  expect(declared(source).BASE_URLS).toEqual(['http://127.0.0.1:4001', 'http://[::1]:4002/two']);
  expect(declared(source, { BASE_URLS: 'http://a:1/, http://b:2' }).BASE_URLS).toEqual([
    'http://a:1',
    'http://b:2',
  ]);
});

test.each([
  ['http://ann:hunter2@127.0.0.1:3001'],
  ['http://127.0.0.1:3001/?token=hunter2'],
  ['ftp://127.0.0.1'],
  ['nonsense'],
])('a target that is no base URL is refused, and not repeated: %s', async (target) => {
  const { exitCode, out, err } = await exported('quickstart', '--target', target);
  expect(exitCode).toBe(104);
  expect(out).toBe('');
  expect(err).toContain('--target: ');
  expect(err).not.toContain('hunter2');
});

test('a scenario with faults is refused, because the script cannot inject them', async () => {
  const faults = 'faults=[{"action":"drop","of":"players","at":"1s","sharePercent":10}]';
  const { exitCode, err } = await exported('quickstart', '--set', faults);
  expect(exitCode).toBe(104);
  expect(err).toContain('faults: drop of players');
  expect(err).toContain('faults=[]');
});

test('a file that cannot be written is bad input', async () => {
  const { exitCode, err } = await exported('quickstart', '--out', 'no/such/folder/load.js');
  expect(exitCode).toBe(104);
  expect(err).toContain('--out: no/such/folder/load.js cannot be written');
});

test('the script contains no secret of the scenario', async () => {
  const text =
    'name: mine\ndescription: "postgres://ann:hunter2@db/world"\nsystem: flux\nload: { players: 100, intentsPerSecond: 10 }\n';
  writeFileSync(join(folder, 'mine.yaml'), text);
  const { exitCode, out } = await exported('./mine.yaml');
  expect(exitCode).toBe(0);
  expect(out).not.toContain('hunter2');
});

test.each(['mud-small', 'quiz-edge'])(
  '%s: that its system has no part for k6 comes before its faults',
  async (name) => {
    const { exitCode, err } = await exported(name);
    expect(exitCode).toBe(104);
    expect(err).toMatch(/^error: system: (?:mud|quiz) has no part for k6$/m);
  },
);
