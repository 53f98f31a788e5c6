import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { monotonic } from '../clock.ts';

/**
 * 64 KB: in the second-level cache of anything that runs Node, so that memory is not what is measured. The same
 * pages each time.
 */
const WORDS = new Int32Array(16_384);
/** Passes over the words in one piece: some 5 ms on a 2.5 GHz core. */
const PASSES = 200;
/** Of each copy. */
const PIECES = 20;
/** Short pieces that are not counted: the compiler and the clock of the core get under way. */
const WARM_UP = 300;
/** No more than this, however slow the core, once there are enough pieces to tell quartiles. */
const MOST_MS = 450;
const LEAST = 5;
/**
 * V8 compiles the same function to code that takes up to twice as long in about one of a hundred processes, and keeps
 * it. It compiles each copy by itself: three that are all slow say something of the machine.
 */
const COPIES = 3;

/** xorshift over an array, each word on what came before it: integers, loads and stores, in a fixed order. */
const makePiece =
  () =>
  (words: Int32Array, passes: number): number => {
    let state = 0x9e3779b9 | 0;
    for (let pass = 0; pass < passes; pass++) {
      for (let i = 0; i < words.length; i++) {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        words[i] = (words[i]! + state) | 0;
      }
    }
    return state;
  };

/**
 * A fixed piece of work on one core, in milliseconds: the lower quartile over pieces of some milliseconds, with a
 * turn of the loop between them, of the fastest of three copies that take turns; 0.4 s in all, more only where others
 * hold the core. What interrupts some of the pieces does not show; a slower clock, throttling or a neighbour slow
 * nearly all of them, and so the quartile, which the one fastest piece might hide.
 */
export async function measureCanary(): Promise<number> {
  const copies = Array.from({ length: COPIES }, () => ({ piece: makePiece(), times: [] as number[] }));
  for (const { piece } of copies) for (let i = 0; i < WARM_UP; i++) piece(WORDS, 1);
  const start = monotonic();
  for (let i = 0; i < PIECES; i++) {
    for (const { piece, times } of copies) {
      await turn();
      const before = monotonic();
      piece(WORDS, PASSES);
      times.push((monotonic() - before) / 1e3);
    }
    if (i + 1 >= LEAST && monotonic() - start > MOST_MS * 1e3) break;
  }
  return Math.min(...copies.map(({ times }) => times.sort((a, b) => a - b)[times.length >> 2]!));
}

const AGAIN = 3;
const AGAIN_AFTER_MS = 700;

/**
 * The canary after a run. The end of a run leaves the kernel something to do for a moment, a database to remove and
 * pages to write: where it is slower than before, beyond what the run's rules allow, it is asked again a little later, and
 * the last answer is the one.
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
