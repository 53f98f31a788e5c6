import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { runCli } from '../../src/cli.ts';
import type { Ladder } from '../../src/model/ladder.ts';
import { SCORES, type Scores } from '../../src/model/scores.ts';
import { measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { memoryHost } from '../memory-host.ts';
import { search } from '../model/simulated.ts';
import { reportFrom } from '../report/report-of.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const recorded = reportFrom(measurementsOf(), scenarioOf());
const mean = (value: number) => ({ mean: value, min: value, max: value });

/** What a run of so many players cost, on a machine of two cores; half of one goes to the generator. */
const costing = (players: number, cpuModel: string) => ({
  ...recorded,
  ...{ scenario: 'my-world', system: 'own', outcome: 'pass' },
  load: {
    ...recorded.load,
    ...{ requestedCcu: players, durationSeconds: 20, operations: {} },
    total: { ...recorded.load.total, sentPercent: 100, unansweredPercent: 0 },
  },
  world: {
    ...recorded.world,
    ...{ servers: 2, cpuPercentTotal: mean(0.05 * players), cpuCores: mean(0.0005 * players) },
    memoryTotalBytes: mean(1e8 + players * 1e5),
  },
  database: { ...recorded.database, cpuCores: mean(0.0001 * players), memoryBytes: mean(1e8) },
  throughput: { ...recorded.throughput, operationsPerSecond: 2 * players },
  network: { ...recorded.network, bytesPerPlayerSecondIn: 1_000, bytesPerPlayerSecondOut: 100 },
  generator: { ...recorded.generator, cpuCores: 0.5 },
  host: { ...recorded.host, cpus: 2, cpuModel },
});

function writeRun(folder: string, players: number, over: object = {}, cpuModel = 'a cpu'): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'report.json'), JSON.stringify({ ...costing(players, cpuModel), ...over }));
  return folder;
}

/** A whole search as `capbench search` leaves it. */
function writeSearch(folder: string, knee = 800, over: Partial<Ladder> = {}): string {
  const { ladder, result } = search({ knee, noise: 0, shortBias: 0, failing: 0, invalid: 0 }, 1, {
    from: 100,
  });
  const steps = ladder.steps.map((one) => ({ ...one, bundle: `step-${one.step}` }));
  for (const { bundle, players, outcome } of steps)
    writeRun(join(folder, bundle), players, { outcome }, over.host?.cpuModel);
  const content: Ladder = { ...ladder, scenario: 'my-world', system: 'own', steps, result, ...over };
  writeFileSync(join(folder, 'search.json'), JSON.stringify(content));
  return folder;
}

const TIERS = `
version: 1
provider: Somebody
currency: EUR
read: ${new Date().toISOString().slice(0, 10)}
source: https://example.com
tiers:
  - { id: small, cpus: 1, kind: shared, memory: 2GB, traffic: unlimited, price: 5, orderable: true }
  - { id: middle, cpus: 2, kind: shared, memory: 4GB, traffic: unlimited, price: 9 }
  - { id: dear, cpus: 2, kind: dedicated-core, memory: 8GB, traffic: unlimited, price: 40 }
  - { id: dollars, cpus: 2, kind: shared, memory: 4GB, traffic: unlimited, price: 2, currency: USD }
  - { id: gone, cpus: 2, kind: shared, memory: 4GB, price: 1, orderable: false }
`;

const printed = z.object({
  kind: z.literal('sizing'),
  question: z.object({ currency: z.string() }),
  measured: z.object({ runs: z.number(), searches: z.number() }),
  tiers: z.array(
    z.object({
      ...{
        id: z.string(),
        boxes: z.number(),
        costPerMonth: z.number().nullable(),
        playersPerBox: z.number(),
      },
      capacity: z.object({ label: z.string(), low: z.number(), high: z.number().nullable() }),
      awsPricingCalculator: z.record(z.string(), z.number()),
    }),
  ),
  leftOut: z.array(z.object({ id: z.string(), because: z.string() })),
});

/** A folder with a search and a tiers file, and the command in it. */
function setUp() {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'tiers.yaml'), TIERS);
  writeSearch(join(folder, 'found'));
  const size = async (...args: readonly string[]) => {
    const host = memoryHost(['size', ...args], { cwd: folder });
    const exitCode = await runCli(host);
    return { exitCode, out: host.out(), err: host.err() };
  };
  const json = async (...args: readonly string[]) => {
    const { exitCode, out, err } = await size(...args, '--json');
    expect(err).toBe('');
    return { exitCode, ...printed.parse(JSON.parse(out)) };
  };
  return { folder, size, json };
}
const OWN = ['--tiers', 'tiers.yaml', '--currency', 'EUR'] as const;
const ASKED = ['--from', 'found', '--players', '400', ...OWN] as const;

