import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { Redaction } from '../src/redaction.ts';
import { random } from '../src/rng.ts';
import { isDistinctive } from '../src/secret-forms.ts';

const env = {
  PGPASSWORD: 's3cret-4711',
  API_TOKEN: 'p@ss "w/rd" <&>\'+%\\ 1',
  DATABASE_URL: 'postgres://ann:url-pa55@db.example/world',
  SIGNING_KEY:
    '-----BEGIN PRIVATE KEY-----\nMIIBVgIBADANBgkqhkiG9w0BAQ\nEFAASCAUAwggE8AgEAAkEAq7BF\n-----END PRIVATE KEY-----\n',
  KEY: '1',
  PASSWORD: 'postgres',
  PGPORT: '5432',
  PGUSER: 'capbench',
  MY_SECRET: '',
  HOME: '/home/ann42',
};
const argv = [
  'run',
  './world.yaml',
  '--target',
  'http://bob:arg-pa55@127.0.0.1:1',
  '--set',
  'description=token=set-70ken',
];
const redaction = Redaction.of(argv, env);
const SECRETS = [
  's3cret-4711',
  env.API_TOKEN,
  'url-pa55',
  'arg-pa55',
  'set-70ken',
  'MIIBVgIBADANBgkqhkiG9w0BAQ',
];

test.each(SECRETS)('%j is removed wherever it occurs', (secret) => {
  const forms = [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64'),
    Buffer.from(`ann:${secret}:x`).toString('base64url'),
    Buffer.from(secret).toString('hex'),
  ];
  for (const form of forms) {
    const clean = redaction.text(`before ${form} after`);
    expect(clean).toMatch(/^before .*\(redacted\).* after$/);
    expect(clean).not.toContain(form.slice(0, 8));
    expect(redaction.find(Buffer.from(`\0\x01${form}\xff`))).not.toBeNull();
  }
});

test('trivial and common values are kept', () => {
  const text = 'port 5432 of postgres 16, 1 of 11 capbench workers in /home/ann42';
  expect(redaction.text(text)).toBe(text);
  expect(redaction.find(text)).toBeNull();
});

test('numbers, keys and structure of JSON are kept, whatever the secrets are', () => {
  const data = {
    intentsPerSecond: 1,
    values: [5432, 1, true, null],
    's3cret-4711': 'x',
    note: 'is s3cret-4711 "now"',
  };
  expect(redaction.data(data)).toEqual({ ...data, note: 'is (redacted) "now"' });
  const odd = Redaction.of([], { PASSWORD: 'intentsPerSecond', TOKEN: '5432,1,true', KEY: '{"values":' });
  const json = JSON.stringify(data);
  expect(odd.artefact('measurements.json', json)).toBe(json);
  const pretty = redaction.artefact('report.json', `${JSON.stringify(data, null, 2)}\n`);
  expect(JSON.parse(pretty ?? '')).toEqual({ ...data, note: 'is (redacted) "now"' });
  expect(pretty).toMatch(/^\{\n {2}"intents/);
});

test('a secret inside escaped JSON is removed, and the JSON stays valid', () => {
  const json = JSON.stringify({
    error: `no such key: ${env.API_TOKEN}`,
    nested: JSON.stringify({ k: env.API_TOKEN }),
  });
  const clean = redaction.artefact('a.json', json);
  expect(JSON.parse(clean ?? '')).toEqual({ error: 'no such key: (redacted)', nested: '{"k":"(redacted)"}' });
});

test('YAML, XML, HTML and CSV stay valid', () => {
  const yaml = stringify({ description: 's3cret-4711', limit: 5432, list: ['s3cret-4711'] });
  expect(parse(redaction.artefact('scenario.yaml', yaml) ?? '')).toEqual({
    description: '(redacted)',
    limit: 5432,
    list: ['(redacted)'],
  });
  expect(
    redaction.artefact(
      'junit.xml',
      '<a name="s3cret-4711">p@ss &quot;w/rd&quot; &lt;&amp;&gt;&#39;+%\\ 1</a>',
    ),
  ).toBe('<a name="(redacted)">(redacted)</a>');
  expect(redaction.artefact('series.csv', 'second,scale\n1,5432\n')).toBe('second,scale\n1,5432\n');
});

test('the beginning of a truncated secret is removed, too', () => {
  expect(redaction.text('"s3cret-4..." is there')).toBe('"(redacted)..." is there');
  expect(redaction.text('"s3cre… is there, and ... ends')).toBe('"(redacted)… is there, and ... ends');
  expect(redaction.text('wait ... what')).toBe('wait ... what');
});

describe('a secret that is added later', () => {
  test('is removed from then on', () => {
    const later = new Redaction();
    expect(later.text('made-by-run-1')).toBe('made-by-run-1');
    later.add('made-by-run-1', 'the run');
    expect(later.text('made-by-run-1')).toBe('(redacted)');
    expect(later.find('made-by-run-1')).toBe('the run');
  });
  test('is named by its source, never by its value', () => {
    expect(redaction.find('x s3cret-4711')).toBe('from the variable PGPASSWORD');
    expect(redaction.find('postgres://a:b@c')).toBe('a user or a password in an address');
  });
});

test('a longer secret that contains a shorter one is removed completely', () => {
  const two = Redaction.of([], { A_TOKEN: 'abc-123', B_TOKEN: 'abc-123-def-456' });
  expect(two.text('abc-123-def-456, abc-123')).toBe('(redacted), (redacted)');
});

test('the placeholder is no secret, and redacting twice equals redacting once', () => {
  const marked = Redaction.of(['--set', 'a=password=(redacted)'], { TOKEN: '(redacted)' });
  expect(marked.text('(redacted) stays')).toBe('(redacted) stays');
  const once = redaction.text('postgres://a:b@c s3cret-4711 password=x');
  expect(redaction.text(once)).toBe(once);
});

test('500 random secrets of awkward characters: none remains, and JSON and YAML parse as before', () => {
  const next = random(4711);
  const letters = [...'aZ09 "\'\\\n\t<>&%+/=?#@:;,.{}[]|`*_-!$~^()äß€😀'];
  let tried = 0;
  for (let i = 0; i < 500; i++) {
    const length = 6 + Math.floor(next() * 30);
    const secret = Array.from({ length }, () => letters[Math.floor(next() * letters.length)] ?? '')
      .join('')
      .trim();
    if (!isDistinctive(secret)) continue;
    tried += 1;
    const own = Redaction.of([], { MY_TOKEN: secret });
    const data = {
      a: `x ${secret} y`,
      b: [secret, { c: JSON.stringify(secret) }],
      n: 1.5e-7,
      base: Buffer.from(`..${secret}..`).toString('base64'),
    };
    const json = own.artefact('a.json', JSON.stringify(data)) ?? '';
    const yaml = stringify(own.data(data));
    for (const read of [JSON.parse(json), parse(yaml)]) {
      expect(Object.keys(read)).toEqual(Object.keys(data));
      expect(read.n).toBe(1.5e-7);
      expect(own.find(`${read.a}\n${read.b[0]}\n${read.b[1].c}\n${read.base}`), secret).toBeNull();
      expect(read.a).toContain('(redacted)');
    }
    expect(own.text(encodeURIComponent(secret)), secret).not.toContain(encodeURIComponent(secret));
  }
  expect(tried).toBeGreaterThan(400);
});
