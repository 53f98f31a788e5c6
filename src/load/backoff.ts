import { mulberry32, streamSeed } from '../rng.ts';
import { STREAM } from './streams.ts';

const FIRST = 50_000;
const LONGEST = 1_000_000;

/**
 * Microseconds to wait before an attempt to connect again, the first being number 0: 50 ms, doubling up to 1 s,
 * each give or take a quarter, so that those who lost their connections together do not come back in step.
 */
export function backoff(seed: number, actor: number, attempt: number): number {
  const wait = Math.min(LONGEST, FIRST * 2 ** attempt);
  return wait * (0.75 + 0.5 * mulberry32(streamSeed(seed, STREAM.reconnect, actor, attempt)));
}