test('the cheapest that holds the players comes first, with what is known of it', async () => {
  const { json, size } = setUp();
  const { exitCode, measured, tiers, leftOut, question } = await json(...ASKED);
  expect(exitCode).toBe(0);
  expect(question.currency).toBe('EUR');
  expect(measured.searches).toBe(1);
  expect(tiers[0]).toMatchObject({
    id: 'middle',
    boxes: 1,
    costPerMonth: 9,
    capacity: { label: 'bounds only' },
  });
  expect(leftOut).toEqual([
    { id: 'dollars', because: 'another currency' },
    { id: 'gone', because: 'not orderable' },
  ]);
  const { out } = await size(...ASKED);
  expect(out).toContain('400 players of my-world, 30% of each machine free');
  expect(out).toMatch(/middle\s+2 shared\s+4 GB/);
  expect(out).toContain('--rate USD=0.9');
  expect(out).toMatch(/middle: 9\.00 EUR a month, bounds only\.\n$/);
});

test('rates, a budget, headroom and AWS’s names', async () => {
  const { json } = setUp();
  const rated = await json(...ASKED, '--rate', 'USD=0.5');
  expect(rated.tiers[0]).toMatchObject({ id: 'dollars', costPerMonth: 1 });
  const cheap = await json(...ASKED, '--budget', '8');
  expect(cheap.leftOut).toContainEqual({ id: 'dear', because: 'over the budget' });
  const middle = async (headroom: string) =>
    (await json(...ASKED, '--headroom', headroom)).tiers.find(({ id }) => id === 'middle');
  const [all, half] = [await middle('0'), await middle('50%')];
  expect(half?.playersPerBox).toBe(Math.floor((all?.capacity.low ?? 0) / 2));
  const { tiers } = await json(...ASKED, '--players-per-session', '20', '--average', '40');
  expect(tiers[0]?.awsPricingCalculator).toMatchObject({
    'Peak concurrent players (peak CCU)': 400,
    'Average CCU per hour, percentage of peak CCU': 40,
    'Players per game session': 20,
    'Game sessions per instance': Math.floor((tiers[0]?.playersPerBox ?? 0) / 20),
  });
});

test('nobody holds a million players on one machine: 99 only where no number of machines does', async () => {
  const { json } = setUp();
  const many = await json('--from', 'found', '--players', '1000000', ...OWN);
  expect(many.exitCode).toBe(0);
  expect(many.tiers.every(({ boxes }) => boxes > 1)).toBe(true);
  const none = await json('--from', 'found', '--players', '300', ...OWN, '--budget', '0.5');
  expect([none.exitCode, none.tiers]).toEqual([99, []]);
});

test('the page and the CSV have every ranked machine', async () => {
  const { folder, size } = setUp();
  const { exitCode } = await size(...ASKED, '--html', 'out/size.html', '--csv', 'out/size.csv');
  expect(exitCode).toBe(0);
  const html = readFileSync(join(folder, 'out/size.html'), 'utf8');
  for (const id of ['middle', 'dear', 'small']) expect(html).toContain(id);
  expect(html).toContain('<svg');
  const [head = '', ...rows] = readFileSync(join(folder, 'out/size.csv'), 'utf8').trimEnd().split('\r\n');
  expect(rows).toHaveLength(3);
  for (const row of rows) expect(row.split(',')).toHaveLength(head.split(',').length);
});

test('three searches of different sizes give an interval, and one with --tier says what it emulated', async () => {
  const { folder, json } = setUp();
  const limited = (name: string, knee: number, cpus: number, tier: string | null): string => {
    const at = writeSearch(join(folder, name), knee, { tier });
    for (let step = 1; existsSync(join(at, `step-${step}`)); step++) {
      const file = join(at, `step-${step}`, 'report.json');
      const report: unknown = JSON.parse(readFileSync(file, 'utf8'));
      const limits = { stack: { cpus, memoryBytes: null } };
      writeFileSync(file, JSON.stringify({ ...(report as object), limits }));
    }
    return name;
  };
  const from = [
    limited('half', 310, 0.5, null),
    limited('one', 700, 1, 'small'),
    limited('more', 900, 1.25, null),
  ];
  const { tiers } = await json('--from', ...from, '--players', '300', ...OWN);
  const of = (id: string) => tiers.find((one) => one.id === id)?.capacity;
  expect(of('small')?.label).toBe('emulated');
  expect(of('small')?.low).toBeGreaterThan(600);
  expect(of('middle')?.label).toBe('predicted');
  expect(of('middle')?.high).not.toBeNull();
});

