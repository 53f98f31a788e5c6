import type { RedisCommand } from '../../../server/redis-batch.ts';
import type { RunCommands } from '../../../server/redis-client.ts';
import type { Match } from '../match.ts';
import { codeKey, type Fields, fieldsOf, headOf, matchKey, serverKey } from '../stored-match.ts';

/** A server's matches in Redis. Every function rejects when Redis does not answer, or refuses. */
export interface MatchStore {
  create(match: Match): Promise<void>;
  /** Writes the field of a change. */
  write(id: number, fields: Fields): Promise<void>;
  /** Writes matches as they are, over `run`. */
  rewrite(matches: Iterable<Match>, run: RunCommands): Promise<void>;
  remove(matches: Iterable<Pick<Match, 'id' | 'code'>>, run?: RunCommands): Promise<void>;
  /** The fields of matches; none of one that is not there. */
  load(ids: readonly number[]): Promise<readonly Fields[]>;
}

/** `ttlMs`: how long Redis keeps a match without changes. */
export function openMatchStore(server: number, ttlMs: number, run: RunCommands): MatchStore {
  const hset = (id: number, fields: Fields): readonly RedisCommand[] => [
    ['hset', matchKey(id), ...Object.entries(fields).flat()],
    ['pexpire', matchKey(id), ttlMs],
  ];
  const whole = (match: Match, fields: Fields): readonly RedisCommand[] => [
    ...hset(match.id, fields),
    ['set', codeKey(match.code), match.id, 'px', ttlMs],
    ['sadd', serverKey(server), match.id],
  ];
  return {
    async create(match) {
      await run(whole(match, headOf(match)), { atomic: true });
    },
    async write(id, fields) {
      await run(hset(id, fields));
    },
    async rewrite(matches, over) {
      const commands = [...matches].flatMap((match) => whole(match, fieldsOf(match)));
      if (commands.length > 0) await over(commands);
    },
    async remove(matches, over = run) {
      const commands = [...matches].flatMap(({ id, code }): readonly RedisCommand[] => [
        ['del', matchKey(id), codeKey(code)],
        ['srem', serverKey(server), id],
      ]);
      if (commands.length > 0) await over(commands);
    },
    async load(ids) {
      if (ids.length === 0) return [];
      const replies = await run(ids.map((id) => ['hgetall', matchKey(id)]));
      // ioredis makes an object of the reply to HGETALL.
      return replies as readonly Fields[];
    },
  };
}
