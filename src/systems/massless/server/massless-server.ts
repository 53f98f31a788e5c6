import type { AddressInfo } from 'node:net';
import { messageOf, stackFailed } from '../../../errors.ts';
import { ConnectionLost } from '../../../server/database-connection.ts';
import type { World, WorldProcess } from '../../../server/frame.ts';
import { openHttpFrame } from '../../../server/http-frame.ts';
import { counter, counters, gauge, openProcessMetrics } from '../../../server/page.ts';
import { RedisClient, RedisUnavailable } from '../../../server/redis-client.ts';
import { openTokenCheck } from '../../../server/token-check.ts';
import { processKey, WRITES_EVERY_MS } from '../keys.ts';
import { CLOSE, type DownMessages, REFUSED_JOIN, type Refusal, ROOM, serverOf } from '../wire.ts';
import { transferred } from './character.ts';
import { Characters } from './characters.ts';
import { type Colyseus, ignoreErrors, type Presence, redisOptions } from './colyseus.ts';
import type { MasslessConfig } from './config.ts';
import { openLeaderboard } from './leaderboard.ts';
import { type Member, send, welcome } from './member.ts';
import { isWhole, readJoin, readTrade, readZone, seqOf, zoneIn } from './messages.ts';
import { openSessions } from './sessions.ts';
import { openStore, type TradeRow } from './store.ts';
import { noTicks, renderTicks } from './tick-clock.ts';
import { openWrittenTimes } from './written-times.ts';
import { defineZoneRoom, type Zone, type ZoneHost } from './zone-room.ts';

/** An answer of Redis that takes longer counts as none. */
const REDIS_TIMEOUT_MS = 500;
/** Of a frame that a player sends. */
const LONGEST_FRAME = 1_024;
/** Every so many entries of the stream of times: what Redis lacks is written again, and sessions are renewed. */
const [RESTORE_EVERY, RENEW_EVERY] = [10, 150];
/** The broken variant acknowledges a trade so long before it is written. */
const EARLY_MS = 1_000;
/** What a clean end has for the last save, and for closing the rooms; less than the frame allows in all. */
const [LAST_SAVE_MS, CLOSE_MS] = [2_500, 1_000];
/** The channel on which servers tell each other of trades. */
const TRADES = 'traded';

type Lifetime = 'starting' | 'open' | 'leaving';