/** Changes each report.json of a search. */
function editSteps(folder: string, change: (report: Record<string, object>) => object): string {
  for (let step = 1; existsSync(join(folder, `step-${step}`)); step++) {
    const file = join(folder, `step-${step}`, 'report.json');
    const report = JSON.parse(readFileSync(file, 'utf8')) as Record<string, object>;
    writeFileSync(file, JSON.stringify({ ...report, ...change(report) }));
  }
  return folder;
}

test('four searches with different numbers of servers say how these add up, and three do not', async () => {
  const { folder, size } = setUp();
  const held = (servers: number): number =>
    Math.round((300 * servers) / (1 + 0.1 * (servers - 1) + 0.02 * servers * (servers - 1)));
  for (const servers of [1, 2, 3, 4])
    editSteps(writeSearch(join(folder, `with-${servers}`), held(servers)), ({ world }) => ({
      world: { ...world, servers },
    }));
  const from = [1, 2, 3, 4].map((servers) => `with-${servers}`);
  const printed = z.object({ servers: z.object({ sigma: z.number(), kappa: z.number(), most: z.number() }) });
  const { out } = await size('--from', ...from, '--players', '300', ...OWN, '--json');
  const { servers } = printed.parse(JSON.parse(out));
  // Each search is exact to 5%.
  expect(servers.most).toBeGreaterThan(3);
  expect(servers.most).toBeLessThan(20);
  const text = (await size('--from', ...from, '--players', '300', ...OWN)).out.replaceAll(/\s+/g, ' ');
  expect(text).toContain('1 to 4 servers on one machine: contention');
  expect(text).toMatch(/8 hold [\d,]+ to [\d,]+ players/);
  const three = await size('--from', ...from.slice(1), '--players', '300', ...OWN);
  expect([three.exitCode, three.out.includes('contention')]).toEqual([0, false]);
});

test('runs with batches of several sizes say what a batch costs, and how sure the needs of the players are', async () => {
  const { folder, size } = setUp();
  const from = [100, 200, 400, 800].map((players) => {
    const rows = players / 4;
    const meanMs = 2 + 0.004 * rows;
    writeRun(join(folder, `batches-${players}`), players, {
      throughput: {
        ...recorded.throughput,
        operationsPerSecond: 2 * players,
        ...{ batchesPerSecond: 200, rowsPerBatch: rows, operationsPerBatch: rows },
      },
      database: {
        ...recorded.database,
        ...{ cpuCores: mean(0.0001 * players), memoryBytes: mean(1e8), writersBusyPercent: 10 * meanMs },
      },
      stack: {
        ...recorded.stack,
        applied: { ...recorded.stack.applied, worldBatchOperations: '1000', worldBatchInterval: '10ms' },
      },
    });
    return `batches-${players}`;
  });
  const { out, err } = await size('--from', ...from, '--players', '1200', ...OWN);
  expect(err).toBe('');
  const text = out.replaceAll(/\s+/g, ' ');
  expect(text).toContain('A batch takes 2 ms and 4 µs a row (25 to 200 rows');
  expect(text).toContain('a batch is written when its time has come');
  expect(text).toContain('full batches from 100,000 operations/s of a server on');
  // 0.0011 cores of each.
  expect(text).toMatch(/1,200 players need 1\.32 cores \(1\.2\d to 1\.\d+\)/);
  const far = await size('--from', ...from, '--players', '1700', ...OWN);
  expect(far.out).not.toContain('players need');
});

test('runs alone say that a machine holds at least this', async () => {
  const { folder, json, size } = setUp();
  writeRun(join(folder, 'run'), 400);
  const { tiers, measured } = await json('--from', 'run', '--players', '300', ...OWN, '--headroom', '0');
  expect(measured).toEqual({ runs: 1, searches: 0 });
  expect(tiers.find(({ id }) => id === 'middle')?.capacity.label).toBe('bounds only');
  writeRun(join(folder, 'failed'), 400, { outcome: 'fail' });
  const { exitCode, err } = await size('--from', 'failed', '--players', '300', ...OWN);
  expect(exitCode).toBe(104);
  expect(err).toContain('none of the runs passed');
  expect(err).toContain('capbench search');
});

