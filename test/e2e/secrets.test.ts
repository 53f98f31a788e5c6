import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { processesIn } from '../stack/leftovers.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { capbench, eventually, filesIn, type Started, small } from './capbench.ts';
import { environmentOf, listening, socketsOf } from './faults/inside.ts';

const linux = process.platform === 'linux';

/** The secrets by where they are placed. None is a word, and no two have a part in common. */
const ENVIRONMENT = {
  PGPASSWORD: 'pg-Vq7!xk2m',
  PGSERVICE: 'svc-88/jd?u',
  CI_JOB_TOKEN: 'glcbt-64_Tz9wQ"r<&>',
  AWS_SECRET_ACCESS_KEY: 'wJ4+/lrXUtnF5=EMi/K7',
  DEPLOY_PASSWORD: 'Zo0 % läng 42',
  DATABASE_URL: 'postgres://root:Hy6fd8Ls@db.example/world',
  // Trivial and common values, which must not damage the output.
  CACHE_KEY: '1',
  DB_PASSWORD: 'postgres',
  SOME_TOKEN: 'quickstart',
};
const { PGPASSWORD, PGSERVICE, CI_JOB_TOKEN, AWS_SECRET_ACCESS_KEY, DEPLOY_PASSWORD } = ENVIRONMENT;
const PLANTED = [
  ...[PGPASSWORD, PGSERVICE, CI_JOB_TOKEN, AWS_SECRET_ACCESS_KEY, DEPLOY_PASSWORD, 'Hy6fd8Ls'],
  ...['Bw3-desc-pw', 'Nx1-dev-tok', 'Ru5-title-pw', 'Kc8-set-pw', 'ann:z9'],
];

/** The ways in which a text may be encoded, independent of capbench's own list. */
function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '')
      .slice(shift === 0 ? 0 : shift + 1, -1),
  );
  return [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ x: secret }).toString().slice(2),
    JSON.stringify(secret).slice(1, -1),
    secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
    bytes.toString('hex'),
    // A very short secret leaves so little that it would be found by chance.
    ...(secret.length < 8
      ? []
      : base64.flatMap((text) => [text, text.replaceAll('+', '-').replaceAll('/', '_')])),
  ];
}

/** The secrets that a text contains in any encoding. */
function found(secrets: readonly string[], texts: Readonly<Record<string, string | Buffer>>): string[] {
  return Object.entries(texts).flatMap(([where, text]) =>
    secrets
      .filter((secret) => spellings(secret).some((spelling) => Buffer.from(text).includes(spelling)))
      .map((secret) => `${where}: ${secret}`),
  );
}

const contentsOf = (folder: string): Record<string, Buffer> =>
  Object.fromEntries(filesIn(folder).map((path) => [path.slice(folder.length + 1), readFileSync(path)]));

/** The small scenario with a secret in each of its texts. */
function plantedScenario(): string {
  const scenario = parse(readFileSync(small, 'utf8'));
  scenario.description = 'as in postgres://ann:Bw3-desc-pw@db.example/world, and http://ann:z9@h';
  const applied = 'access_token=Nx1-dev-tok';
  const reason = `it is ${ENVIRONMENT.PGPASSWORD}`;
  scenario.deviations = [{ setting: 'access', documented: 'a token', applied, reason }];
  scenario.budgets[0].title = 'password=Ru5-title-pw ![x](https://evil.example/x.png)';
  const path = join(temporaryFolder(), 'planted.yaml');
  writeFileSync(path, stringify(scenario));
  return path;
}

interface Process {
  readonly pid: number;
  readonly command: string;
  readonly environment: string;
}

const childrenOf = (run: Started): Process[] =>
  processesIn(run.tmp)
    .filter(({ pid }) => pid !== run.child.pid)
    .map(({ pid, command }) => ({ pid, command, environment: environmentOf(pid) }));

const KINDS = ['watchdog', 'postgres', 'flux-server', 'fleet-worker'];

/** Listening TCP sockets of a process, as `/proc/net/tcp` has them: `0100007F` is 127.0.0.1. */
const listeningAt = (pid: number): string[] => {
  const own = new Set(socketsOf(pid));
  return ['tcp', 'tcp6'].flatMap((table) =>
    listening(`/proc/${pid}/net/${table}`)
      .filter(({ inode }) => own.has(inode))
      .map(({ address }) => `${table} ${address}`),
  );
};

