import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { scenarioJsonSchema } from '../../src/scenario/json-schema.ts';
import { SYSTEMS } from '../../src/systems/registry.ts';
import { minimal, read } from './scenario-text.ts';

const root = join(import.meta.dirname, '..', '..');
const file = join(root, 'fixtures/schema/scenario.schema.json');
// Writes the committed file again after a change of the schema.
if (process.env.CAPBENCH_WRITE_SCHEMA === '1') {
  writeFileSync(file, `${JSON.stringify(scenarioJsonSchema(SYSTEMS), null, 2)}\n`);
}
const committed: Record<string, unknown> = JSON.parse(readFileSync(file, 'utf8'));
const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(committed);

test('the committed JSON Schema is that of the code (CAPBENCH_WRITE_SCHEMA=1 writes it)', () => {
  expect(committed).toEqual(JSON.parse(JSON.stringify(scenarioJsonSchema(SYSTEMS))));
});

const files = [
  'scenarios',
  'fixtures/init',
  'fixtures/players',
  'test/e2e',
  'test/soak',
  'test/torture',
].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => `${folder}/${name}`),
);

test.each(files)('%s conforms to the schema, and names it for editors', (name) => {
  const text = readFileSync(join(root, name), 'utf8');
  expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true);
  const [first] = text.split('\n');
  expect(first).toBe(`# yaml-language-server: $schema=${relative(join(root, name, '..'), file)}`);
  expect(read(text)).toMatchObject({ name: parse(text).name });
});

const OWN = 'name: a\nsystem: own\nplayers: { protocol: http, requests: [{ path: / }] }\n';

test.each([
  ['the smallest scenario', minimal()],
  ['a rate by its other name', minimal('  intentsPerSecond: 5\n')],
  ['a weight', minimal('  operationsPerSecond: 5\n  operations: { intent: { weight: 2 } }\n')],
  ['players of its own in it', minimal('players: { module: ./a.mjs }\n')],
  [
    'players of one’s own',
    `${OWN}load: { players: 1 }
`,
  ],
  [
    'kinds of operations',
    `name: a\nsystem: own\nplayers: { module: ./a.mjs }\nload: { players: 1, operations: { create: { perSecond: 5 }, look: { weight: 2 }, ready: { due: answer } } }
rules: { rejectedPercent: { create: 5 } }
`,
  ],
  [
    'kinds of operations in a world',
    minimal('  operations: { create: { perSecond: 5 }, monsterCommand: {} }\nplayers: { module: ./a.mjs }\n'),
  ],
])('%s is valid', (_, text) => {
  expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true);
  expect(read(text)).toBeDefined();
});

test.each([
  ['no players', 'name: a\nsystem: flux\nload: {}\n'],
  ['another system', minimal().replace('flux', 'quake')],
  ['another version', minimal('version: 2\n')],
  ['a mistyped key', minimal('budget: []\n')],
  ['a key of another system', `${OWN}load: { players: 1, monsters: 5 }\n`],
  ['an unknown operation', minimal('  operations: { jump: { perSecond: 1 } }\n')],
  ['a rate and a weight', minimal('  operations: { intent: { perSecond: 1, weight: 1 } }\n')],
  ['a weight of who is no player', minimal('  operations: { monsterCommand: { weight: 1 } }\n')],
  ['a duration without a unit', minimal('  duration: "30"\n')],
  ['a size without a unit', minimal('world: { heap: "512" }\n')],
  ['a budget without what it needs', minimal('budgets: [{ claim: 5 }]\n')],
  ['no players of one’s own', minimal().replace('flux', 'own')],
  ['a kind without players of its own', minimal('  operations: { create: { perSecond: 5 } }\n')],
  ['a due beside a rate', `${OWN}load: { players: 1, operations: { a: { perSecond: 5, due: answer } } }\n`],
  ['no name of a kind', `${OWN}load: { players: 1, operations: { Look: { perSecond: 5 } } }\n`],
  ['another protocol', minimal('players: { protocol: smtp }\n')],
])('%s is invalid', (_, text) => {
  expect(validate(parse(text))).toBe(false);
  expect(() => read(text)).toThrow();
});
