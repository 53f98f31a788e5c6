import type { Random } from '../../src/rng.ts';
import { below, chance, pick } from './draw.ts';
import { leafTexts, NO_JSON } from './nasty.ts';

/** A place and a length inside, most often short. */
function slice(next: Random, length: number): readonly [from: number, to: number] {
  const from = below(next, length + 1);
  const most = chance(next, 0.7) ? 40 : chance(next, 0.7) ? 2_000 : length;
  return [from, Math.min(length, from + 1 + below(next, most))];
}

const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

type Mutation = (bytes: Uint8Array, other: Uint8Array, next: Random) => Uint8Array;

const MUTATIONS: readonly Mutation[] = [
  function flip(bytes, _other, next) {
    const flipped = bytes.slice();
    for (let n = 1 + below(next, 4); n > 0 && flipped.length > 0; n--) {
      const at = below(next, flipped.length);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << below(next, 8));
    }
    return flipped;
  },
  function insertBytes(bytes, _other, next) {
    const at = below(next, bytes.length + 1);
    const some = Uint8Array.from({ length: 1 + below(next, 8) }, () => below(next, 256));
    return joined(bytes.subarray(0, at), some, bytes.subarray(at));
  },
  function insertToken(bytes, _other, next) {
    const at = below(next, bytes.length + 1);
    const token = Buffer.from(pick(next, chance(next, 0.5) ? leafTexts : NO_JSON));
    const rest = chance(next, 0.5) ? at : slice(next, bytes.length)[1];
    return joined(bytes.subarray(0, at), token, bytes.subarray(Math.max(at, rest)));
  },
  function remove(bytes, _other, next) {
    const [from, to] = slice(next, bytes.length);
    return joined(bytes.subarray(0, from), bytes.subarray(to));
  },
  function repeat(bytes, _other, next) {
    const [from, to] = slice(next, bytes.length);
    const part = bytes.subarray(from, to);
    const times = chance(next, 0.9) ? 1 : 1 + below(next, 50);
    return joined(bytes.subarray(0, to), ...new Array<Uint8Array>(times).fill(part), bytes.subarray(to));
  },
  function move(bytes, _other, next) {
    const [from, to] = slice(next, bytes.length);
    const rest = joined(bytes.subarray(0, from), bytes.subarray(to));
    const at = below(next, rest.length + 1);
    return joined(rest.subarray(0, at), bytes.subarray(from, to), rest.subarray(at));
  },
  function splice(bytes, other, next) {
    const [from, to] = slice(next, other.length);
    const at = below(next, bytes.length + 1);
    return joined(bytes.subarray(0, at), other.subarray(from, to), bytes.subarray(at));
  },
  function cross(bytes, other, next) {
    const share = next();
    return joined(
      bytes.subarray(0, Math.floor(share * bytes.length)),
      other.subarray(Math.floor(share * other.length)),
    );
  },
  function truncate(bytes, _other, next) {
    return bytes.slice(0, below(next, bytes.length + 1));
  },
  function swapDigits(bytes, _other, next) {
    const digits = [...bytes.keys()].filter((i) => (bytes[i] ?? 0) >= 48 && (bytes[i] ?? 0) <= 57);
    const changed = bytes.slice();
    for (let n = 1 + below(next, 3); n > 0 && digits.length > 0; n--) {
      changed[pick(next, digits)] = 48 + below(next, 10);
    }
    return changed;
  },
  function lineEnds(bytes, _other, next) {
    const text = Buffer.from(bytes).toString('latin1');
    const end = pick(next, ['\r\n', '\r', '\n\n', '\t\n', ' \n', '\u0085']);
    return new Uint8Array(Buffer.from(text.replaceAll('\n', end), 'latin1'));
  },
  function mark(bytes) {
    return joined(new Uint8Array([0xef, 0xbb, 0xbf]), bytes);
  },
];

/** Damages bytes in one to three ways. `other` is what is spliced in. */
export function mutateBytes(bytes: Uint8Array, other: Uint8Array, next: Random): Uint8Array {
  let damaged = bytes;
  for (let n = 1 + below(next, 3); n > 0; n--) damaged = pick(next, MUTATIONS)(damaged, other, next);
  return damaged;
}