test.runIf(linux)(
  'a secret in the environment, the arguments or the scenario reaches no other child, file or terminal',
  { timeout: 180_000 },
  async () => {
    const run = capbench(
      [
        ...['run', plantedScenario(), '--duration', '4s', '--set', 'ceilings.secondsEach=0'],
        ...['--set', 'load.monsterCommandsPerSecond=200'],
        ...['--set', 'budgets.answers.title=secret=Kc8-set-pw'],
      ],
      { env: ENVIRONMENT },
    );
    const children = await eventually('every kind of child', () => {
      const all = childrenOf(run);
      return KINDS.every((kind) => all.some(({ command }) => command.includes(kind))) ? all : null;
    });
    // The probes and backends that come with the load are children too.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const all = [...children, ...childrenOf(run)];
    for (const { pid, command, environment } of all) {
      expect(found(PLANTED, { environment, command }), `${pid} ${command}`).toEqual([]);
      // Only a world server gets a password and a token, and only those of the run.
      const names = environment.split('\0').map((pair) => pair.split('=')[0] ?? '');
      const allowed = command.includes('flux-server') ? ['TOKEN', 'DB_PASSWORD'] : [];
      expect(
        names.filter((name) => /^PG(?!DATA|ROOT|_)|TOKEN|SECRET|PASSW|KEY/.test(name)),
        command,
      ).toEqual(allowed);
    }
    const listeners = new Map(
      childrenOf(run).map(({ pid, command }) => [`${pid} ${command}`, listeningAt(pid)]),
    );
    const worlds = [...listeners].filter(([command]) => command.includes('flux-server'));
    expect(worlds.map(([, at]) => at)).toEqual([['tcp 0100007F'], ['tcp 0100007F']]);
    expect(
      [...listeners].filter(([command, at]) => !command.includes('flux-server') && at.length > 0),
    ).toEqual([]);
    expect([...listeners.keys()].filter((command) => command.includes('postgres')).length).toBeGreaterThan(3);

    const password = /(?:^|\0)DB_PASSWORD=([^\0]+)/.exec(
      all.find(({ command }) => command.includes('flux-server'))?.environment ?? '',
    )?.[1];
    expect(password).toMatch(/^[\w-]{32}$/);
    // What the run keeps meanwhile, PostgreSQL's own files aside.
    const logs = filesIn(run.tmp).filter((path) => path.endsWith('.log'));
    expect(logs.length).toBeGreaterThan(2);
    const secrets = [...PLANTED, password ?? ''];
    expect(found(PLANTED, Object.fromEntries(logs.map((path) => [path, readFileSync(path)])))).toEqual([]);

    const { code, stdout, stderr } = await run.ends(0, 90, 99);
    expect(found(secrets, { stdout, stderr })).toEqual([]);
    const bundle = join(run.out, 'latest');
    const files = contentsOf(bundle);
    expect(Object.keys(files).length).toBeGreaterThan(15);
    expect(found(secrets, files)).toEqual([]);
    expect(found(secrets, { names: filesIn(run.out).join('\n') })).toEqual([]);

    // The redaction is reported, and nothing else is missing.
    expect(stderr).toMatch(/warning: the scenario holds a secret, .*: description \(/);
    expect(parse(String(files['scenario.yaml'])).description).toBe(
      'as in postgres://(redacted)@db.example/world, and http://(redacted)@h',
    );
    expect(String(files['summary.md'])).not.toMatch(/(?<!\\)[[\]]/);
    expect(run.report().rulings.map(({ id }) => id)).toEqual(['connected', 'answers', 'lost']);
    expect(run.report().load.colocated).toBe(true);

    // The bundle is judged again, as the one that ran, with and without the environment.
    for (const env of [{}, ENVIRONMENT]) {
      const again = await capbench(['report', bundle], { env }).finished;
      expect([again.code, again.stderr]).toEqual([code, '']);
      expect(found(secrets, { stdout: again.stdout })).toEqual([]);
    }
    expect(found(secrets, contentsOf(bundle))).toEqual([]);
  },
);

// More of them in commands/bad-input.test.ts.
test.each<[what: string, ...args: string[]]>([
  ['a password in a target', '--target', 'http://ann:Hy6fd8Ls@127.0.0.1:9'],
  ['one in an unknown option', '--verbose', '--password=Hy6fd8Ls'],
])('%s is bad input, and is not repeated', { timeout: 60_000 }, async (_what, ...args) => {
  const run = capbench(['run', small, ...args]);
  const { stdout, stderr } = await run.ends(104);
  expect(stderr).toContain('error: ');
  expect(found(['Hy6fd8Ls'], { stdout, stderr })).toEqual([]);
  expect(readdirSync(run.tmp)).toEqual([]);
});
