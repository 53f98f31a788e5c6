import { execute } from './execute.ts';
import { targetOf } from './targets.ts';

/** Tries the inputs one after another in one process, so that an input that ends it is known. */

export interface Share {
  readonly root: string;
  readonly seed: number;
  readonly target: string;
  readonly from: number;
  readonly to: number;
}

export type Word =
  | { readonly kind: 'trying'; readonly index: number; readonly memoryBytes: number }
  | { readonly kind: 'tried'; readonly result: Awaited<ReturnType<typeof execute>> }
  | { readonly kind: 'done' };

/** An uncaught error belongs to the current input. */
const uncaught: string[] = [];
process.on('uncaughtException', (thrown) => uncaught.push(`nobody caught: ${thrown.message}`));

const say = (word: Word): Promise<void> => new Promise((resolve) => process.send?.(word, () => resolve()));

async function work({ root, seed, target: name, from, to }: Share): Promise<void> {
  const target = targetOf(root, name);
  for (let index = from; index < to; index++) {
    await say({ kind: 'trying', index, memoryBytes: process.resourceUsage().maxRSS * 1024 });
    const result = await execute(root, target, { seed, index });
    await new Promise((resolve) => setImmediate(resolve));
    await say({ kind: 'tried', result: { ...result, faults: [...result.faults, ...uncaught.splice(0)] } });
  }
  await say({ kind: 'done' });
  process.disconnect();
}

// The parent process has ended.
process.once('disconnect', () => process.exit());

process.once('message', (share: Share) => {
  void work(share);
});
