import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { main, programOf } from '../src/cli.ts';
import { EXIT } from '../src/errors.ts';
import { type MemoryHost, memoryHost } from './memory-host.ts';

const folder = mkdtempSync(join(tmpdir(), 'capbench-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function cli(
  argv: readonly string[],
  env: Record<string, string> = {},
  cwd = folder,
): Promise<MemoryHost> {
  const host = memoryHost(argv, { env, cwd });
  await main(host);
  return host;
}

const SCENARIOS = join(import.meta.dirname, '../scenarios');
const MINIMAL = 'name: mine\nsystem: flux\nload: { players: 100 }\n';

describe('help and version', () => {
  test('--version prints the version', async () => {
    const host = await cli(['--version']);
    expect(host.out()).toBe('9.9.9\n');
    expect(host.ended()).toBe(0);
  });

  test('--help shows the verbs and examples on stdout', async () => {
    const host = await cli(['--help']);
    expect(host.out()).toContain('Examples:');
    expect(host.out()).toMatch(/^ {2}check /m);
    expect(host.err()).toBe('');
    expect(host.ended()).toBe(0);
  });

  test('help and a verb print the help of that verb', async () => {
    const host = await cli(['help', 'run']);
    expect(host.out()).toContain('Usage: capbench run [options] <scenario>');
    expect(host.err()).toBe('');
    expect(host.ended()).toBe(0);
  });

  test('every verb has examples', () => {
    const verbs = programOf(memoryHost([])).commands.map((command) => command.name());
    expect(verbs).toEqual(expect.arrayContaining(['run', 'list', 'check', 'serve']));
    return Promise.all(
      verbs.map(async (verb) => {
        const host = await cli([verb, '--help']);
        expect(host.out(), verb).toContain(`$ capbench ${verb}`);
        expect(host.ended(), verb).toBe(0);
      }),
    );
  });

  test('without a verb, help goes to stderr and the code is that of bad input', async () => {
    const host = await cli([]);
    expect(host.err()).toContain('Usage: capbench');
    expect(host.ended()).toBe(104);
  });
});

describe('invalid input is refused with a suggestion', () => {
  test.each([
    [['lst'], "unknown command 'lst'", 'Did you mean list?'],
    [['check', 'quickstart', '--scael', '2'], "unknown option '--scael'", 'Did you mean --scale?'],
    [['check'], "missing required argument 'scenario'", 'capbench <verb> --help'],
    [['list', 'extra'], 'too many arguments', 'capbench <verb> --help'],
    [
      ['check', 'quickstart', '--scale'],
      "option '--scale <factor>' argument missing",
      'capbench <verb> --help',
    ],
    [['check', 'quikstart'], 'no scenario named "quikstart"', 'did you mean quickstart?'],
    [['check', 'something-else'], 'm4pro-20k, ', './something-else.yaml'],
    [['check', './nosuch.yaml'], 'there is no file nosuch.yaml', 'capbench list'],
    [['check', './'], 'is not a file', ''],
    [['check', 'quickstart', '--scale', '0'], '--scale: got "0"', 'a quarter'],
    [['check', 'quickstart', '--scale', '101'], 'above 0 and up to 100', ''],
    [['check', 'quickstart', '--scale', 'NaN'], 'above 0 and up to 100', ''],
    [['check', 'quickstart', '--duration', '30'], 'a duration of 1s to 24h', 'add its unit: 30s'],
    [['check', 'quickstart', '--duration', '0'], 'a duration of 1s to 24h', 'such as 30s or 5m'],
    [['check', 'quickstart', '--duration', '25h'], 'a duration of 1s to 24h', ''],
    [['check', 'quickstart', '--seed', '-1'], '--seed: got "-1"', ''],
    [['check', 'quickstart', '--set', 'load.players'], 'expected --set path=value', 'load.players=500'],
    [
      ['check', 'quickstart', '--set', 'load.playrs=5'],
      '--set load.playrs=5: unknown key',
      'did you mean players?',
    ],
    [['check', 'quickstart', '--set', 'load.players=x'], '--set load.players=x: got "x"', ''],
  ])('%j', async (argv, message, hint) => {
    const host = await cli(argv);
    const [first, ...rest] = host.err().split('\n');
    expect(first).toMatch(/^error: /);
    expect(first).toContain(message);
    expect(rest.join('\n')).toContain(hint);
    expect(host.out()).toBe('');
    expect(host.ended()).toBe(104);
  });

  test('an invalid environment variable is named', async () => {
    const host = await cli(['check', 'quickstart'], { CAPBENCH_SCALE: 'big' });
    expect(host.err()).toContain('CAPBENCH_SCALE: got "big"');
    expect(host.ended()).toBe(104);
  });
});

describe('bugs', () => {
  test('an uncaught error is a bug: code 1 and a sentence, and the stack only with --verbose', async () => {
    const quiet = await cli(['list']);
    quiet.crash(new Error('boom'));
    expect(quiet.err()).toContain('error: a bug in capbench: boom\nhint: ');
    expect(quiet.err()).not.toContain('at ');
    expect(quiet.ended()).toBe(EXIT.bug);

    const verbose = await cli(['list', '--verbose']);
    verbose.crash(new Error('boom'));
    expect(verbose.err()).toMatch(/boom\nError: boom\n\s+at /);
  });

  test('an error that is not meant for the user ends with code 1', async () => {
    const host = memoryHost(['list'], { root: join(folder, 'no-package-here') });
    await main(host);
    expect(host.err()).toContain('a bug in capbench');
    expect(host.ended()).toBe(1);
  });
});

describe('list', () => {
  test('names the scenarios with their players', async () => {
    const host = await cli(['list']);
    expect(host.out()).toMatch(/^quickstart +1,000 {2}\S/m);
    expect(host.out()).toMatch(/^m4pro-20k +20,000 {2}\S/m);
    expect(host.ended()).toBe(0);
  });

  test('as JSON', async () => {
    const rows: unknown = JSON.parse((await cli(['list', '--json'])).out());
    expect(rows).toHaveLength(readdirSync(SCENARIOS).filter((name) => name.endsWith('.yaml')).length);
    const found = [
      { name: 'm4pro-20k', players: 20000, path: expect.stringMatching(/scenarios.m4pro-20k\.yaml$/) },
      { name: 'quickstart', players: 1000 },
      { name: 'storm', players: 1000 },
    ];
    expect(rows).toEqual(expect.arrayContaining(found.map((one) => expect.objectContaining(one))));
  });
});

describe('check', () => {
  test('shows what would run', async () => {
    const host = await cli(['check', 'm4pro-20k']);
    expect(host.out()).toMatch(/players +20,000, connecting at 2,000\/s/);
    expect(host.out()).toMatch(
      /FLX-151 +< 20 ms +latency\.intent\.due p95\n {6}measured +[^;]+; flux-single-host\.md:557 /,
    );
    expect(
      host
        .out()
        .split('\n')
        .filter((line) => line.length > 80),
    ).toEqual([]);
    expect(host.out()).toMatch(
      /\n61 measurable, 93 untestable, 29 contradicted\nplan: 52 checks, 47 contradicted\n$/,
    );
    expect(host.ended()).toBe(0);
  });

  test('flags override the environment, which overrides the file', async () => {
    const load = async (argv: readonly string[], env: Record<string, string>) => {
      const host = await cli(['check', 'quickstart', '--json', ...argv], env);
      return JSON.parse(host.out()).scenario;
    };
    const env = { CAPBENCH_SCALE: '0.5', CAPBENCH_DURATION: '7s', CAPBENCH_SEED: '11' };
    expect(await load([], {})).toMatchObject({ seed: 1, scale: 1, load: { players: 1000, duration: 20e6 } });
    expect(await load([], env)).toMatchObject({
      seed: 11,
      scale: 0.5,
      load: { players: 500, duration: 7e6 },
    });
    const flags = ['--scale', '0.1', '--duration', '3s', '--seed', '12'];
    expect(await load(flags, env)).toMatchObject({
      seed: 12,
      scale: 0.1,
      load: { players: 100, duration: 3e6 },
    });
    expect(await load([], { CAPBENCH_SCALE: '' })).toMatchObject({ scale: 1 });
  });

  test('-d is --duration, and --players sets load.players before --scale', async () => {
    const shown = async (...argv: string[]) =>
      JSON.parse((await cli(['check', 'quickstart', '--json', ...argv])).out()).scenario;
    const set = await shown('--set', 'load.players=400', '--scale', '0.5', '--duration', '7s');
    expect(await shown('--players', '400', '--scale', '0.5', '-d', '7s')).toEqual(set);
    expect(set).toMatchObject({ altered: ['load.players=400'], load: { players: 200, duration: 7e6 } });
  });

  test.each(['many', '0', '-1', '1.5', '1e9', '1000001', '1,000', '0x10', ''])(
    '--players %j is refused by its own name',
    async (text) => {
      const host = await cli(['check', 'quickstart', '--players', text]);
      expect(host.err()).toContain(
        `error: --players: got ${JSON.stringify(text)}, expected a whole number of 1 to 1,000,000`,
      );
      expect(host.ended()).toBe(104);
    },
  );

  test('a file of another format is not taken for the name of a scenario', async () => {
    const host = await cli(['check', 'README.md']);
    expect(host.err()).toContain('hint: name a file of your own by the path of a .yaml file');
    expect(host.ended()).toBe(104);
  });

  test('accepts a path to a file, relative to the working folder', async () => {
    writeFileSync(join(folder, 'mine.yaml'), MINIMAL);
    expect((await cli(['check', 'mine.yaml'])).ended()).toBe(0);
    expect((await cli(['check', './mine.yaml'])).out()).toContain(join(folder, 'mine.yaml'));
  });

  test('names file, line and column of every problem', async () => {
    writeFileSync(join(folder, 'broken.yaml'), `${MINIMAL}seed: -1\nworld:\n  servers: many\n`);
    const host = await cli(['check', 'broken.yaml']);
    expect(host.err()).toContain(
      'error: 2 problems\n  broken.yaml:4:7 seed: got -1, expected a whole number',
    );
    expect(host.err()).toContain('\n  broken.yaml:6:12 world.servers: got "many"');
    expect(host.ended()).toBe(104);
  });

  test('--json gives the problems as data, with the same code', async () => {
    const host = await cli(['check', 'broken.yaml', '--json']);
    expect(JSON.parse(host.out())).toMatchObject({
      ok: false,
      problems: [
        { where: 'broken.yaml:4:7', path: 'seed' },
        { where: 'broken.yaml:6:12', path: 'world.servers' },
      ],
    });
    expect(host.ended()).toBe(104);
  });

  test('a large file is refused before it is read', async () => {
    writeFileSync(join(folder, 'large.yaml'), MINIMAL + '#'.repeat(300 * 1024));
    const host = await cli(['check', 'large.yaml']);
    expect(host.err()).toContain('larger than 256 KB');
    expect(host.ended()).toBe(104);
  });
});
