import { type Benchmark, perCpuSecond, repeating } from './benchmark.ts';

/** Larger than the caches of most machines that are rented by the core. */
const BYTES = 96 * 2 ** 20;
/** That both arrays and the process itself need. */
export const MEMORY_NEEDED = 3 * BYTES;

/** GB that one core reads and writes per second of its time, when it copies an array that no cache holds. */
export const memoryBandwidth: Benchmark = async (repetition) => {
  const from = new Float64Array(BYTES / 8).fill(1);
  const to = new Float64Array(from.length);
  let copied = 0;
  const copy = (): void => {
    to.set(from);
    copied += 2 * BYTES;
  };
  const value = await perCpuSecond(() => copied / 1e9, repeating(copy), repetition);
  if (to[to.length - 1] !== 1) throw new Error('the array was not copied');
  return { memoryBandwidth: value };
};
