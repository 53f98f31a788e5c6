import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { monotonic } from '../clock.ts';

/**
 * 64 KB fit into the second-level cache of any host that runs Node, so that memory speed is not measured. The same pages
 * are used each time.
 */
const WORDS = new Int32Array(16_384);
/** Passes over the words in one piece: about 5 ms on a 2.5 GHz core. */
const PASSES = 200;
/** Pieces of each copy. */
const PIECES = 20;
/** Short pieces that are not counted, until the code is compiled and the core's clock has risen. */
const WARM_UP = 300;
/** The time limit on slow cores, once there are enough pieces for quartiles. */
const MOST_MS = 450;
const LEAST = 5;
/**
 * In about one of a hundred processes V8 compiles the same function to code that takes up to twice as long, and keeps
 * it. Each copy is compiled separately: if all three are slow, the machine is.
 */
const COPIES = 3;

/** xorshift over an array, where each word depends on the one before: integers, loads and stores in a fixed order. */
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
 * The canary is a reference workload: a fixed piece of work on one core, in milliseconds. It is repeated for 0.4 s (longer
 * only where other processes use the core), with a turn of the event loop in between; the result is the lower quartile of
 * the fastest of three copies. Interruptions of some pieces do not change it. A slower clock, throttling or a busy
 * neighbour slow nearly all pieces and so the quartile, while the single fastest piece might hide them.
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

const RETRIES = 3;
const RETRY_AFTER_MS = 700;

/**
 * The canary after a run. At the end of a run the kernel is busy for a moment with files to remove and pages to write: a
 * canary that is slower than the rules allow is repeated a little later, and the last one counts. A machine that has
 * really become slower stays so for longer than that.
 */
export async function measureCanaryAfter(
  beforeMs: number,
  driftPercent: number,
  measure = measureCanary,
): Promise<number> {
  const most = beforeMs * (1 + driftPercent / 100);
  let after = await measure();
  for (let retry = 0; retry < RETRIES && after > most; retry++) {
    await pause(RETRY_AFTER_MS);
    after = await measure();
  }
  return after;
}