const scores = (cpuModel: string, javascript: number): Scores => ({
  ...{ schemaVersion: 1, kind: 'score', measuredAt: '2026-11-30T12:00:00Z', capbench: '1', node: 'v22' },
  ...{ cpuModel, cpus: 2, cores: 1, arch: 'x64', memoryBytes: 4e9, stealPercent: 0 },
  scores: Object.fromEntries(
    Object.entries(SCORES).map(([name, better]) => [
      name,
      { value: javascript, unit: 'x', better, spread: 0.01 },
    ]),
  ) as Scores['scores'],
});

test('a run that is named twice counts once: by a link, by its search, in a folder of trials', async () => {
  const { folder, json } = setUp();
  const once = await json(...ASKED);
  symlinkSync('found', join(folder, 'latest'));
  const twice = await json('--from', 'found/step-1', 'latest', 'found', 'found/', '--players', '400', ...OWN);
  expect(twice.measured).toEqual(once.measured);
  expect(twice.tiers).toEqual(once.tiers);
});

test('the same search three times over is one machine, of which no interval follows', async () => {
  const { folder, json } = setUp();
  for (const name of ['second', 'third'])
    cpSync(join(folder, 'found'), join(folder, name), { recursive: true });
  const { tiers, measured } = await json('--from', 'found', 'second', 'third', '--players', '300', ...OWN);
  expect(measured.searches).toBe(3);
  expect(new Set(tiers.map(({ capacity }) => capacity.label))).toEqual(new Set(['bounds only']));
});

test('a search that says nothing of a bound is named, with the reason', async () => {
  const { folder, size } = setUp();
  writeSearch(join(folder, 'begun'), 800, { result: null });
  const bare = writeSearch(join(folder, 'bare'));
  for (let step = 2; existsSync(join(bare, `step-${step}`)); step++)
    rmSync(join(bare, `step-${step}`), { recursive: true });
  const { exitCode, out } = await size('--from', 'begun', 'bare', '--players', '50', ...OWN);
  expect(exitCode).toBe(0);
  const text = out.replaceAll(/\s+/g, ' ');
  expect(text).toContain('no search that found a bound: only that a run passed is known');
  expect(text).toContain('No bound is known from begun: it has not ended (capbench search --resume).');
  expect(text).toContain('No bound is known from bare: the runs of its last pass are not in its folder.');
});

test('a run that failed with what a search passed with on the same cores is named, as another is not', async () => {
  const { folder, size } = setUp();
  writeRun(join(folder, 'failed'), 500, { outcome: 'fail' });
  const limits = { stack: { cpus: 0.5, memoryBytes: null } };
  writeRun(join(folder, 'smaller'), 400, { outcome: 'fail', limits });
  writeRun(join(folder, 'beyond'), 900, { outcome: 'fail' });
  const { out } = await size('--from', 'found', 'failed', 'smaller', 'beyond', '--players', '50', ...OWN);
  const text = out.replaceAll(/\s+/g, ' ');
  expect(text).toMatch(
    /Contradicted: failed failed with 500, and a search passed with \d+ on the same cores/,
  );
  expect(text.match(/Contradicted/g)).toHaveLength(1);
});

test('a search whose steps lie elsewhere is refused', async () => {
  const { folder, size } = setUp();
  const file = join(folder, 'found/search.json');
  const text = readFileSync(file, 'utf8');
  for (const bundle of ['..', '../other', '/etc', 'a/b']) {
    writeFileSync(file, text.replace('"step-1"', JSON.stringify(bundle)));
    const { exitCode, err } = await size(...ASKED);
    expect([exitCode, err]).toEqual([104, expect.stringContaining('expected the name of a folder')]);
  }
});

test('a rate is printed where it counts, and a single load says nothing of an empty server', async () => {
  const { folder, size } = setUp();
  const rated = await size(...ASKED, '--rate', 'USD=0.5');
  expect(rated.out).toContain('1 USD counts as 0.5 EUR, as given (--rate).');
  expect(rated.out).toContain('Nobody connected');
  expect((await size(...ASKED)).out).not.toContain('counts as');
  writeRun(join(folder, 'run'), 400);
  const alone = await size('--from', 'run', '--players', '300', ...OWN);
  expect(alone.out).not.toContain('Nobody connected');
});

