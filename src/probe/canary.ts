import { setImmediate as turn } from 'node:timers/promises';
import { monotonic } from '../clock.ts';

/** 64 KB: in the second-level cache of anything that runs Node, so that memory is not what is measured. */
const WORDS = 16_384;
/** Passes over the words in one piece: some 5 ms on a 2.5 GHz core. */
const PASSES = 200;
const PIECES = 40;
/** Pieces that are not counted: the compiler and the clock of the core get under way. */
const WARM_UP = 8;
/** No more than this, however slow the core. */
const MOST_MS = 500;
/** At least so many pieces make a median. */
const LEAST = 5;

/** xorshift over an array, each word on what came before it: integers, loads and stores, in a fixed order. */
function piece(words: Uint32Array): number {
  let state = 0x9e3779b9;
  for (let pass = 0; pass < PASSES; pass++) {
    for (let i = 0; i < words.length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      words[i] = (words[i]! + state) >>> 0;
    }
  }
  return state;
}

/**
 * A fixed piece of work on one core, in milliseconds: the median over pieces of some milliseconds, with a turn of the
 * loop between them. A piece alone may be interrupted; a slower clock, throttling, or a neighbour that takes its turn
 * on the core slow most of them, and so the median, which the fastest piece would hide.
 */
export async function measureCanary(): Promise<number> {
  const words = new Uint32Array(WORDS);
  const times: number[] = [];
  const start = monotonic();
  for (let i = -WARM_UP; i < PIECES; i++) {
    await turn();
    const before = monotonic();
    piece(words);
    const after = monotonic();
    if (i >= 0) times.push((after - before) / 1e3);
    if (times.length >= LEAST && after - start > MOST_MS * 1e3) break;
  }
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}
