import { Packr, unpack } from '@colyseus/msgpackr';
import { expect, test } from 'vitest';
import {
  decodeMessage,
  encodeMessage,
  FRAME,
  type MessageCodec,
  seatOf,
  typesAt,
} from '../../../src/systems/massless/colyseus-frames.ts';
import { isPlace, placeStated, statedPlace } from '../../../src/systems/massless/stated-place.ts';

const packr = new Packr({ useRecords: false });
const codec: MessageCodec = { pack: (value) => packr.pack(value), unpack };

test('a message is read as it is written: the type as a short text, the body as MessagePack', () => {
  const body = { seq: 70_000, x: -0.25, z: 1 };
  const frame = encodeMessage('input', body, codec);
  expect([...frame.subarray(0, 7)]).toEqual([FRAME.message, 0xa5, ...Buffer.from('input')]);
  expect(decodeMessage(frame, codec)).toEqual({ type: 'input', body });
  expect(decodeMessage(Buffer.from([FRAME.message, 0xa1, 0x61]), codec)).toEqual({
    type: 'a',
    body: undefined,
  });
});

test.each([
  ['another frame', [FRAME.patch, 0xa1, 0x61]],
  ['a type that is a number', [FRAME.message, 7, 0x80]],
  ['a type that is cut off', [FRAME.message, 0xa9, 0x61]],
  ['a body that is cut off', [FRAME.message, 0xa1, 0x61, 0x82, 0xa1]],
  ['nothing', []],
])('%s is no message', (_, bytes) => {
  expect(decodeMessage(Buffer.from(bytes), codec)).toBeNull();
});

test('the types of the state follow the token and the name of the serializer', () => {
  const frame = Buffer.from([FRAME.joined, 2, 0x61, 0x62, 6, ...Buffer.from('schema'), 1, 2, 3]);
  expect(typesAt(frame)).toBe(11);
  expect(typesAt(frame.subarray(0, 11))).toBeNull();
  expect(typesAt(Buffer.from([FRAME.joined]))).toBeNull();
});

test('a seat is a path, a refusal is in words, and anything else is neither', () => {
  expect(seatOf({ room: { processId: 'p1', roomId: 'r1' }, sessionId: 's1' })).toEqual({
    ...{ path: '/p1/r1?sessionId=s1', processId: 'p1', roomId: 'r1' },
  });
  expect(seatOf({ code: 4503, error: 'leaving' })).toEqual({ refused: 'leaving' });
  expect([null, 'text', {}, { room: {}, sessionId: 's' }, { room: null }].map(seatOf)).toEqual(
    Array(5).fill(null),
  );
});

test('a place is stated to a thousandth of a unit, in a whole number', () => {
  for (const place of [
    { x: 0, z: 0 },
    { x: 127.9996, z: 0.0004 },
    { x: 10_000, z: 10_000 },
  ]) {
    const stated = statedPlace(place);
    expect(Number.isSafeInteger(stated)).toBe(true);
    expect(isPlace(stated, place)).toBe(true);
    expect(isPlace(stated, { x: place.x + 0.01, z: place.z })).toBe(false);
    expect(isPlace(stated, { x: place.x, z: place.z + 0.01 })).toBe(false);
  }
  expect(placeStated(statedPlace({ x: 3.25, z: 7.5 }))).toEqual({ x: 3.25, z: 7.5 });
});
