import { createHash } from 'node:crypto';

/**
 * What has to be checked and written at once, in Redis itself: a MULTI cannot depend on what it reads, and WATCH would be of the
 * whole connection, which all players share.
 */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

const script = (text: string): Script => ({ text, sha: createHash('sha1').update(text).digest('hex') });

/**
 * Stores the effect of a command, unless the session is another server's, or the room is not as it was read.
 *
 * KEYS: session, state, location, the room's state, dirty, the players of the room before and after.
 * ARGV: the session, TTL, state, location, username, the room as it was read and as it is now (empty: not looked at; `none`:
 * missing), then pairs of a channel and an event.
 */
export const COMMIT = script(`
local session = redis.call('GET', KEYS[1])
if session and session ~= ARGV[1] then return 'session' end
if ARGV[6] ~= '' then
  if (redis.call('GET', KEYS[4]) or 'none') ~= ARGV[6] then return 'room' end
  redis.call('SET', KEYS[4], ARGV[7])
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
redis.call('SET', KEYS[2], ARGV[3], 'EX', ARGV[2])
redis.call('SET', KEYS[3], ARGV[4], 'EX', ARGV[2])
redis.call('ZADD', KEYS[5], 0, ARGV[5])
if KEYS[6] ~= KEYS[7] then redis.call('SREM', KEYS[6], ARGV[5]) end
redis.call('SADD', KEYS[7], ARGV[5])
for i = 8, #ARGV, 2 do
  redis.call('PUBLISH', ARGV[i], ARGV[i + 1])
  if string.sub(ARGV[i], 1, 5) == 'room:' then
    local events = ARGV[i] .. ':events'
    redis.call('RPUSH', events, ARGV[i + 1])
    redis.call('LTRIM', events, -20, -1)
  end
end
return 'ok'
`);

/** Removes a player who has left, unless another server has taken over. KEYS: session, room's players, active players. ARGV: the session, username. */
export const LEAVE = script(`
local session = redis.call('GET', KEYS[1])
if session and session ~= ARGV[1] then return 0 end
redis.call('SREM', KEYS[2], ARGV[2])
redis.call('SREM', KEYS[3], ARGV[2])
return 1
`);

/**
 * Takes players whose states have to be saved, for the time of a lease: who takes them and does not save them has ended.
 * KEYS: dirty. ARGV: now, the end of the lease, how many. Returns usernames.
 */
export const TAKE = script(`
local users = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
for _, user in ipairs(users) do redis.call('ZADD', KEYS[1], ARGV[2], user) end
return users
`);

/**
 * Players are saved: they are no longer dirty, unless they have changed since they were taken. KEYS: dirty. ARGV: the end of the
 * lease, then for each its username, its channel and what it is told (empty: nothing).
 */
export const SAVED = script(`
for i = 2, #ARGV, 3 do
  local score = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if score and tonumber(score) == tonumber(ARGV[1]) then redis.call('ZREM', KEYS[1], ARGV[i]) end
  if ARGV[i + 2] ~= '' then redis.call('PUBLISH', ARGV[i + 1], ARGV[i + 2]) end
end
return redis.call('ZCARD', KEYS[1])
`);

/** Players could not be saved: they may be taken again. KEYS: dirty. ARGV: the end of the lease, usernames. */
export const RELEASE = script(`
for i = 2, #ARGV do
  local score = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if score and tonumber(score) == tonumber(ARGV[1]) then redis.call('ZADD', KEYS[1], 0, ARGV[i]) end
end
return 1
`);

export const SCRIPTS = [COMMIT, LEAVE, TAKE, SAVED, RELEASE];
