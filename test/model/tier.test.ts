import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { EXIT } from '../../src/errors.ts';
import { readTiers, tiersJsonSchema } from '../../src/model/tier.ts';
import { ScenarioError } from '../../src/scenario/problem.ts';

const folder = join(import.meta.dirname, '../../fixtures/tiers');
const read = (text: string, today: string | null = '2026-11-30') =>
  readTiers('tiers.yaml', new TextEncoder().encode(text), today);

const shipped = readdirSync(folder).flatMap((name) =>
  readTiers(name, readFileSync(join(folder, name)), null),
);

test('the shipped tiers can be read, and each has a name of its own', () => {
  expect(shipped.length).toBeGreaterThan(60);
  expect(new Set(shipped.map(({ id }) => id)).size).toBe(shipped.length);
});

test('a shipped price has a date, or is never ranked; a dated one has a source', () => {
  for (const { id, price } of shipped) {
    if (id.startsWith('doc-')) expect(price?.read ?? null, id).toBeNull();
    else if (price?.read != null) expect(price.source, id).toMatch(/^https:\/\//);
  }
});

test('what a file says for all of its tiers holds for each, unless it says otherwise itself', () => {
  const [one, other] = read(`
version: 1
provider: Somebody
currency: EUR
read: 2026-11-01
source: https://example.com/prices
trafficPerGB: 0.01
tiers:
  - { id: small, cpus: 1, kind: burstable, baselinePercent: 20, memory: 512MB, disk: extra, traffic: 0.5TB, price: 3.5 }
  - { id: large, cpus: 8, arch: arm64, kind: dedicated-core, memory: 32GB, disk: 80GB, traffic: unlimited, price: 90, read: 2026-10-01, orderable: false, currency: USD }
`);
  expect(one).toEqual({
    ...{ id: 'small', provider: 'Somebody', cpus: 1, arch: 'x64', kind: 'burstable', baselinePercent: 20 },
    ...{
      memoryBytes: 512 * 2 ** 20,
      diskBytes: 'extra',
      trafficBytes: 5e11,
      trafficPerGB: 0.01,
      remark: null,
    },
    price: {
      ...{ amount: 3.5, currency: 'EUR', read: '2026-11-01' },
      ...{ source: 'https://example.com/prices', orderable: null },
    },
  });
  expect(other).toMatchObject({ arch: 'arm64', trafficBytes: 'unlimited', diskBytes: 80 * 2 ** 30 });
  expect(other?.price).toMatchObject({ currency: 'USD', read: '2026-10-01', orderable: false });
});

/** The error of a file, as the user sees it. */
function errorOf(text: string): string {
  try {
    read(text);
  } catch (thrown) {
    if (!(thrown instanceof ScenarioError)) throw thrown;
    expect(thrown.exitCode).toBe(EXIT.badInput);
    return [thrown.message, thrown.hint].filter(Boolean).join(' | ');
  }
  return 'none';
}

const tier = (rest: string): string =>
  `version: 1\ncurrency: EUR\ntiers:\n  - { id: a, cpus: 2, kind: shared, memory: 4GB }\n  - { ${rest} }\n`;

test.each([
  [
    'id: a, cpus: 2, kind: shared, memory: 4GB',
    'tiers.yaml:5:11 tiers.1.id: got a a second time (tier 1 has it)',
  ],
  [
    'id: b, cpus: 2.5, kind: shared, memory: 4GB',
    'tiers.yaml:5:20 tiers.1.cpus: got 2.5, expected a whole number',
  ],
  [
    'id: b, cpus: 2, kind: fast, memory: 4GB',
    'expected one of shared, burstable, dedicated-thread, dedicated-core',
  ],
  ['id: b, cpus: 2, kind: shared, memory: 4 GB of it', 'expected a size of 64MB to 64TB'],
  ['id: b, cpus: 2, kind: shared, memory: 4', 'expected a size of 64MB to 64TB'],
  ['id: b, cpus: 2, kind: shared', 'tiers.yaml:5:5 tiers.1.memory: got nothing, expected a size'],
  ['id: b, cpus: 2, kind: shared, memory: 4GB, prize: 5', 'unknown key "prize"'],
  ['id: b, cpus: 2, kind: shared, memory: 4GB, price: -1', 'expected a price per month of 0 to 1,000,000'],
  ['id: b, cpus: 2, kind: shared, memory: 4GB, price: .nan', 'got .nan'],
  [
    'id: b, cpus: 2, kind: shared, memory: 4GB, read: 2026-02-30',
    'expected the day on which the price was read',
  ],
  [
    'id: b, cpus: 2, kind: shared, memory: 4GB, read: 3.9.2026',
    'expected the day on which the price was read',
  ],
  ['id: b, cpus: 2, kind: shared, memory: 4GB, traffic: 20', 'expected unlimited, or a size such as 20TB'],
  [
    'id: b, cpus: 2, kind: shared, memory: 4GB, traffic: 20 TB',
    'got "20 TB", expected unlimited, or a size such as 20TB',
  ],
  [
    'id: b, cpus: 2, kind: shared, memory: 4GB, disk: 80GiB',
    'got "80GiB", expected extra where it is priced apart, or a size such as 80GB',
  ],
  [
    'id: b, cpus: 2, kind: shared, memory: 4GB, read: 2027-06-01',
    'tiers.yaml:5:56 tiers.1.read: got 2027-06-01, which is to come, expected the day on which the price was read',
  ],
  ['id: b, cpus: 2, kind: shared, memory: 4GB, orderable: maybe', 'expected true or false'],
  ['id: b, cpus: 2, kind: shared, baselinePercent: 20, memory: 4GB', 'expected one only for burstable'],
  ['id: b, cpus: 2, kind: shared, memory: 4GB, currency: euro', 'expected a currency of three letters'],
])('%s', (rest, error) => {
  expect(errorOf(tier(rest))).toContain(error);
});

test('a price needs a currency, and a file its version and tiers', () => {
  const text = 'version: 1\ntiers: [{ id: a, cpus: 2, kind: shared, memory: 4GB, price: 5 }]\n';
  expect(errorOf(text)).toContain('tiers.yaml:2:61 tiers.0.price: got a price without a currency');
  expect(errorOf('version: 2\ntiers: []\n')).toContain('tiers.yaml:1:10 version: got 2, expected 1');
  expect(errorOf('version: 1\ntiers: []\n')).toContain('expected a list of 1 to 500 tiers');
  expect(errorOf('')).toContain('tiers.yaml:1:1');
  expect(errorOf('a: [\n')).toContain('invalid YAML');
  expect(errorOf('\0')).toContain('fixtures/tiers/hetzner.yaml');
});

test('a day that is to come is refused for the whole file, too; tomorrow may be today elsewhere', () => {
  const text = (day: string) =>
    `version: 1\nread: ${day}\ntiers: [{ id: a, cpus: 2, kind: shared, memory: 4GB }]\n`;
  expect(errorOf(text('2026-12-02'))).toContain('tiers.yaml:2:7 read: got 2026-12-02, which is to come');
  expect(read(text('2026-12-01'))).toHaveLength(1);
  expect(read(text('2030-01-01'), null)).toHaveLength(1);
});

test('all errors of a file are reported together', () => {
  expect(errorOf(tier('id: B, cpus: 0, kind: none, memory: x'))).toMatch(/^4 problems/);
});

const schemaFile = join(import.meta.dirname, '../../fixtures/schema/tiers.schema.json');
// Writes the committed file again after a change of the schema.
if (process.env.CAPBENCH_WRITE_SCHEMA === '1')
  writeFileSync(schemaFile, `${JSON.stringify(tiersJsonSchema(), null, 2)}\n`);

test('the committed JSON Schema is that of the code (CAPBENCH_WRITE_SCHEMA=1 writes it), and accepts the shipped files', () => {
  const committed = JSON.parse(readFileSync(schemaFile, 'utf8'));
  expect(committed).toEqual(JSON.parse(JSON.stringify(tiersJsonSchema())));
  const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(committed);
  for (const name of readdirSync(folder)) {
    const text = readFileSync(join(folder, name), 'utf8');
    expect(validate(parse(text)), `${name}: ${JSON.stringify(validate.errors)}`).toBe(true);
    expect(text).toMatch(/^# yaml-language-server: \$schema=\.\.\/schema\/tiers\.schema\.json\n/);
  }
});
