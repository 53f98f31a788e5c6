import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { runCli } from '../../src/cli.ts';
import { memoryHost } from '../memory-host.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capbench-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function exported(...args: readonly string[]) {
  const host = memoryHost(['export', 'k8s', ...args], { cwd: folder });
  const exitCode = await runCli(host);
  return { exitCode, out: host.out(), err: host.err() };
}
const TARGETS = ['--target', 'http://world-1.game.svc:3001/', '--target', 'ws://world-2.game.svc:3001'];
const fileOf = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');

test('it writes three files: manifests that follow the schema, with the same script as export k6', async () => {
  const { exitCode, out, err } = await exported(
    'quickstart',
    ...TARGETS,
    '--parallelism',
    '4',
    '--seed',
    '9',
  );
  expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
  const names = ['configmap.yaml', 'testrun.yaml', 'GUIDE.md'].map(
    (name) => `capbench-quickstart-k8s/${name}`,
  );
  expect(out).toBe(names.map((name) => `${name}\n`).join(''));
  const [map, run] = [parse(await fileOf(names[0] ?? '')), parse(await fileOf(names[1] ?? ''))];
  const schemaFile = join(import.meta.dirname, '..', '..', 'fixtures', 'schema', 'k8s.schema.json');
  const validate = new Ajv2020({ strict: false }).compile(JSON.parse(await readFile(schemaFile, 'utf8')));
  for (const one of [map, run]) expect(validate(one), JSON.stringify(validate.errors)).toBe(true);
  const plain = ['http://world-1.game.svc:3001', 'http://world-2.game.svc:3001'];
  const k6 = memoryHost([
    'export',
    'k6',
    'quickstart',
    '--seed',
    '9',
    ...plain.flatMap((url) => ['--target', url]),
  ]);
  expect(await runCli(k6)).toBe(0);
  expect(map.data['script.js']).toBe(k6.out());
  expect(run.spec.parallelism).toBe(4);
  expect(run.spec.arguments).toContain(`--env BASE_URLS=${plain.join(',')} `);
  expect(run.spec.runner.env).toContainEqual({
    name: 'K6_PROMETHEUS_RW_SERVER_URL',
    value: 'http://prometheus-operated.monitoring.svc:9090/api/v1/write',
  });
  expect(await fileOf(names[2] ?? '')).toContain('capbench report --scenario quickstart --seed 9 --from-k6');
});

test('existing files are not overwritten', async () => {
  expect((await exported('quickstart', ...TARGETS, '--out', 'k8s')).exitCode).toBe(0);
  const before = await fileOf('k8s/testrun.yaml');
  const { exitCode, err } = await exported('quickstart', ...TARGETS, '--out', 'k8s', '--parallelism', '2');
  expect(exitCode).toBe(104);
  expect(err).toContain('already exists');
  expect(await fileOf('k8s/testrun.yaml')).toBe(before);
});

test.each<[string, readonly string[], string]>([
  ['no target', [], '--target is missing'],
  ['a target with a password', ['--target', 'http://a:secret@b:1'], 'holds a user or a password'],
  ['a target with a comma', ['--target', 'http://a:1/b,c'], 'expected a URL without spaces and commas'],
  ['a target that is none', ['--target', 'world-1'], 'is not a URL'],
  ['no number of runners', [...TARGETS, '--parallelism', 'many'], '--parallelism: got "many"'],
  ['more runners than lanes', [...TARGETS, '--parallelism', '9'], '8 lanes of monsters'],
  ['a namespace that is none', [...TARGETS, '--namespace', 'Game'], '--namespace: got "Game"'],
  ['no Prometheus', [...TARGETS, '--prometheus', 'prometheus'], '--prometheus: expected'],
  [
    'a Prometheus with a password',
    [...TARGETS, '--prometheus', 'http://a:secret@b/w'],
    '--prometheus: expected',
  ],
  ['faults', [...TARGETS, '--set', 'faults=[{action: drop, of: players, at: 1s}]'], 'do not reconnect'],
])('bad input leaves no file: %s', async (_what, args, says) => {
  const { exitCode, out, err } = await exported('quickstart', ...args);
  expect({ exitCode, out }).toEqual({ exitCode: 104, out: '' });
  expect(err).toContain(says);
  expect(err).not.toContain('secret');
  expect(await readdir(folder)).toEqual([]);
});
