import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formsOf, isDistinctive } from '../src/secret-forms.ts';

describe('recognised as secrets', () => {
  test.each([
    'hunter2',
    's3cret-4711',
    'Tr0ub4dor&3',
    'correct horse battery staple',
    'correct-horse-battery-staple',
    'qWzXkLpMnRtYvBcD',
    'ghp_16C7e42F292c6912E7710c838347Ae178B4a',
    '550e8400-e29b-41d4-a716-446655440000',
    '4929123456781234567',
    'пароль-сорок-два',
    'a"b\\c\nd',
    ' p ss 1 ',
  ])('%j is', (value) => expect(isDistinctive(value)).toBe(true));

  test.each([
    '',
    '1',
    'abc',
    'true',
    'a1b2c',
    'aaaaaaa1',
    '************',
    'postgres',
    'password',
    'capbench',
    'localhost',
    'Europe/Berlin',
    '/var/run/postgresql',
    '5432',
    '127.0.0.1',
    '127.0.0.1:5432',
    '2026-11-21',
    '20261121T134343Z',
    '0.001234567',
    '1e-7',
    'monsterCommandsPerSecond',
    'shared_preload_libraries',
    'load.intent.inFlight',
  ])('%j is not', (value) => expect(isDistinctive(value)).toBe(false));

  test('no key that capbench writes is taken for a secret', () => {
    const sample = join(import.meta.dirname, '..', 'reports', 'sample');
    const keys = new Set<string>();
    const collect = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      for (const [key, inner] of Object.entries(value)) {
        // Series carry the number of a process: `world.1.rowWrites`; a list has positions.
        keys.add(key.replace(/\.\d+\./, '.'));
        collect(inner);
      }
    };
    for (const file of readdirSync(sample).filter((name) => name.endsWith('.json')))
      collect(JSON.parse(readFileSync(join(sample, file), 'utf8') || 'null'));
    expect(keys.size).toBeGreaterThan(100);
    expect([...keys].filter((key) => isDistinctive(key) && !/\d/.test(key))).toEqual([]);
  });
});

describe('a value is found in every spelling', () => {
  test.each(['s3cret-4711', 'p@ss "w/rd" <&>\'+%\\ 1', 'zeile1\nzeile2', 'ключ-42-ключ'])('%j', (value) => {
    const forms = formsOf(value);
    const among = (text: string): boolean => forms.some((form) => text.includes(form));
    expect(among(`a ${value} b`)).toBe(true);
    expect(among(JSON.stringify({ value }))).toBe(true);
    expect(among(JSON.stringify(JSON.stringify({ value })))).toBe(true);
    expect(among(`http://h/?q=${encodeURIComponent(value)}`)).toBe(true);
    expect(among(new URLSearchParams({ value }).toString())).toBe(true);
    expect(among(value.replaceAll("'", "''"))).toBe(true);
    expect(among(Buffer.from(value).toString('hex'))).toBe(true);
    for (let before = 0; before < 6; before++) {
      for (let after = 0; after < 6; after++) {
        const bytes = Buffer.from('x'.repeat(before) + value + 'y'.repeat(after));
        expect(among(bytes.toString('base64')), `${before}+${after}`).toBe(true);
        expect(among(bytes.toString('base64url')), `${before}+${after}`).toBe(true);
      }
    }
    expect(among('nothing of the kind')).toBe(false);
  });
});
