import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { type MemoryHost, memoryHost } from '../memory-host.ts';

const folder = mkdtempSync(join(tmpdir(), 'own-players-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function cli(...argv: string[]): Promise<MemoryHost> {
  const host = memoryHost(argv, { cwd: folder });
  await main(host);
  return host;
}

/** A module that writes a file when it is loaded. */
const trace = join(folder, 'trace');
writeFileSync(
  join(folder, 'player.mjs'),
  `import { writeFileSync } from 'node:fs';\nwriteFileSync(${JSON.stringify(trace)}, 'loaded');\n`,
);
const scenario = (name: string, players: string, system = 'own'): string => {
  writeFileSync(
    join(folder, `${name}.yaml`),
    `name: mine\nsystem: ${system}\nload: { players: 10 }\nplayers: ${players}\n`,
  );
  return `./${name}.yaml`;
};

const JSON_PLAYERS = '{ protocol: json, path: /ws, commands: [{ command: look }, { command: go }] }';

test('a scenario with a module needs --allow-module, and the module is not loaded without it', async () => {
  const file = scenario('module', '{ module: ./player.mjs }');
  const host = await cli('run', file);
  expect(host.ended()).toBe(104);
  expect(host.err()).toContain(
    'error: the scenario names a player module, ./player.mjs: it is code, and is loaded only with --allow-module',
  );
  expect(host.err()).toContain('--allow-module');
  const checked = await cli('check', file);
  expect(checked.ended()).toBe(0);
  expect(checked.out().replace(/\s+/g, ' ')).toContain(
    'module ./player.mjs: code, which `capbench run` loads only with --allow-module',
  );
  expect(existsSync(trace)).toBe(false);
  expect(existsSync(join(folder, 'reports'))).toBe(false);
});

test('check says how often each kind is due, and what its budgets need', async () => {
  writeFileSync(
    join(folder, 'kinds.yaml'),
    `name: mine
system: own
load: { players: 10, operations: { create: { perSecond: 5 }, look: { perSecond: 9 }, ready: { due: answer } } }
players: { module: ./player.mjs }
rules: { rejectedPercent: { create: 10 } }
budgets: [{ id: soon, metric: latency.ready.due, stat: p95, op: <, limit: 1, unit: s }]
`,
  );
  const out = (await cli('check', 'kinds.yaml', '--target', 'ws://127.0.0.1:8080')).out();
  expect(out).toMatch(/^ {2}create +5\/s, at most 4 unanswered per player$/m);
  expect(out).toMatch(/^ {2}ready +no schedule: after answers, when the player module begins it$/m);
  expect(out).toContain('  at most 10% of create rejected (declared by the scenario)\n');
  expect(out).toContain('  at most 1% of look, ready rejected\n');
  expect(out).toContain('measured: where the player module begins it, by context.start');
  const without = (await cli('check', 'kinds.yaml')).out();
  expect(without).toContain('needs --target');
});

test('a missing module is reported by the name that the scenario gives it', async () => {
  const file = scenario('none', '{ module: ./not-here.mjs }');
  const [host, checked] = [await cli('run', file, '--allow-module'), await cli('check', file)];
  for (const { ended, err, out } of [host, checked]) {
    expect(ended()).toBe(104);
    expect(err()).toContain('error: none.yaml:4:20 players.module: there is no file ./not-here.mjs');
    expect(err()).toContain('hint: the path is relative to the folder of the scenario file');
    expect(out()).toBe('');
  }
  const { problems } = JSON.parse((await cli('check', file, '--json')).out());
  expect(problems).toMatchObject([{ path: 'players.module', where: 'none.yaml:4:20' }]);
  const moved = await cli(
    'check',
    scenario('here', '{ module: ./player.mjs }'),
    '--set',
    'players.module=x.mjs',
  );
  expect(moved.err()).toContain('error: --set players.module=x.mjs: there is no file x.mjs');
  expect(moved.ended()).toBe(104);
});

test.each([
  ['json', JSON_PLAYERS, 'own', '2 commands'],
  ['json', JSON_PLAYERS, 'flux', '2 commands'],
  [
    'http',
    '{ protocol: http, requests: [{ path: /a }, { method: POST, path: /b }] }',
    'own',
    'GET /a, POST /b',
  ],
  ['module', '{ module: ./player.mjs }', 'own', 'module ./player.mjs: code'],
])('%s players need a target', async (name, players, system, shown) => {
  const file = scenario(name, players, system);
  const host = await cli('run', file, '--allow-module');
  expect(host.ended()).toBe(104);
  expect(host.err()).toContain(
    `error: the players of this scenario (system: ${system}) need a server of yours`,
  );
  const checked = await cli('check', file);
  expect(checked.out()).toContain(shown);
  expect(checked.out()).toContain('capbench starts nothing: the load goes to your servers');
});

test("a user's own players in a system of capbench are read as before, with one note", async () => {
  const NOTE =
    'note: players of your own belong to `system: own`; `system: flux` with players: still works\n';
  expect((await cli('check', scenario('noted', JSON_PLAYERS, 'flux'))).err()).toBe(NOTE);
  const plain = scenario('plain', JSON_PLAYERS);
  expect((await cli('check', plain)).err()).toBe('');
  expect((await cli('check', plain, '--set', 'system=flux')).err()).toBe('');
});

test('for system: own without players, the error lists the possible ones', async () => {
  const { err, ended } = await cli('check', scenario('nobody', '~'));
  expect(err()).toContain('nobody.yaml:4:10 players: got null, expected a map with a protocol: json, ');
  expect(err()).toContain('http, or a module: { module: ./my-player.mjs }');
  expect(ended()).toBe(104);
});

test('init writes a scenario and a module, prints how to run them, and overwrites nothing', async () => {
  const host = await cli('init', 'fresh');
  expect(host.ended()).toBe(0);
  const run = 'npx capbench run ./my-world.yaml --allow-module';
  expect(host.out()).toContain('\ncd fresh\n# ');
  expect(host.out()).toContain(`:\n${run} --set system=flux\n# `);
  expect(host.out()).toMatch(new RegExp(`:\n${run} --target ws://127\\.0\\.0\\.1:8080\n$`));
  const text = (name: string): string => readFileSync(join(folder, 'fresh', name), 'utf8');
  expect(text('my-world.yaml')).not.toContain('yaml-language-server');
  expect(text('my-player.mjs')).toContain('export function perform(');
  expect((await cli('check', 'fresh/my-world.yaml')).ended()).toBe(0);

  writeFileSync(join(folder, 'fresh', 'my-player.mjs'), 'mine');
  const again = await cli('init', 'fresh');
  expect(again.ended()).toBe(104);
  expect(again.err()).toContain('fresh/my-world.yaml already exists');
  expect(text('my-player.mjs')).toBe('mine');

  mkdirSync(join(folder, 'half'));
  writeFileSync(join(folder, 'half', 'my-player.mjs'), 'mine');
  expect((await cli('init', 'half')).ended()).toBe(104);
  expect(existsSync(join(folder, 'half', 'my-world.yaml'))).toBe(false);
  writeFileSync(join(folder, 'file'), '');
  expect((await cli('init', 'file')).ended()).toBe(104);
  const unnamed = await cli('init', '');
  expect(unnamed.ended()).toBe(104);
  expect(unnamed.err()).toContain("error: init: got '', expected the name of a folder");
  expect(existsSync(join(folder, 'my-world.yaml'))).toBe(false);
});

test('init refers to the schema of the capbench that is installed for the folder', async () => {
  const schema = join(folder, 'project', 'node_modules', 'capbench', 'fixtures', 'schema');
  mkdirSync(schema, { recursive: true });
  writeFileSync(join(schema, 'scenario.schema.json'), '{}');
  expect((await cli('init', 'project/load/test')).ended()).toBe(0);
  const path = '../../node_modules/capbench/fixtures/schema/scenario.schema.json';
  const text = readFileSync(join(folder, 'project', 'load', 'test', 'my-world.yaml'), 'utf8');
  expect(text.startsWith(`# yaml-language-server: $schema=${path}\n# `)).toBe(true);
});

test('a file of data is checked before the run: it must be there, and have the columns that texts name', async () => {
  writeFileSync(join(folder, 'users.csv'), 'name,password\nanna,hunter-2-anna\n');
  const requests = '[{ path: "/{name}" }, { path: "/{nam}" }]';
  const file = scenario('data', `{ protocol: http, data: ./users.csv, requests: ${requests} }`);
  const none = scenario('no-data', `{ protocol: http, data: ./none.csv, requests: ${requests} }`);
  const [checked, missing] = [await cli('check', file), await cli('check', none)];
  expect(checked.ended()).toBe(104);
  expect(checked.err()).toContain(
    'error: data.yaml:4:87 players.requests.1.path: unknown name {nam}, expected',
  );
  expect(checked.err()).toContain('a column of ./users.csv: name, password');
  expect(checked.err()).toContain('did you mean {name}?');
  expect(checked.err()).not.toContain('hunter');
  expect(missing.ended()).toBe(104);
  expect(missing.err()).toContain('./none.csv cannot be read');
});

test('variables of the players must be set, and their values are secrets', async () => {
  const players = '{ protocol: http, environment: [GAME_REALM], requests: [{ path: "/{env.GAME_REALM}" }] }';
  const file = scenario('environment', players);
  const unset = await cli('check', file);
  expect(unset.ended()).toBe(104);
  expect(unset.err()).toContain(
    'environment.yaml:4:42 players.environment.0: the variable GAME_REALM is empty or not set',
  );
  const set = memoryHost(['check', file], { cwd: folder, env: { GAME_REALM: 'realm-42-x' } });
  await main(set);
  expect(set.ended()).toBe(0);
  expect(set.redaction.text('said realm-42-x-7')).not.toContain('realm-42-x');
});

test('--module-env needs a module, and a variable that is set', async () => {
  const module = scenario('module-env', '{ module: ./player.mjs }');
  const unset = await cli('run', module, '--allow-module', '--module-env', 'GAME_KEY');
  expect(unset.ended()).toBe(104);
  expect(unset.err()).toContain('--module-env: the variable GAME_KEY is empty or not set');
  const other = await cli('run', scenario('json-env', JSON_PLAYERS), '--module-env', 'GAME_KEY');
  expect(other.ended()).toBe(104);
  expect(other.err()).toContain('--module-env is given, and the players of this scenario are no module');
});
