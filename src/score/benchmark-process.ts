import { messageOf } from '../errors.ts';
import type { Answer, Benchmark, BenchmarkName, Order } from './benchmark.ts';

/** The entry of a benchmark's process: takes one order, answers with what it found, and ends when the channel closes. */

/** Loaded one at a time, so that each has a process without the code of the others. */
const LOAD: Readonly<Record<BenchmarkName, () => Promise<Benchmark>>> = {
  javascript: async () => (await import('./javascript.ts')).javascript,
  webSocket: async () => (await import('./web-socket.ts')).webSocket,
  loopback: async () => (await import('./loopback.ts')).loopback,
  memoryBandwidth: async () => (await import('./memory-bandwidth.ts')).memoryBandwidth,
  fdatasync: async () => (await import('./fdatasync.ts')).fdatasync,
};

const isOrder = (message: unknown): message is Order =>
  typeof message === 'object' && message !== null && 'benchmark' in message;

async function answer({ benchmark, ...repetition }: Order): Promise<Answer> {
  try {
    return { reading: await (await LOAD[benchmark]())(repetition) };
  } catch (thrown) {
    return { failed: messageOf(thrown) };
  }
}

process.on('disconnect', () => process.exit(0));
process.on('message', async (message) => {
  if (isOrder(message)) process.send?.(await answer(message));
});
