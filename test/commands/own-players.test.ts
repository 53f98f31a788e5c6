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

/** A module that leaves a trace when anybody loads it. */
const trace = join(folder, 'trace');
writeFileSync(
  join(folder, 'player.mjs'),
  `import { writeFileSync } from 'node:fs';\nwriteFileSync(${JSON.stringify(trace)}, 'loaded');\n`,
);
const scenario = (name: string, players: string): string => {
  writeFileSync(
    join(folder, `${name}.yaml`),
    `name: mine\nsystem: flux\nload: { players: 10 }\nplayers: ${players}\n`,
  );
  return `./${name}.yaml`;
};

test('a scenario with a module is not run without --allow-module, and the module is not loaded', async () => {
  const file = scenario('module', '{ module: ./player.mjs }');
  const host = await cli('run', file);
  expect(host.ended()).toBe(104);
  expect(host.err()).toContain('error: the scenario names a player module, ./player.mjs: that is code');
  expect(host.err()).toContain('--allow-module');
  const checked = await cli('check', file);
  expect(checked.ended()).toBe(0);
  expect(checked.out()).toContain(
    'as ./player.mjs does: code, which `capbench run` loads with --allow-module',
  );
  expect(existsSync(trace)).toBe(false);
  expect(existsSync(join(folder, 'reports'))).toBe(false);
});

test('a module that is not there is told by the name that the scenario gives it', async () => {
  const file = scenario('none', '{ module: ./not-here.mjs }');
  const [host, checked] = [await cli('run', file, '--allow-module'), await cli('check', file)];
  for (const { ended, err, out } of [host, checked]) {
    expect(ended()).toBe(104);
    expect(err()).toContain('error: none.yaml:4:20 players.module: there is no file ./not-here.mjs');
    expect(err()).toContain('hint: the path is looked up from the folder of the scenario file on');
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
  expect(moved.err()).toContain('error: --set players.module=x.mjs players.module: there is no file x.mjs');
  expect(moved.ended()).toBe(104);
});

test.each([
  ['json', '{ protocol: json, path: /ws, commands: [{ command: look }, { command: go }] }', '2 commands'],
  ['http', '{ protocol: http, requests: [{ path: /a }, { method: POST, path: /b }] }', 'GET /a, POST /b'],
])(
  '%s players need a target, for the world that capbench starts speaks flux',
  async (name, players, shown) => {
    const file = scenario(name, players);
    const host = await cli('run', file);
    expect(host.ended()).toBe(104);
    expect(host.err()).toContain(`error: players: of the protocol ${name} need a server of yours`);
    expect((await cli('check', file)).out()).toContain(shown);
  },
);

test('init writes a scenario and a module, says how to run them, and overwrites nothing', async () => {
  const host = await cli('init', 'fresh');
  expect(host.ended()).toBe(0);
  expect(host.out()).toContain('cd fresh\nnpx capbench run ./my-world.yaml --allow-module\n');
  const text = (name: string): string => readFileSync(join(folder, 'fresh', name), 'utf8');
  expect(text('my-player.mjs')).toContain('export function perform(');
  expect((await cli('check', 'fresh/my-world.yaml')).ended()).toBe(0);

  writeFileSync(join(folder, 'fresh', 'my-player.mjs'), 'mine');
  const again = await cli('init', 'fresh');
  expect(again.ended()).toBe(104);
  expect(again.err()).toContain('fresh/my-world.yaml is there already');
  expect(text('my-player.mjs')).toBe('mine');

  mkdirSync(join(folder, 'half'));
  writeFileSync(join(folder, 'half', 'my-player.mjs'), 'mine');
  expect((await cli('init', 'half')).ended()).toBe(104);
  expect(existsSync(join(folder, 'half', 'my-world.yaml'))).toBe(false);
  writeFileSync(join(folder, 'file'), '');
  expect((await cli('init', 'file')).ended()).toBe(104);
  const unnamed = await cli('init', '');
  expect(unnamed.ended()).toBe(104);
  expect(unnamed.err()).toContain("error: init: '' is there, expected the name of a folder");
  expect(existsSync(join(folder, 'my-world.yaml'))).toBe(false);
});
