import { setTimeout as pause } from 'node:timers/promises';
import type { ScoreName } from '../model/scores.ts';

/** What is measured in a process of its own. */
export const BENCHMARKS = ['javascript', 'webSocket', 'loopback', 'memoryBandwidth', 'fdatasync'] as const;
export type BenchmarkName = (typeof BENCHMARKS)[number];

/** One repetition, as it is ordered from its process. */
export interface Repetition {
  /** Until the code is compiled and the core's clock has risen: not counted. */
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Where files may be written; they are removed with it. */
  readonly folder: string;
}

/** The order to a benchmark's process. */
export interface Order extends Repetition {
  readonly benchmark: BenchmarkName;
}
/** Its answer. */
export type Answer = { readonly reading: Reading } | { readonly failed: string };

/** What a repetition found, by the score. */
export type Reading = Readonly<Partial<Record<ScoreName, number>>>;
/** @throws where this host does not allow it */
export type Benchmark = (repetition: Repetition) => Promise<Reading>;

/**
 * Work per second of the CPU time that this process used for it, so that what competes for the CPU takes time and changes
 * no score.
 * @param done how much work is done so far
 * @param goOn works for so many milliseconds
 */
export async function perCpuSecond(
  done: () => number,
  goOn: (milliseconds: number) => Promise<void> | void,
  { warmUpMs, measureMs }: Repetition,
): Promise<number> {
  await goOn(warmUpMs);
  const before = done();
  const used = process.cpuUsage();
  await goOn(measureMs);
  const { user, system } = process.cpuUsage(used);
  return (done() - before) / ((user + system) / 1e6);
}

/**
 * The same of what goes on by itself over connections once they are open.
 * @param open opens them; `fail` is told of any error, which ends the benchmark
 */
export async function perCpuSecondOver(
  open: (fail: (error: Error) => void) => readonly Promise<void>[],
  done: () => number,
  repetition: Repetition,
): Promise<number> {
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined);
  await Promise.race([Promise.all(open(fail)), failed]);
  return perCpuSecond(done, (milliseconds) => Promise.race([pause(milliseconds), failed]), repetition);
}

/** Repeats a piece of work without a turn of the event loop in between; at least once. */
export const repeating =
  (piece: () => void) =>
  (milliseconds: number): void => {
    const until = performance.now() + milliseconds;
    do piece();
    while (performance.now() < until);
  };
