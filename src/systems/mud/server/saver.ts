import { messageOf } from '../../../errors.ts';
import type { RedisClient } from '../../../server/redis-client.ts';
import { playerOf } from '../rooms.ts';
import type { MudConfig } from './config.ts';
import type { GameTable } from './game-table.ts';
import type { PlayerState } from './player-state.ts';
import type { SharedStore } from './shared-store.ts';

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
    const lease = now + saveMillis;
    const taken = await store.take(redis.run, { now, end: lease, most: MOST_AT_ONCE });
    if (taken.length === 0) return 0;
    const players = taken.map(playerOf);
    counts.mostUnsaved = Math.max(counts.mostUnsaved, taken.length);
    try {
      const states = await store.states(redis.run, players);
      const kept = new Map<number, PlayerState>();
      await Promise.all(
        players.map(async (player, index) => {
          const state = states[index];
          if (state != null && (await table.save(player, state))) kept.set(player, state);
        }),
      );
      counts.unsaved = await store.saved(redis.run, lease, kept);
      counts.saves += 1;
      counts.states += kept.size;
      const others = players.filter((player) => !kept.has(player));
      if (others.length > 0) await store.release(redis.run, lease, others);
      return kept.size;
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
