import { messageOf } from '../../../errors.ts';
import type { RedisClient } from '../../../server/redis-client.ts';
import { playerOf } from '../rooms.ts';
import type { MudConfig } from './config.ts';
import type { GameTable } from './game-table.ts';
import { hasAllOf } from './merge.ts';
import type { SavedPlayer, SharedStore } from './shared-store.ts';

interface SaverPlan {
  readonly config: Pick<MudConfig, 'instance' | 'instances' | 'saveMillis'>;
  readonly redis: RedisClient;
  readonly store: SharedStore;
  readonly table: GameTable;
  log(sentence: string): void;
}

/** Saves what has changed, whoever changed it: instances take turns, and what one took and did not save is taken by another. */
export interface Saver {
  readonly counts: {
    /** Rounds in which something was saved, and the states. */
    readonly saves: number;
    readonly states: number;
    /** States that are in Redis only, after the last round. */
    readonly unsaved: number;
    readonly mostUnsaved: number;
  };
  /** Saves all that can be taken now. */
  saveNow(): Promise<void>;
  close(): void;
}

const MOST_AT_ONCE = 2_000;

export function openSaver({ config, redis, store, table, log }: SaverPlan): Saver {
  const { instance, instances, saveMillis } = config;
  const counts = { saves: 0, states: 0, unsaved: 0, mostUnsaved: 0 };
  let saving: Promise<void> | null = null;
  let timer: NodeJS.Timeout;

  const saveSome = async (): Promise<number> => {
    const now = Date.now();
    // No two instances have the same, even where they take in the same millisecond.
    const lease = now + saveMillis + instance / 1_024;
    const taken = await store.take(redis.run, { now, end: lease, most: MOST_AT_ONCE });
    if (taken.length === 0) return 0;
    const players = taken.map(playerOf);
    counts.mostUnsaved = Math.max(counts.mostUnsaved, taken.length);
    try {
      const states = await store.states(redis.run, players);
      const saved = await Promise.all(
        players.map(async (player, index): Promise<SavedPlayer> => {
          const state = states[index] ?? null;
          // Redis has been emptied, or the key has expired: what there was of it is in the row, or lost.
          if (state === null) return { player, numbers: [], isBehind: false };
          const row = await table.save(player, state);
          return { player, numbers: row.numbers, isBehind: !hasAllOf(state, row) };
        }),
      );
      counts.unsaved = await store.saved(redis.run, lease, saved);
      counts.saves += 1;
      counts.states += saved.length;
      return saved.length;
    } catch (error) {
      // Where Redis is away, the lease ends by itself.
      await store.release(redis.run, lease, players).catch(() => undefined);
      throw error;
    }
  };

  const saveAll = async (): Promise<void> => {
    if (!redis.isAvailable || table.isAway) return;
    try {
      while ((await saveSome()) === MOST_AT_ONCE);
    } catch (error) {
      log(`States could not be saved, and will be saved later: ${messageOf(error)}`);
    }
  };
  const saveNow = (): Promise<void> => {
    saving ??= saveAll().finally(() => {
      saving = null;
    });
    return saving;
  };
  // The instances save one after the other, so that together they save more often than each of them alone.
  const wait = (millis: number): NodeJS.Timeout =>
    setTimeout(() => {
      void saveNow();
      timer = wait(saveMillis);
    }, millis);
  timer = wait((saveMillis * instance) / instances);

  return {
    counts,
    saveNow,
    close: () => clearTimeout(timer),
  };
}