test('where everybody hears everybody, the traffic is that of so many, and a larger machine holds no more', async () => {
  const { folder, size } = setUp();
  const from = [100, 200, 400].map((players) => {
    writeRun(join(folder, `heard-${players}`), players, {
      network: { ...recorded.network, bytesPerPlayerSecondIn: 10 * players, bytesPerPlayerSecondOut: 100 },
      world: {
        ...costing(players, '').world,
        cpuPercentTotal: mean((0.0002 * players ** 2) / 2),
        cpuCores: mean((0.000002 * players ** 2) / 2),
      },
      database: { ...recorded.database, cpuCores: mean(0), memoryBytes: mean(1e8) },
    });
    return `heard-${players}`;
  });
  const { out } = await size('--from', ...from, '--players', '300', ...OWN, '--headroom', '0');
  const text = out.replaceAll(/\s+/g, ' ');
  expect(text).toContain('receives 0.977 kB/s where there are 100 and 3.91 kB/s where there are 400');
  expect(text).toContain('the CPU of a player grows with the number of players, by 300%');
  expect(text).not.toContain('Nobody connected');
});

test('scores of a rented machine change what it holds', async () => {
  const { folder, json, size } = setUp();
  writeFileSync(join(folder, 'here.json'), JSON.stringify(scores('a cpu', 100)));
  writeFileSync(join(folder, 'there.json'), JSON.stringify(scores('a slow cpu', 50)));
  const lowOf = async (...args: readonly string[]): Promise<number> =>
    (await json(...ASKED, ...args)).tiers.find(({ id }) => id === 'middle')?.capacity.low ?? 0;
  const same = await lowOf();
  const slow = await lowOf('--scores', 'here.json', '--tier-scores', 'middle=there.json');
  expect(slow).toBeLessThan(0.7 * same);
  const alone = await size(...ASKED, '--tier-scores', 'middle=there.json');
  expect([alone.exitCode, alone.err]).toEqual([104, expect.stringContaining('without --scores')]);
  const other = await size(...ASKED, '--scores', 'there.json', '--tier-scores', 'middle=there.json');
  expect([other.exitCode, other.err]).toEqual([104, expect.stringContaining('that was measured (a cpu)')]);
  writeFileSync(join(folder, 'arm.json'), JSON.stringify({ ...scores('an arm', 50), arch: 'arm64' }));
  const here = ['--scores', 'here.json'];
  for (const [args, why] of [
    [['--scores', 'there.json'], 'of a CPU on which nothing was measured (a slow cpu; measured: a cpu)'],
    [[...here, ...here], 'here.json is of a cpu, as another of the files is'],
    [
      [...here, '--tier-scores', 'middle=arm.json'],
      'arm.json is of a machine with arm64, and middle has x64',
    ],
    [
      [...here, '--tier-scores', 'middle=there.json', '--tier-scores', 'middle=here.json'],
      'middle is given twice',
    ],
  ] as const) {
    const refused = await size(...ASKED, ...args);
    expect([refused.exitCode, refused.err]).toEqual([104, expect.stringContaining(why)]);
  }
});

test('searches on machines of different CPUs need the scores of both', async () => {
  const { folder, json, size } = setUp();
  writeSearch(join(folder, 'there'), 500, { host: { name: 'there', cpuModel: 'a slow cpu', cpus: 2 } });
  const both = ['--from', 'found', 'there', '--players', '300', ...OWN];
  const refused = await size(...both);
  expect(refused.exitCode).toBe(104);
  expect(refused.err).toContain('was measured on another CPU');
  writeFileSync(join(folder, 'here.json'), JSON.stringify(scores('a cpu', 100)));
  writeFileSync(join(folder, 'there.json'), JSON.stringify(scores('a slow cpu', 60)));
  const { measured } = await json(...both, '--scores', 'here.json', '--scores', 'there.json');
  expect(measured.searches).toBe(2);
});

