import type { RedisCommand } from '../../../server/redis-batch.ts';
import type { RunCommands } from '../../../server/redis-client.ts';
import type { Match } from '../match.ts';
import {
  codeKey,
  type Fields,
  fieldsOf,
  headOf,
  matchKey,
  OWNER,
  playerKey,
  serverKey,
} from '../stored-match.ts';

/** Where a match is in Redis: as this server wrote it; nowhere, as it was evicted; or another server plays it. */
export type Whereabouts = 'here' | 'nowhere' | 'elsewhere';

/** Writes a field of a match only if this server plays it. Replies with the server that does. */
const WRITE = `
  local owner = redis.call('hget', KEYS[1], '${OWNER}')
  if owner == ARGV[1] then
    redis.call('hset', KEYS[1], unpack(ARGV, 3))
    redis.call('pexpire', KEYS[1], ARGV[2])
  end
  return owner`;

/** Gives a match to another server, if the one that has it is the expected one. */
const TAKE = `
  if redis.call('hget', KEYS[1], '${OWNER}') == ARGV[1] then
    redis.call('hset', KEYS[1], '${OWNER}', ARGV[2])
    redis.call('srem', KEYS[2], ARGV[3])
    redis.call('sadd', KEYS[3], ARGV[3])
  end`;

/** A server's matches in Redis. Every function rejects when Redis does not answer, or refuses. */
export interface MatchStore {
  create(match: Match): Promise<void>;
  /** Writes the field of a change, if the match is here; `joiner`: who joins by it. */
  write(id: number, fields: Fields, joiner?: number): Promise<Whereabouts>;
  /** Where matches of this server are. */
  whereabouts(ids: readonly number[]): Promise<readonly Whereabouts[]>;
  /** Makes this server the one that plays a match, whoever did before, and returns its fields; none where Redis has none. */
  take(id: number): Promise<Fields>;
  /** Those of a match's players who have entered another one since, on any server. */
  left(match: Match): Promise<readonly number[]>;
  /** Writes matches as they are, and more fields of each, over `run`. */
  rewrite(matches: Iterable<Match>, run?: RunCommands, more?: Fields): Promise<void>;
  /** No server plays the match any more, and Redis keeps it. */
  leave(id: number): Promise<void>;
  remove(matches: Iterable<Pick<Match, 'id' | 'code'>>, run?: RunCommands): Promise<void>;
  /** The fields of matches; none of one that is not there, or that another server plays. */
  load(ids: readonly number[]): Promise<readonly Fields[]>;
}

/** `ttlMs`: how long Redis keeps a match without changes. */
export function openMatchStore(server: number, ttlMs: number, run: RunCommands): MatchStore {
  const hset = (id: number, fields: Fields): readonly RedisCommand[] => [
    ['hset', matchKey(id), OWNER, server, ...Object.entries(fields).flat()],
    ['pexpire', matchKey(id), ttlMs],
  ];
  const whole = (match: Match, fields: Fields): readonly RedisCommand[] => [
    ...hset(match.id, fields),
    ['set', codeKey(match.code), match.id, 'px', ttlMs],
    ['sadd', serverKey(server), match.id],
  ];
  const entered = (player: number, id: number): RedisCommand => [
    ...(['set', playerKey(player), id, 'px', ttlMs] as const),
  ];
  const whereaboutsOf = (owner: unknown): Whereabouts =>
    owner === null ? 'nowhere' : owner === String(server) ? 'here' : 'elsewhere';
  async function load(ids: readonly number[]): Promise<readonly Fields[]> {
    if (ids.length === 0) return [];
    const replies = await run(ids.map((id) => ['hgetall', matchKey(id)]));
    // ioredis makes an object of the reply to HGETALL.
    return (replies as readonly Fields[]).map((fields) => (fields[OWNER] === String(server) ? fields : {}));
  }
  return {
    async create(match) {
      await run([...whole(match, headOf(match)), entered(match.seats[0]!.player, match.id)], {
        atomic: true,
      });
    },
    async write(id, fields, joiner) {
      const [owner] = await run([
        ['eval', WRITE, 1, matchKey(id), server, ttlMs, ...Object.entries(fields).flat()],
        ...(joiner === undefined ? [] : [entered(joiner, id)]),
      ]);
      return whereaboutsOf(owner);
    },
    async whereabouts(ids) {
      if (ids.length === 0) return [];
      // The set may have been evicted, too.
      const [, ...owners] = await run([
        ['sadd', serverKey(server), ...ids],
        ...ids.map((id) => ['hget', matchKey(id), OWNER] as const),
      ]);
      return owners.map(whereaboutsOf);
    },
    async take(id) {
      const [owner] = await run([['hget', matchKey(id), OWNER]]);
      if (owner === null) return {};
      const keys = [matchKey(id), serverKey(Number(owner)), serverKey(server)];
      await run([['eval', TAKE, keys.length, ...keys, String(owner), server, id]]);
      const [fields = {}] = await load([id]);
      return fields;
    },
    async left({ id, seats }) {
      const players = seats.map(({ player }) => player);
      const entries = await run(players.map((player) => ['get', playerKey(player)]));
      return players.filter((_, i) => entries[i] !== null && entries[i] !== String(id));
    },
    async rewrite(matches, over = run, more = {}) {
      const commands = [...matches].flatMap((match) => whole(match, { ...fieldsOf(match), ...more }));
      if (commands.length > 0) await over(commands);
    },
    async leave(id) {
      await run([['srem', serverKey(server), id]]);
    },
    async remove(matches, over = run) {
      const commands = [...matches].flatMap(({ id, code }): readonly RedisCommand[] => [
        ['del', matchKey(id), codeKey(code)],
        ['srem', serverKey(server), id],
      ]);
      if (commands.length > 0) await over(commands);
    },
    load,
  };
}
