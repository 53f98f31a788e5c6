import { describe, expect, test } from 'vitest';
import { withoutShapes } from '../src/secret-shapes.ts';

const clean = (text: string): string => withoutShapes(text, 'text');

test.each([
  ['postgres://ann:x@db/world', 'postgres://(redacted)@db/world'],
  ['postgres://ann:p@ss@db/world', 'postgres://(redacted)@db/world'],
  ['postgres://ann:p/a?s#s@db/world', 'postgres://(redacted)@db/world'],
  ['http://token@127.0.0.1:4001', 'http://(redacted)@127.0.0.1:4001'],
  [
    'see https://ann:x@a.example and https://bob:y@b.example.',
    'see https://(redacted)@a.example and https://(redacted)@b.example.',
  ],
  ['password=x', 'password=(redacted)'],
  ["host=db password='a b' user=ann", 'host=db password=(redacted) user=ann'],
  ['PGPASSWORD=1 psql', 'PGPASSWORD=(redacted) psql'],
  ['dbPassword = x;', 'dbPassword = (redacted);'],
  ['http://127.0.0.1/?access_token=a&x=1', 'http://127.0.0.1/?access_token=(redacted)&x=1'],
  ['http://127.0.0.1/?x=1&key=ab', 'http://127.0.0.1/?x=1&key=(redacted)'],
  ['X-Api-Key=abc', 'X-Api-Key=(redacted)'],
  ['Authorization: Bearer abc', 'Authorization: Bearer (redacted)'],
  ['{"password":"hunter2","user":"ann"}', '{"password":"(redacted)","user":"ann"}'],
  ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl', '(redacted)'],
  ['with ghp_16C7e42F292c6912E7710c838347Ae178B4a', 'with (redacted)'],
  ['-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\nafter', '(redacted)\nafter'],
])('%s', (text, expected) => {
  expect(clean(text)).toBe(expected);
  // Cleaning a clean text changes nothing.
  expect(clean(expected)).toBe(expected);
});

test.each([
  'http://127.0.0.1:4001/1',
  'https://www.npmjs.com/package/@napi-rs/canvas',
  'file:///opt/capbench/node_modules/@napi-rs/canvas/index.js',
  'ann@game.example',
  'the password is asked for',
  'the password: none',
  'password_encryption=scram-sha-256',
  'tokens=5',
  'key=value',
  'a token: what a player holds',
  'shared_buffers = 128MB',
  '20 ms = 1/50 s',
  'http://(redacted)@127.0.0.1',
])('%s is kept', (text) => expect(clean(text)).toBe(text));

describe('a document stays valid', () => {
  test('JSON', () => {
    const text = JSON.stringify({
      a: 'postgres://ann:x@db',
      b: 'password=y',
      c: 1,
      d: ['http://h:80', 'x@y'],
    });
    expect(JSON.parse(withoutShapes(text, 'document'))).toEqual({
      a: 'postgres://(redacted)@db',
      b: 'password=(redacted)',
      c: 1,
      d: ['http://h:80', 'x@y'],
    });
  });
  test('XML', () => {
    expect(withoutShapes('<a b="password=x">http://u:p@h</a>', 'document')).toBe(
      '<a b="password=(redacted)">http://(redacted)@h</a>',
    );
  });
});

test('a long text that fits the patterns is searched in linear time', () => {
  const start = performance.now();
  for (const piece of [
    'a://',
    'a://b:',
    'password',
    'password=',
    "password='",
    'eyJaaaaaaaa.',
    '-----BEGIN ',
    'a.a-',
  ]) {
    clean(piece.repeat(Math.ceil(100_000 / piece.length)));
  }
  // Seconds where it takes milliseconds: what a quadratic pattern would take is minutes.
  expect(performance.now() - start).toBeLessThan(15_000);
});