test.each([
  [['--from', 'nowhere', '--players', '3'], 'there is no folder nowhere'],
  [['--from', 'found', '--players', '0'], '--players: got "0"'],
  [['--from', 'found', '--players', 'many'], '--players: got "many"'],
  [['--from', 'found', '--players', '3', '--headroom', '100'], 'expected a percentage of 0 to 95'],
  [['--from', 'found', '--players', '3', '--headroom', '-5'], 'expected a percentage of 0 to 95'],
  [['--from', 'found', '--players', '3', '--rate', 'dollar=1'], 'expected CODE=rate'],
  [['--from', 'found', '--players', '3', '--rate', 'USD'], '--rate: got "USD", expected CODE=rate'],
  [['--from', 'found', '--players', '3', '--rate', 'USD=0,9'], '--rate USD=0.9: what one dollar is'],
  [['--from', 'found', '--players', '3', '--rate', 'USD=1', '--rate', 'USD=2'], 'USD is given twice'],
  [['--from', 'found', '--players', '3', '--rate', 'EUR=2'], 'got one for EUR, in which prices are compared'],
  [['--from', 'found', '--players', '3', '--currency', 'XYZ'], 'no tier has a price in XYZ, and no --rate'],
  [['--from', 'found', '--players', '3', '--tiers', 'future.yaml'], 'future.yaml:3:7 read: got 2999-01-01'],
  [['--from', 'faster', 'found', '--players', '3'], 'these are not the same load'],
  [['--from', 'bare', '--players', '3'], 'bare has no report.json in the folders of its steps'],
  [['--from', 'found', '--players', '3', '--budget', '0'], 'expected an amount above 0'],
  [['--from', 'found', '--players', '3', '--currency', 'euro'], 'expected three letters'],
  [['--from', 'found', '--players', '3', '--tiers', 'none.yaml'], 'none.yaml does not exist'],
  [['--from', 'found', '--players', '3', '--tiers', 'broken.yaml'], 'broken.yaml:3:20 tiers.0.cpus: got 0'],
  [['--from', 'found', '--players', '3', '--tiers', 'tiers.yaml'], 'the tiers have prices in EUR and USD'],
  [['--from', 'found', '--players', '3', '--tier-scores', 'no-such=x.json'], 'there is no tier "no-such"'],
  [['--from', 'found', '--players', '3', '--scores', 'tiers.yaml'], 'tiers.yaml is broken'],
  [['--from', 'empty', '--players', '3'], 'report.json does not exist'],
  [['--from', 'torn', '--players', '3'], 'report.json is broken'],
  [['--from', 'strange', '--players', '3'], 'is not of a run that this capbench can read'],
  [['--from', 'found', 'other', '--players', '3'], 'is of the scenario other-world'],
  [['--from', 'found', '--players', '3', '--csv', 'found/search.json'], 'input of this command'],
  [['--players', '3'], "required option '--from <bundles...>'"],
  [
    [
      '--from',
      'found',
      '--players',
      '3',
      '--html',
      'tiers.yaml',
      '--tiers',
      'tiers.yaml',
      '--currency',
      'EUR',
    ],
    'input of this command',
  ],
])('%s: 104', async (args, why) => {
  const { folder, size } = setUp();
  writeFileSync(
    join(folder, 'broken.yaml'),
    'version: 1\ntiers:\n  - { id: a, cpus: 0, kind: shared, memory: 4GB }\n',
  );
  for (const name of ['empty', 'torn', 'strange']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'torn/report.json'), '{"schemaVersion":1,');
  writeFileSync(join(folder, 'strange/report.json'), '{"schemaVersion":1}');
  writeRun(join(folder, 'other'), 100, { scenario: 'other-world' });
  writeFileSync(
    join(folder, 'future.yaml'),
    'version: 1\ncurrency: EUR\nread: 2999-01-01\ntiers: [{ id: a, cpus: 2, kind: shared, memory: 4GB, price: 5 }]\n',
  );
  writeRun(join(folder, 'faster'), 100, {
    throughput: { ...recorded.throughput, operationsPerSecond: 400 },
  });
  mkdirSync(join(folder, 'bare'));
  cpSync(join(folder, 'found/search.json'), join(folder, 'bare/search.json'));
  const { exitCode, out, err } = await size(...args);
  expect([exitCode, out]).toEqual([104, '']);
  expect(err).toContain(why);
});

test('the shipped tiers are used unless others are named', async () => {
  const { json } = setUp();
  const { tiers, leftOut } = await json('--from', 'found', '--players', '100');
  expect(tiers.length + leftOut.length).toBeGreaterThan(60);
  expect(leftOut.filter(({ id }) => id.startsWith('doc-')).length).toBeGreaterThan(10);
});
