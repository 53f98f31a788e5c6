import { setTimeout as sleep } from 'node:timers/promises';

/** GO is announced a while before it, so that this often is often enough. */
const ASK_MS = 20;

/** Resolves once the load has started. `now`: microseconds after GO; negative before it, and infinitely so while it is unknown. */
export async function startOfLoad(now: () => number): Promise<void> {
  for (let at = now(); at < 0; at = now()) {
    const left = Number.isFinite(at) ? Math.ceil(-at / 1e3) : ASK_MS;
    await sleep(Math.min(left, ASK_MS), undefined, { ref: false });
  }
}
