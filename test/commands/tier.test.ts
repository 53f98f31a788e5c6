import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import type { Host } from '../../src/host.ts';
import { type MemoryHost, memoryHost } from '../memory-host.ts';
import { emptyLadder } from '../model/simulated.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const folder = temporaryFolder(afterAll);
writeFileSync(
  join(folder, 'own.yaml'),
  `version: 1
provider: Somebody
tiers:
  - { id: one, cpus: 1, kind: shared, memory: 1GB }
  - { id: burst, cpus: 2, kind: burstable, baselinePercent: 20, memory: 2GB }
  - { id: large, cpus: 64, kind: shared, memory: 64GB }
`,
);
writeFileSync(
  join(folder, 'target.yaml'),
  `name: mine
system: own
load: { players: 20, operations: { intent: { perSecond: 40 } } }
players: { protocol: json, commands: [{ command: look }] }
budgets: []
`,
);
writeFileSync(
  join(folder, 'broken.yaml'),
  'version: 1\ntiers:\n  - { id: one, cpus: 0, kind: rented, memory: 1GB }\n',
);

const PATH = process.env.PATH ?? '';

async function call(
  args: readonly string[],
  { env = { PATH }, machine }: Partial<Pick<Host, 'env' | 'machine'>> = {},
): Promise<MemoryHost> {
  const host = memoryHost(args, { cwd: folder, env, ...(machine === undefined ? {} : { machine }) });
  await main(host);
  return host;
}
const OWN = ['--tiers', 'own.yaml'];

test.each([
  [['--tier', 'hetzner_cpx22'], 'there is no tier "hetzner_cpx22"', 'did you mean hetzner-cpx22?'],
  [['--tier', 'zzzzzzzzzzzz'], 'there is no tier "zzzzzzzzzzzz"', 'capbench list --tiers'],
  [OWN, '--tiers is given without --tier', '--tier NAME'],
  [['--tier', 'hetzner-cpx22', ...OWN], 'there is no tier "hetzner-cpx22"', ''],
  [['--tier', 'large', ...OWN], '--tier large: it has 64 CPUs, and this host has 2', 'a smaller tier'],
  [['--tier', 'ovh-d2-2'], '--tier ovh-d2-2: it is burstable', 'baselinePercent'],
  [['--tier', 'one', '--tiers', 'nowhere.yaml'], 'nowhere.yaml', 'name a tiers file'],
  [
    ['--tier', 'one', ...OWN, '--target', 'http://127.0.0.1:1'],
    'nothing here that it could confine',
    'stack.start',
  ],
  [['--tier', 'one', '--tiers', 'broken.yaml'], 'broken.yaml:3:', 'tiers.0.cpus: got 0'],
])('%j is refused by run and by search before anything is started', async (args, message, hint) => {
  for (const verb of ['run', 'search']) {
    const host = await call([verb, 'quickstart', ...args]);
    expect(host.err()).toContain(message);
    expect(host.err()).toContain(hint);
    expect(host.ended()).toBe(104);
  }
  expect(existsSync(join(folder, 'reports'))).toBe(false);
});

test('so are agents of this host, whose load processes nothing keeps off the CPUs of the box', async () => {
  writeFileSync(join(folder, 'token'), 'a-token-of-the-tests');
  const agents = ['--agents', '127.0.0.1:7400', '--agent-token-file', 'token'];
  for (const verb of ['run', 'search']) {
    const host = await call([verb, 'quickstart', '--tier', 'one', ...OWN, ...agents]);
    expect(host.err()).toContain('--agents with --tier one: the servers are started here, on loopback');
    expect(host.ended()).toBe(104);
  }
});

test('so is a scenario whose server capbench does not start', async () => {
  const host = await call(['run', 'target.yaml', '--tier', 'one', ...OWN]);
  expect(host.err()).toContain('--tier one: capbench starts nothing here that it could confine');
  expect(host.ended()).toBe(104);
});

test('cores that this host cannot hold are refused, since the number would be too high', async () => {
  const { machine } = memoryHost([]);
  const share = await call(['run', 'quickstart', '--tier', 'burst', ...OWN]);
  expect(share.err()).toContain(
    '--tier burst: 0.4 CPUs cannot be held here: a share of a CPU needs a control group',
  );
  expect(share.err()).toContain('CAPBENCH_CGROUP');
  expect(share.ended()).toBe(93);
  const bare = await call(['search', 'quickstart', '--tier', 'one', ...OWN], { env: { PATH: '/nowhere' } });
  expect(bare.err()).toContain('--tier one: 1 CPU cannot be held here: there is no taskset on PATH');
  expect(bare.ended()).toBe(93);
  const mac = await call(['run', 'quickstart', '--tier', 'one', ...OWN], {
    machine: { ...machine, platform: 'darwin' },
  });
  expect(mac.err()).toContain('darwin has no way to confine a process');
  expect(mac.ended()).toBe(93);
});

test('a search is resumed only as the same machine', async () => {
  mkdirSync(join(folder, 'earlier'));
  const ladder = { ...emptyLadder(), scenario: 'quickstart', system: 'flux' };
  writeFileSync(join(folder, 'earlier', 'search.json'), JSON.stringify(ladder));
  const host = await call(['search', 'quickstart', '--tier', 'one', ...OWN, '--resume', 'earlier']);
  expect(host.err()).toContain('that search has another tier: none, expected one');
  expect(host.ended()).toBe(104);
});

test('list --tiers says as which machines a stack can run here', async () => {
  const host = await call(['list', '--tiers', 'own.yaml']);
  expect(host.ended()).toBe(0);
  const out = host.out();
  expect(out).toMatch(/^one +1 shared +1\.07 GB|^one +1 shared +1 GB/m);
  expect(out).toMatch(/1 CPU, 768MB/);
  expect(out).toMatch(/no: 64 CPUs, and this\s+host has 2/);
  expect(out).toMatch(/2 at 20%/);
  const json = JSON.parse((await call(['list', '--tiers', 'own.yaml', '--json'])).out());
  expect(json.map(({ id, here }: { id: string; here: { box: unknown } }) => [id, here.box])).toEqual([
    ['one', { cpus: 1, memory: 768 }],
    ['burst', null],
    ['large', null],
  ]);
  const all = JSON.parse((await call(['list', '--tiers', '--json'])).out());
  expect(all.length).toBeGreaterThan(60);
  const both = await call(['list', '--tiers', '--claims']);
  expect(both.ended()).toBe(104);
  const broken = await call(['list', '--tiers', 'broken.yaml']);
  expect(broken.err()).toContain('tiers.0.cpus: got 0');
  expect(broken.ended()).toBe(104);
});
