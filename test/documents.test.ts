import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { EXIT } from '../src/errors.ts';
import { DEFAULT_RULES } from '../src/scenario/rules.ts';
import { Metrics } from '../src/systems/flux/server/metrics.ts';
import { DELIVERIES } from './fixtures/recorded-deliveries.ts';
import { measurementsOf, scenarioOf } from './fixtures/recorded-run.ts';
import { STAGES } from './fixtures/recorded-stages.ts';
import { judged } from './judge/measured.ts';

const root = join(import.meta.dirname, '..');
const text = (file: string): string => readFileSync(join(root, file), 'utf8');

const DOCUMENTS = [
  'README.md',
  'fixtures/ci/README.md',
  'scenarios/README.md',
  'reports/README.md',
  'src/README.md',
  'src/load/README.md',
  'src/load/agent/README.md',
  'src/judge/README.md',
  'src/compare/README.md',
  'src/model/README.md',
  'src/score/README.md',
  'src/server/README.md',
  'src/systems/flux/README.md',
  'src/systems/massless/README.md',
  'src/systems/mud/README.md',
  'src/systems/own/README.md',
  'src/systems/realm/README.md',
  'test/README.md',
];

/** The rows of all tables, without their heads. */
const rowsOf = (markdown: string): readonly (readonly string[])[] =>
  markdown.split('\n').flatMap((line) =>
    line.startsWith('| ') && !line.startsWith('| ---')
      ? [
          line
            .slice(1, line.lastIndexOf('|'))
            .split('|')
            .map((cell) => cell.trim()),
        ]
      : [],
  );

/** The names in backticks of the first column. */
const namesOf = (markdown: string): readonly string[] =>
  rowsOf(markdown).flatMap(([first = '']) => /^`([^`]+)`$/.exec(first)?.[1] ?? []);

const codeless = (markdown: string): string =>
  markdown.replaceAll(/^```.*?^```/gms, '').replaceAll(/^ {4}.*$/gm, '');

/** As GitHub makes the anchor of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

/** With `-1`, `-2` .. for headings of the same name. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const counts = new Map<string, number>();
  return new Set(
    [...codeless(markdown).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => {
      const anchor = anchorOf(heading);
      const count = counts.get(anchor) ?? 0;
      counts.set(anchor, count + 1);
      return count === 0 ? anchor : `${anchor}-${count}`;
    }),
  );
}

test.each(DOCUMENTS)('%s: every relative link has a target', (file) => {
  const links = [...codeless(text(file)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  const broken = links.filter((link) => {
    if (/^https?:/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? join(root, file) : resolve(dirname(join(root, file)), path);
    if (!existsSync(target)) return true;
    return anchor !== undefined && !anchorsOf(readFileSync(target, 'utf8')).has(anchor);
  });
  expect(broken).toEqual([]);
});

test('every source file that src/README.md names exists', () => {
  const named = [...text('src/README.md').matchAll(/`([\w/-]+\/[\w-]+\.ts)`/g)].map(([, path = '']) => path);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((path) => !existsSync(join(root, 'src', path)))).toEqual([]);
});

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly [key: string]: unknown;
}

/** Every key of a scenario, with all that the JSON Schema says of it; `[]` after the key of a list. */
function keysOf(schema: Schema, path = '', found = new Map<string, Schema[]>()): Map<string, Schema[]> {
  const parts = ['anyOf', 'oneOf', 'allOf'].flatMap((key) => (schema[key] ?? []) as readonly Schema[]);
  for (const part of schema.then === undefined ? parts : [...parts, schema.then as Schema]) {
    keysOf(part, path, found);
  }
  const named = schema.additionalProperties;
  if (typeof named === 'object')
    keysOf(named as Schema, `${path}.<${path === 'limits' ? 'component' : 'kind'}>`, found);
  if (schema.items !== undefined) keysOf(schema.items, `${path}[]`, found);
  for (const [key, inner] of Object.entries(schema.properties ?? {})) {
    const own = path === '' ? key : `${path}.${key}`;
    found.set(own, [...(found.get(own) ?? []), inner]);
    keysOf(inner, own, found);
  }
  return found;
}

/** Maps that only contain other keys, and need no row of their own. */
const PASSED = [
  'load.operations',
  ...[
    'intent',
    'monsterCommand',
    'input',
    'trade',
    'zone',
    'command',
    'create',
    'join',
    'ready',
    'answer',
    'move',
    'chat',
    'emote',
  ].map((id) => `load.operations.${id}`),
];

const keys = keysOf(JSON.parse(text('fixtures/schema/scenario.schema.json')));
const keyRows = rowsOf(text('scenarios/README.md')).filter((cells) => cells.length === 5);

test('every key of a scenario has a row in scenarios/README.md, and every row is a key', () => {
  const rows = keyRows.flatMap(([first = '']) => /^`([^`]+)`$/.exec(first)?.[1] ?? []);
  expect(rows.length).toBeGreaterThan(100);
  expect(rows.toSorted()).toEqual([...keys.keys()].filter((key) => !PASSED.includes(key)).toSorted());
});

