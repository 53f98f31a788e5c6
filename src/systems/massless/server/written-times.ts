import type { RunCommands } from '../../../server/redis-client.ts';
import { WRITES_KEPT, writesKey } from '../keys.ts';

/**
 * A stream of times, by which a server finds out what Redis has lost: the newest time that Redis had acknowledged, less the newest
 * that it still has.
 */
export interface WrittenTimes {
  /** Adds the present time; rejects without Redis. */
  add(run: RunCommands): Promise<void>;
  /** Compares with what Redis has, before anything else is written. */
  compare(run: RunCommands): Promise<void>;
  /** The longest time that was lost at once, in seconds; null before the first comparison. */
  readonly lostSeconds: number | null;
}

export function openWrittenTimes(server: number, now: () => number = Date.now): WrittenTimes {
  const key = writesKey(server);
  let [first, newest] = [0, 0];
  let lostMillis: number | null = null;
  return {
    get lostSeconds() {
      return lostMillis === null ? null : lostMillis / 1e3;
    },
    async add(run) {
      const at = now();
      await run([['xadd', key, 'maxlen', '~', WRITES_KEPT, '*', 'at', at]]);
      first ||= at;
      newest = at;
    },
    async compare(run) {
      if (newest === 0) return;
      const [entries] = await run([['xrevrange', key, '+', '-', 'count', 1]]);
      const stored = timeOf(entries) ?? first;
      lostMillis = Math.max(lostMillis ?? 0, newest - stored);
    },
  };
}

/** Of the reply to XREVRANGE: [[id, ['at', time]]]. */
function timeOf(entries: unknown): number | null {
  const [entry] = entries as readonly (readonly [string, readonly string[]])[];
  return entry === undefined ? null : Number(entry[1][1]);
}
