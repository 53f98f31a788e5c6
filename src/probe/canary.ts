import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { monotonic } from '../clock.ts';

/**
 * 64 KB: in the second-level cache of anything that runs Node, so that memory is not what is measured. The same
 * pages each time.
 */
const WORDS = new Uint32Array(16_384);
/** Passes over the words in one piece: some 5 ms on a 2.5 GHz core. */
const PASSES = 200;
const PIECES = 60;
/** Pieces that are not counted: the compiler and the clock of the core get under way. */
const WARM_UP = 5;
/** No more than this, however slow the core, once there are enough pieces to tell quartiles. */
const MOST_MS = 450;
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
 * A fixed piece of work on one core, in milliseconds: the lower quartile over pieces of some milliseconds, with a
 * turn of the loop between them; 0.4 s in all, more only where others hold the core. What interrupts some of the
 * pieces does not show; a slower clock, throttling or a neighbour slow nearly all of them, and so the quartile,
 * which the one fastest piece might hide.
 */
export async function measureCanary(): Promise<number> {
  const times: number[] = [];
  const start = monotonic();
  for (let i = -WARM_UP; i < PIECES; i++) {
    await turn();
    const before = monotonic();
    piece(WORDS);
    const after = monotonic();
    if (i >= 0) times.push((after - before) / 1e3);
    if (times.length >= LEAST && after - start > MOST_MS * 1e3) break;
  }
  return times.sort((a, b) => a - b)[times.length >> 2]!;
}

const AGAIN = 3;
const AGAIN_AFTER_MS = 700;

/**
 * The canary after a run. The end of a run leaves the kernel something to do for a moment, a database to remove and
 * pages to write: where it is slower than before, beyond what the run's rules allow, it is asked again a little later, and the last answer is the one.
 * A machine that has really changed its pace has not done so for a second.
 */
export async function measureCanaryAfter(
  beforeMs: number,
  driftPercent: number,
  measure = measureCanary,
): Promise<number> {
  const most = beforeMs * (1 + driftPercent / 100);
  let after = await measure();
  for (let again = 0; again < AGAIN && after > most; again++) {
    await pause(AGAIN_AFTER_MS);
    after = await measure();
  }
  return after;
}