/** Opens a server of zones; the rooms begin once it listens. */
export async function openMasslessServer(
  config: MasslessConfig,
  colyseus: Colyseus,
  { log }: Pick<WorldProcess, 'log'>,
): Promise<World> {
  const { instance, servers, zones, host } = config;
  const { core } = colyseus;
  const name = `Massless server ${instance} of ${servers}`;
  const application = `capbench massless ${instance}`;
  const metrics = openProcessMetrics();
  const ticks = noTicks();
  const counts = {
    ...{ inputs: 0, acks: 0, patches: 0, patchBytes: 0, operations: 0, rejected: 0 },
    ...{ trades: 0, transfers: 0 },
  };
  const refusedJoins = { token: 0, unknown: 0, leaving: 0, unavailable: 0 };
  const rooms = new Map<number, Zone>();
  /** By player. */
  const online = new Map<number, Member>();
  /** Items whose trades are being written. */
  const trading = new Map<number, TradeRow>();
  let lifetime: Lifetime = 'starting';

  const serverOfZone = (zone: number): number => serverOf(zone, servers);
  const isZone = (zone: unknown): zone is number => isWhole(zone) && zone < zones;
  const isOwn = (zone: unknown): zone is number => isZone(zone) && serverOfZone(zone) === instance - 1;

  const store = await openStore({
    ...config,
    ...{ application, log, trade: config.trade === 'torn' ? 'torn' : 'moved' },
  });
  const characters = new Characters(store);
  const leaderboard = openLeaderboard(store);
  const times = openWrittenTimes(instance);
  const redis = await RedisClient.open({
    ...{ url: config.redis, name: application, timeout: REDIS_TIMEOUT_MS },
    opened: (why) => log(`Redis is away, its circuit breaker opens: ${why}`),
    async beforeClosed(run) {
      await times.compare(run);
      await leaderboard.rebuild(run);
    },
    closed(millis) {
      log(`Redis is back after ${Math.round(millis)} ms`);
      void tend(renewSessions);
    },
  });
  const sessions = openSessions(redis.run, serverOfZone);
  const driver = new colyseus.driver.RedisDriver(redisOptions(config.redis, `${application} driver`));
  const presence: Presence = new colyseus.presence.RedisPresence(
    redisOptions(config.redis, `${application} presence`),
  );

  ignoreErrors(driver, presence);

  const refuseJoin = (why: keyof typeof refusedJoins, sentence: string): Error => {
    refusedJoins[why] += 1;
    return new core.ServerError(REFUSED_JOIN[why], sentence);
  };
  const refuse = (member: Member, seq: number, reason: Refusal): void => {
    counts.operations += 1;
    counts.rejected += 1;
    send(member, 'refused', { seq, reason });
  };
  const refuseMalformed = (member: Member, message: unknown): void => {
    const seq = seqOf(message);
    if (seq === null) member.client.leave(CLOSE.malformed, 'a message without a number');
    else refuse(member, seq, 'malformed');
  };
  const checkToken = openTokenCheck(config.token);

  const zoneHost: ZoneHost = {
    ...{ tickRate: config.tickRate, zoneSize: config.zoneSize, isBanded: config.interest === 'on' },
    ...{ players: config.players, ticks, counts },
    opened(zone, room) {
      if (!isOwn(zone) || rooms.has(zone) || lifetime === 'leaving')
        throw refuseJoin(isOwn(zone) ? 'leaving' : 'unknown', `zone ${zone} is not served here now`);
      rooms.set(zone, room);
      return zone;
    },
    admit({ headers }, options) {
      if (checkToken({ headers } as Parameters<typeof checkToken>[0]) !== null)
        throw refuseJoin('token', 'the token of the run is missing or wrong');
      if (lifetime !== 'open') throw refuseJoin('leaving', `the server is ${lifetime}`);
      if (!redis.isAvailable) throw refuseJoin('unavailable', 'Redis is away');
      if (!isZone(zoneIn(options)))
        throw refuseJoin('unknown', `there is no such zone: 0 to ${zones - 1} are`);
    },
    async join(client, options, zone, entered) {
      const join = readJoin(options);
      if (join === null || join.player >= config.players)
        throw refuseJoin('unknown', `there is no such player: 0 to ${config.players - 1} are`);
      const { player } = join;
      const token = await sessions.open(player, join.token, zone);
      if (token === null) throw refuseJoin('token', 'another session has the player');
      try {
        const character = await characters.take(player);
        if (character === null) throw refuseJoin('unknown', `there is no character ${player}`);
        const { row } = character;
        if (character.isMoving || lifetime !== 'open') {
          characters.release(character);
          throw refuseJoin(
            'leaving',
            character.isMoving ? 'the character is being moved' : 'the server is leaving',
          );
        }
        if (row.zone !== zone) {
          characters.release(character);
          return { seq: row.transferSeq, zone: row.zone, server: serverOfZone(row.zone), token };
        }
        const member: Member = { ...{ player, zone, token, client, character }, inputs: [], held: [] };
        const before = online.get(player);
        online.set(player, member);
        before?.client.leave(CLOSE.replaced, 'the player has connected again');
        entered(member);
        const owned = await store.itemsOf(player);
        const items = owned.map(({ item }) => item);
        const got = owned.flatMap(({ item, by }) =>
          by === null ? [] : [{ item, from: by.giver, seq: by.seq }],
        );
        const { lastSeq: last, transferSeq: transferred, x, z } = character.row;
        welcome(member, {
          ...{ player, character: player, last, transferred, zone, x, z, items, got, token },
        });
        return null;
      } catch (error) {
        if (error instanceof ConnectionLost) throw refuseJoin('unavailable', 'PostgreSQL is away');
        throw error;
      }
    },
    left(member) {
      characters.release(member.character);
      if (online.get(member.player) === member) online.delete(member.player);
    },
    trade(member, message) {
      const wanted = readTrade(message);
      if (wanted === null) return refuseMalformed(member, message);
      const { seq, to: taker, item } = wanted;
      const trade: TradeRow = { giver: member.player, seq, taker, item };
      const isTarget = taker < config.players && taker !== member.player;
      const under = trading.get(item);
      // It was sent again: the answer goes to the player's present connection.
      if (under?.giver === member.player && under.seq === seq) return;
      if (lifetime !== 'open' || under !== undefined || !isTarget)
        return refuse(member, seq, lifetime !== 'open' ? 'leaving' : isTarget ? 'busy' : 'no-such-target');
      trading.set(item, trade);
      void writeTrade(trade).finally(() => trading.delete(item));
    },
    transfer(member, message, room) {
      const wanted = readZone(message);
      if (wanted === null) return refuseMalformed(member, message);
      const { seq, to } = wanted;
      const { row, isMoving } = member.character;
      if (lifetime !== 'open') return refuse(member, seq, 'leaving');
      if (isMoving) return refuse(member, seq, 'busy');
      if (to >= zones || to === row.zone || seq <= row.transferSeq)
        return refuse(member, seq, 'no-such-target');
      room.applyInputs(member);
      void moveCharacter(member, seq, to);
    },
  };

  async function writeTrade(trade: TradeRow): Promise<void> {
    const { giver, seq } = trade;
    if (config.trade === 'early') {
      announce(trade);
      await new Promise((resolve) => setTimeout(resolve, EARLY_MS));
    }
    let refusal: Refusal | null;
    try {
      refusal = (await store.trade(trade)) ? null : 'not-owned';
    } catch (error) {
      log(`Trade ${seq} of player ${giver} was not written: ${messageOf(error)}`);
      refusal = 'unavailable';
    }
    if (config.trade === 'early') return;
    const member = online.get(giver);
    if (refusal === null) announce(trade);
    else if (member !== undefined) refuse(member, seq, refusal);
  }

  /** Tells both sides, wherever they are. */
  function announce(trade: TradeRow): void {
    counts.trades += 1;
    counts.operations += 1;
    leaderboard.changed(trade.giver, trade.taker);
    deliver(trade.giver, trade);
    if (deliver(trade.taker, trade) || servers === 1 || !redis.isAvailable) return;
    void presence.publish(TRADES, trade)?.catch(() => undefined);
  }
  function deliver(player: number, { giver, seq, taker, item }: TradeRow): boolean {
    const member = online.get(player);
    if (member !== undefined) send(member, 'traded', { seq, from: giver, to: taker, item });
    return member !== undefined;
  }

  async function moveCharacter(member: Member, seq: number, to: number): Promise<void> {
    const { character, player, token, client } = member;
    const { zone: from } = character.row;
    const next = transferred(character.row, seq, to);
    character.isMoving = true;
    let refusal: Refusal | null;
    try {
      refusal = (await store.transfer(next, from)) ? null : 'busy';
    } catch (error) {
      log(`Player ${player} was not moved to zone ${to}: ${messageOf(error)}`);
      refusal = 'unavailable';
    }
    character.isMoving = false;
    if (refusal !== null) return refuse(member, seq, refusal);
    // Nothing is saved of it any more, and whoever comes for it loads it.
    character.row = next;
    character.saved = next;
    characters.forget(character);
    counts.transfers += 1;
    counts.operations += 1;
    const message: DownMessages['transfer'] = { seq, zone: to, server: serverOfZone(to), token };
    send(member, 'transfer', message);
    client.leave(CLOSE.transferred, 'the character is in another zone');
    await sessions.renew([[player, token, to]]).catch(() => undefined);
  }

  /** Work in Redis that is done again soon: what fails because a store is away is left. */
  async function tend(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof RedisUnavailable || error instanceof ConnectionLost))
        log(`Redis could not be written: ${messageOf(error)}`);
    }
  }
  const renewSessions = (): Promise<void> =>
    sessions.renew([...online.values()].map(({ player, token, zone }) => [player, token, zone] as const));
  async function restore(): Promise<void> {
    if (await leaderboard.restore(redis.run)) log('Redis had no leaderboard: it was written again');
    for (const { roomId, listing } of rooms.values()) if (!(await driver.has(roomId))) await listing.save();
  }
  let [writes, isWriting, isSaving] = [0, false, false];
  async function write(): Promise<void> {
    if (isWriting || !redis.isAvailable) return;
    isWriting = true;
    writes += 1;
    await tend(async () => {
      await times.add(redis.run);
      await leaderboard.write(redis.run);
      if (writes % RESTORE_EVERY === 0) await restore();
      if (writes % RENEW_EVERY === 0) await renewSessions();
    });
    isWriting = false;
  }
  async function save(): Promise<void> {
    if (isSaving) return;
    isSaving = true;
    await characters.save().catch((error) => log(`Characters were not saved: ${messageOf(error)}`));
    isSaving = false;
  }

  const server = openHttpFrame({
    token: config.token,
    state: () => lifetime,
    health: () => ({
      ...{ status: lifetime === 'open' ? 'ok' : lifetime, world: 'massless', instance },
      ...{ zones: [...rooms.keys()], players: online.size },
    }),
    metrics: () =>
      [
        metrics.render(online.size),
        counter('capbench_world_operations_total', counts.operations),
        counter('capbench_world_rejected_total', counts.rejected),
        renderTicks(ticks),
        counter('capbench_massless_inputs_total', counts.inputs),
        counter('capbench_massless_acks_total', counts.acks),
        counter('capbench_massless_patches_total', counts.patches),
        counter('capbench_massless_patch_bytes_total', counts.patchBytes),
        counter('capbench_massless_trades_total', counts.trades),
        counter('capbench_massless_transfers_total', counts.transfers),
        characters.render(),
        counters('capbench_massless_refused_joins_total', 'reason', refusedJoins),
        gauge('capbench_massless_rooms', rooms.size),
        gauge('capbench_massless_players', online.size),
        gauge('capbench_massless_characters', characters.size),
        counter('capbench_massless_leaderboard_rebuilt_total', leaderboard.counts.rebuilt),
        times.lostSeconds === null ? '' : gauge('capbench_massless_redis_lost_seconds', times.lostSeconds),
        redis.render(),
        store.render(),
      ].join(''),
  });
  let game: InstanceType<Colyseus['core']['Server']> | null = null;
  const timers: NodeJS.Timeout[] = [];

  /** Of the process that served these zones before: its rooms would be found until their health check fails. */
  async function forgetPredecessor(): Promise<void> {
    const key = processKey(instance);
    if (!redis.isAvailable) {
      throw stackFailed(
        'Redis does not answer: zones are found through it',
        'Start Redis, or correct REDIS_URL.',
      );
    }
    const [before] = await redis.run([['get', key]]);
    if (typeof before === 'string') {
      await core.matchMaker.stats.excludeProcess(before);
      await driver.cleanup(before);
    }
    await redis.run([['set', key, core.matchMaker.processId]]);
  }

  return {
    ...{ name, host, server },
    async start() {
      const { port } = server.address() as AddressInfo;
      game = new core.Server({
        transport: new colyseus.transport.WebSocketTransport({
          ...{ server, maxPayload: LONGEST_FRAME },
          verifyClient({ req }, done) {
            const refusal = checkToken(req);
            if (refusal !== null) done(false, refusal.status, refusal.why);
            else if (lifetime === 'open') done(true);
            else done(false, 503, `the server is ${lifetime}`);
          },
        }),
        ...{ driver, presence, greet: false, gracefullyShutdown: false, publicAddress: `${host}:${port}` },
        async selectProcessIdToCreateRoom(_, { zone }) {
          if (isOwn(zone)) return core.matchMaker.processId;
          throw refuseJoin('leaving', `zone ${zone} is not served now`);
        },
      });
      game.define(ROOM, defineZoneRoom(colyseus, zoneHost)).filterBy(['zone']);
      await forgetPredecessor();
      await core.matchMaker.accept();
      for (let zone = instance - 1; zone < zones; zone += servers)
        await core.matchMaker.createRoom(ROOM, { zone });
      // Of trades that were committed just before the predecessor ended, Redis was not told.
      await tend(() => leaderboard.rebuild(redis.run));
      await presence.subscribe(TRADES, (trade) => {
        const row = trade as TradeRow;
        deliver(row.taker, row);
      });
      timers.push(setInterval(() => void write(), WRITES_EVERY_MS));
      timers.push(setInterval(() => void save(), config.saveMillis));
      lifetime = 'open';
    },
    async close() {
      lifetime = 'leaving';
      for (const timer of timers) clearInterval(timer);
      // What has arrived is applied and acknowledged, and then saved.
      for (const room of rooms.values()) room.finish();
      if (config.saveOnExit === 'on') await Promise.race([characters.save(), pause(LAST_SAVE_MS)]);
      const unwritten = await store.close(LAST_SAVE_MS);
      if (unwritten > 0) log(`${unwritten} changes were not written`);
      log(`${online.size} players are sent away; ${refusedJoins.leaving} joins were refused meanwhile`);
      await Promise.race([game?.gracefullyShutdown(false), pause(CLOSE_MS)]);
      await redis.close();
    },
  };
}

const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis));
