import type { RedisCommand } from '../../../server/redis-batch.ts';
import type { RunCommands } from '../../../server/redis-client.ts';
import { LEADERBOARD } from '../keys.ts';
import type { Store } from './store.ts';

/** Players of one ZADD. */
const PLAYERS_AT_ONCE = 1_000;

/**
 * The scores of players, which follow from the trades in PostgreSQL. Scores only grow, so that several servers may write them in
 * any order.
 */
export interface Leaderboard {
  /** These players have traded. */
  changed(...players: readonly number[]): void;
  /** Writes what has changed. Rejects without Redis or PostgreSQL: then it is written by the next call. */
  write(run: RunCommands): Promise<void>;
  /** Writes all of it if Redis has none; resolves to whether it had none. */
  restore(run: RunCommands): Promise<boolean>;
  /** Writes all of it. */
  rebuild(run: RunCommands): Promise<void>;
  readonly counts: { readonly rebuilt: number };
}

export function openLeaderboard(store: Pick<Store, 'scores'>): Leaderboard {
  let pending = new Set<number>();
  const counts = { rebuilt: 0 };
  const writeScores = async (
    run: RunCommands,
    scores: readonly { readonly player: number; readonly score: number }[],
  ): Promise<void> => {
    for (let from = 0; from < scores.length; from += PLAYERS_AT_ONCE) {
      const pairs = scores
        .slice(from, from + PLAYERS_AT_ONCE)
        .flatMap(({ player, score }) => [score, String(player)]);
      const command: RedisCommand = ['zadd', LEADERBOARD, 'gt', ...pairs];
      await run([command]);
    }
  };
  const leaderboard: Leaderboard = {
    counts,
    changed(...players) {
      for (const player of players) pending.add(player);
    },
    async write(run) {
      if (pending.size === 0) return;
      const taken = pending;
      pending = new Set();
      try {
        await writeScores(run, await store.scores([...taken]));
      } catch (error) {
        leaderboard.changed(...taken);
        throw error;
      }
    },
    async restore(run) {
      const [exists] = await run([['exists', LEADERBOARD]]);
      if (exists === 1) return false;
      await leaderboard.rebuild(run);
      return true;
    },
    async rebuild(run) {
      const scores = await store.scores();
      if (scores.length === 0) return;
      await writeScores(run, scores);
      counts.rebuilt += 1;
    },
  };
  return leaderboard;
}