test('the defaults and ranges in scenarios/README.md are those of the JSON Schema', () => {
  const grouped = (n: number): string => n.toLocaleString('en-US', { maximumFractionDigits: 6 });
  const wrong = keyRows.flatMap(([first = '', , byDefault = '', range = '']) => {
    const key = first.replaceAll('`', '');
    const schemas = keys.get(key) ?? [];
    const defaults = schemas.flatMap(({ default: one }) =>
      one === undefined || one === null || typeof one === 'object' ? [] : [one === '' ? "''" : `${one}`],
    );
    const ranges = schemas.flatMap(({ minimum, maximum }) =>
      minimum === undefined || maximum === undefined ? [] : [`${grouped(minimum)} to ${grouped(maximum)}`],
    );
    const fits = (cell: string, all: readonly string[]): boolean =>
      all.length === 0 || all.some((one) => cell.replaceAll('`', '') === one);
    return fits(byDefault, defaults) && fits(range, ranges) ? [] : [`${key}: ${byDefault}, ${range}`];
  });
  expect(wrong).toEqual([]);
});

const AGENT = {
  ...{ address: '10.0.0.5:7400', workers: 2, onThisHost: false },
  ...{ clockOffsetMs: 0, clockUncertaintyMs: 0.1, driftMs: 0, roundTripMs: 0.2 },
};

/** `answered` of `answered.intent.spike`. */
const withoutSubject = (id: string): string => id.split('.')[0] ?? id;

test('every rule has a row in src/judge/README.md, and every row is a rule', () => {
  const stages = scenarioOf({ load: { ...scenarioOf().load, stages: STAGES } });
  const known = measurementsOf();
  const integrity = known.integrity && { ...known.integrity, saved: 1, unreported: 0 };
  const rules = [
    ...judged({ ...known, agents: [AGENT] }).rules,
    ...judged(measurementsOf({ probesAsked: ['metrics-1'], deliveries: DELIVERIES, integrity }), stages)
      .rules,
  ].map(({ id }) => withoutSubject(id));
  const rows = namesOf(text('src/judge/README.md')).map(withoutSubject);
  expect(rules.length).toBeGreaterThan(60);
  expect(rows.toSorted()).toEqual([...new Set(rules)].toSorted());
});

test('the limits in src/judge/README.md are the defaults', () => {
  const limits = rowsOf(text('src/judge/README.md')).flatMap(([, , limit = '', key = '']) =>
    /^`\w+Percent`$|^`\w+(?:Ms|Periods)`$/.test(key) ? [[key.replaceAll('`', ''), limit] as const] : [],
  );
  const documented = new Map(limits);
  const wrong = Object.entries(DEFAULT_RULES).filter(([key, value]) => {
    const numbers: readonly string[] = documented.get(key)?.match(/\d+/g) ?? [];
    return value === null ? !documented.has(key) : !numbers.includes(`${value}`);
  });
  expect(wrong).toEqual([]);
});

test('README lists every exit code of the verbs that exist, and no other', () => {
  const codes = rowsOf(text('README.md')).flatMap(([first = '']) => /^(\d+)$/.exec(first)?.[1] ?? []);
  expect(codes.map(Number).toSorted((a, b) => a - b)).toEqual(Object.values(EXIT).toSorted((a, b) => a - b));
});

test('every metric of the flux world is in its README', () => {
  const page = new Metrics().render({ connections: 0, queued: 0, entities: 0 });
  const readme = text('src/systems/flux/README.md');
  const names = [...page.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => !readme.includes(`\`${name}`))).toEqual([]);
});

test('every npm script that a README names exists', () => {
  const { scripts } = JSON.parse(text('package.json')) as { scripts: Readonly<Record<string, string>> };
  const named = DOCUMENTS.flatMap((file) => [...text(file).matchAll(/\bnpm run ([\w:-]+)/g)]);
  expect(named.length).toBeGreaterThan(5);
  expect(named.map(([, name = '']) => name).filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
});
