import { describe, expect, it } from 'vitest';
import { PgInt4Array, PgInt8Array, PgTextArray } from '../../../src/systems/flux/pg-array.ts';

/** An independent reader of the format, word by word, as array_recv does it. */
function decode(bytes: Buffer): { oid: number; elements: Buffer[] } {
  expect(bytes.readInt32BE(0)).toBe(1);
  expect(bytes.readInt32BE(4)).toBe(0);
  expect(bytes.readInt32BE(16)).toBe(1);
  const elements: Buffer[] = [];
  let at = 20;
  for (let n = bytes.readInt32BE(12); n > 0; n--) {
    const size = bytes.readInt32BE(at);
    elements.push(bytes.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  expect(at).toBe(bytes.length);
  return { oid: bytes.readInt32BE(8), elements };
}

describe('arrays in the binary format of PostgreSQL', () => {
  it('writes int4 of either sign', () => {
    const array = new PgInt4Array(4);
    const values = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)];
    for (const value of values) array.push(value);
    const { oid, elements } = decode(array.bytes());
    expect(oid).toBe(23);
    expect(elements.map((e) => e.readInt32BE())).toEqual(values);
  });

  it('writes int8 of either sign up to the largest safe integer', () => {
    const array = new PgInt8Array(1);
    const values = [
      0,
      1,
      -1,
      2 ** 32,
      2 ** 32 - 1,
      -(2 ** 32),
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
    ];
    for (const value of values) array.push(value);
    const { oid, elements } = decode(array.bytes());
    expect(oid).toBe(20);
    expect(elements.map((e) => Number(e.readBigInt64BE()))).toEqual(values);
  });

  it('writes text by its bytes, not by its characters', () => {
    const array = new PgTextArray(8);
    const values = ['', 'a', 'ünïcode', '€🙂', 'x'.repeat(5_000)];
    for (const value of values) array.pushBytes(Buffer.from(value));
    const { oid, elements } = decode(array.bytes());
    expect(oid).toBe(25);
    expect(elements.map((e) => e.toString())).toEqual(values);
  });

  it('is reused: a reset forgets the elements and keeps the header', () => {
    const array = new PgInt4Array(2);
    for (let i = 0; i < 1_000; i++) array.push(i);
    expect(decode(array.bytes()).elements).toHaveLength(1_000);
    array.reset();
    array.push(7);
    expect(decode(array.bytes()).elements.map((e) => e.readInt32BE())).toEqual([7]);
  });

  it('encodes an empty array', () => {
    expect(decode(new PgInt8Array(0).bytes()).elements).toEqual([]);
  });
});
