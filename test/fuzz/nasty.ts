/** What a file may hold instead of what belongs there. JSON spells every leaf; some are no JSON on purpose. */

const quoted = (text: string): string => JSON.stringify(text);
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

/** Numbers that break arithmetic, or what is made as long as they say. */
export const NUMBERS: readonly string[] = [
  ...'0 -0 1 -1 2 0.5 1e-9 5e-324 -1e-300 100 101 1000 86400 200000'.split(' '),
  ...'65536 2147483647 2147483648 4294967296 1e9 1e12 9007199254740991 9007199254740993 1e21 1e100'.split(
    ' ',
  ),
  ...'1.7976931348623157e308 -1.7976931348623157e308 1e999 -1e999'.split(' '),
];

/** Names that objects have of themselves. */
export const INHERITED: readonly string[] = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', 'length', 'then'],
];

export const STRINGS: readonly string[] = [
  ...['', ' ', 'x', '\u0000', '\u001b[31mred\u001b[0m', 'a\nb', 'a\r\nb', '\u2028', '\u202e', '\ufeff'],
  ...[
    '\ud800',
    '😀',
    'é',
    "it's",
    '"',
    '\\',
    '<script>alert(1)</script>',
    ']]>',
    '&amp;',
    '| a | b |',
    '`x`',
  ],
  ...'../../etc/passwd /dev/zero C:\\con %s%n $(id) -1 0x10 1_000 30 30s 1e3s 99999999h 1d 10ms 64GB 1PB'.split(
    ' ',
  ),
  ...'on off yes null ~ .inf p95 mean < between'.split(' '),
  ...['2026-11-21T13:55:13Z', '9999-12-31T23:59:59.999Z', '0000-01-01T00:00:00Z', '+275760-09-13T00:00:00Z'],
  ...['latency.intent.due', 'integrity.lost', 'stack.applied.constructor', 'local', 'target', 'completed'],
];

/** Whole values, as JSON or YAML spells them. */
export const VALUES: readonly string[] = [
  ...['null', 'true', 'false', '[]', '{}', '[null]', '[[]]', '{"a":{"b":{}}}', '{"__proto__":{"x":1}}'],
  ...['{"constructor":{"prototype":{}}}', '{"toString":1}', '[1,2]', '["a"]', '{"length":4294967295}'],
  nested(5),
  nested(150),
  nested(5_000),
  `${`{"a":`.repeat(40)}1${'}'.repeat(40)}`,
];

/** Long enough to be a nuisance, rare enough not to be all that is tried. */
export const LONG_STRINGS: readonly string[] = [
  'x'.repeat(1_000),
  '9'.repeat(5_000),
  'é'.repeat(100_000),
  '.'.repeat(70_000),
  'a.b'.repeat(20_000),
  '[{'.repeat(20_000),
  '\n'.repeat(20_000),
];

/** Not JSON at all; YAML reads some of them. */
export const NO_JSON: readonly string[] = [
  ..."NaN Infinity -Infinity .nan .inf -.inf +1 01 0x1F 0o17 1_000 'x' x".split(' '),
  ...['!!binary aGk=', '!x y', '*a', '&a', '&a [*a]', '<<', '? ', '- ', '|', '>', '#', ',', ':', '%YAML 1.1'],
];

export const leafTexts: readonly string[] = [
  ...NUMBERS,
  ...NUMBERS,
  ...[...STRINGS, ...INHERITED].map(quoted),
  ...VALUES,
  ...VALUES,
];

/** Keys that nobody chose. */
export const KEYS: readonly string[] = [
  ...INHERITED,
  ...['', ' ', '0', '-1', 'a.b', 'resolved', 'name', 'budgets', 'id', '<<', '😀', '\u0000', '\n', '"', ':'],
  'k'.repeat(5_000),
];

const bomb = (levels: number, width: number): string => {
  const lines = ['a0: &a0 [x, x, x]'];
  for (let i = 1; i <= levels; i++)
    lines.push(`a${i}: &a${i} [${new Array(width).fill(`*a${i - 1}`).join(', ')}]`);
  return lines.join('\n');
};

/** Whole files, for YAML and JSON alike: each is refused or read, and soon. */
export const FILES: readonly (readonly [name: string, content: string | Uint8Array])[] = [
  ['empty', ''],
  ['one byte', new Uint8Array([0])],
  ['blanks', ' \n\t \r\n'],
  ['a byte-order mark alone', '\ufeff'],
  ['UTF-16', new Uint8Array(Buffer.from('\ufeff{"schemaVersion":1}', 'utf16le'))],
  ['half a character', new Uint8Array([0x61, 0x3a, 0x20, 0xf0, 0x9f, 0x98])],
  ['overlong', new Uint8Array([0x61, 0x3a, 0x20, 0xc0, 0xaf, 0x0a])],
  ...[
    ...['null', '0', '"x"', '[]', '{}', 'true', '---\n---\n', '...', '%YAML 9.9\n---\na: 1'],
    '%TAG ! x\n---\n!a b',
  ].map((text) => [`the text ${text.slice(0, 12)}`, text] as const),
  ['brackets', '['.repeat(100_000)],
  ['pairs of brackets', nested(100_000)],
  ['braces', '{"a":'.repeat(30_000)],
  ['dashes', '- '.repeat(100_000)],
  ['question marks', '? '.repeat(100_000)],
  ['colons', 'a: '.repeat(50_000)],
  ['anchors', '&a '.repeat(60_000)],
  ['tags', '!a '.repeat(60_000)],
  ['quotes', '"'.repeat(200_000)],
  ['hashes', '#'.repeat(200_000)],
  ['line ends', '\n'.repeat(250_000)],
  ['a stair', Array.from({ length: 480 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
  ['a stair of lists', Array.from({ length: 480 }, (_, i) => `${' '.repeat(i)}-`).join('\n')],
  ['an alias bomb', bomb(12, 10)],
  ['a flat alias bomb', bomb(1, 10_000)],
  ['an alias of itself', 'a: &a [*a, *a]'],
  ['a map of itself', '&a a: *a'],
  ['many keys', Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join('\n')],
  ['many keys as JSON', `{${Array.from({ length: 50_000 }, (_, i) => `"k${i}":1`).join(',')}}`],
  ['one key many times', 'a: 1\n'.repeat(30_000)],
  ['one long key', `${'k'.repeat(200_000)}: 1`],
  ['one long line', `a: ${'x'.repeat(200_000)}`],
  ['one long number', `a: ${'9'.repeat(200_000)}`],
  ['a long list', `a: [${'1,'.repeat(100_000)}1]`],
  ['a long list of lists', `[${'[],'.repeat(80_000)}[]]`],
  ['a folded text', `a: >\n${'  x\n\n'.repeat(40_000)}`],
  ['merge keys', 'a: &a {x: 1}\nb:\n  <<: *a\n  <<: [*a, *a]\n'],
];
