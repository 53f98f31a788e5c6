import type { WorkerSetup } from '../../load/fleet/messages.ts';
import type { WorldContext, WorldModule } from '../../load/module/player-code.ts';
import { wrongFrames } from '../../load/module/wrong-frames.ts';
import type { SourceTools } from '../../load/source.ts';
import type { Operation, Session } from '../../player.d.ts';
import { PlaceHistory } from './place-history.ts';
import {
  type Colyseus,
  goTo,
  type Message,
  openRooms,
  type Room,
  type Seat,
  type StateDecoder,
} from './rooms.ts';
import { copyOf, distance, SLACK_UNITS, sightOf, wrongSight } from './sight.ts';
import { statedPlace } from './stated-place.ts';
import type { Item } from './tables.ts';
import { type DownMessages, firstZone, moved, PASSING, type Place, serverOf, type ZoneView } from './wire.ts';
import { type Kind, masslessWorkload } from './workload.ts';

/** What is known of a player over all of its connections. */
interface PlayerState extends Seat {
  /** The highest number that it sent. */
  highest: number;
  /** Numbers of acknowledged trades and transfers, which a lost process does not take with it. */
  readonly durable: Set<number>;
  /** The last acknowledged transfer. */
  transferred: number;
  /** Trades without an answer, over all connections, by number. */
  readonly offered: Map<number, Offer>;
  /** Its own, and by which trade each came to it; null for those that it began with. */
  items: Map<Item, string | null>;
  /** Inputs and the transfer without an answer when the last connection ended. */
  open: { readonly inputs: readonly number[]; readonly transfer: number | null };
}

interface Offer {
  readonly item: Item;
  readonly to: number;
}

interface Input extends Place {
  readonly operation: Operation;
}

/** What is known of a player in its present room. */
interface Stay {
  room: Room;
  places: PlaceHistory;
  /** The last acknowledgement; null before the first. */
  last: Instant | null;
  /** Its state when it was judged last. */
  seen: Partial<ZoneView> | null;
  /** Where the rate of ticks is measured from. */
  since: Instant | null;
}

interface MasslessSession extends Session, Stay {
  readonly context: WorldContext;
  readonly state: PlayerState;
  /** Without an acknowledgement, in the order of their numbers. */
  readonly inputs: Input[];
  /** Operations of trades without an answer. */
  readonly trades: Map<number, Operation>;
  /** The transfer that is under way. */
  transfer: Operation | null;
  /** Due while a transfer is under way. */
  readonly held: Operation[];
  /** As acknowledged. */
  place: Place;
  /** With frames of the state before them. */
  acks: number;
}

/** A tick of a room, and when the player knew of it, in microseconds. */
interface Instant {
  readonly tick: number;
  readonly at: number;
}

/** Of so many acknowledgements of a player, at one what it sees is judged. */
const JUDGE_EVERY = 5;
/** `readyState` of a WebSocket that is open; one that ends has a higher one. */
const OPEN = 1;
/** Over so many ticks and more their rate is measured. */
const TICKS_OF_RATE = 20;
/** What is counted even if it never happens: known to be measured. */
const COUNTED = ['wrongFrames', 'missingPatches', 'wrongSights', 'refusedSeats'];
/** Places are equal but for the order of additions. */
const SAME_PLACE = 1e-6;

/** The players of zones: they go about, give items to each other, and go to other zones. */
export function masslessPlayers(
  { workload }: WorkerSetup,
  { ledger }: Pick<SourceTools, 'ledger'>,
  colyseus: Colyseus,
): WorldModule<MasslessSession> {
  const { zones, servers, zoneSize, decodesOneOf, tickRate } = masslessWorkload(workload);
  const states = new Map<number, PlayerState>();
  const stateOf = (player: number): PlayerState => {
    const zone = firstZone(player, zones);
    const state: PlayerState = states.get(player) ?? {
      ...{ zone, server: serverOf(zone, servers), token: '', highest: 0, durable: new Set(), transferred: 0 },
      ...{ offered: new Map(), items: new Map(), open: { inputs: [], transfer: null } },
    };
    states.set(player, state);
    return state;
  };

  const wrong = wrongFrames();

  const { enter, send } = openRooms({ colyseus, decodesOneOf, wrong });

  /** This worker's players by room: what one of them sees is held against what the others know of themselves. */
  const inRooms = new Map<string, Map<number, PlaceHistory>>();
  function leaveRoom({ context, room, places }: Pick<MasslessSession, 'context' | 'room' | 'places'>): void {
    const own = inRooms.get(room.id);
    if (own?.get(context.player) !== places) return;
    own.delete(context.player);
    if (own.size === 0) inRooms.delete(room.id);
  }
  function enterRoom(session: MasslessSession, room: Room): void {
    leaveRoom(session);
    Object.assign(session, arrivedIn(room));
    const there = inRooms.get(room.id) ?? new Map<number, PlaceHistory>();
    inRooms.set(room.id, there.set(session.context.player, session.places));
  }

  /** What a welcome says of numbers that were sent before. */
  function settleNumbers(context: WorldContext, state: PlayerState, welcome: DownMessages['welcome']): void {
    const { player } = context;
    const { last, transferred } = welcome;
    if (last > state.highest) wrong(context, 'a welcome with a number that was never sent', welcome);
    if (transferred < state.transferred)
      wrong(context, `a welcome without the transfer ${state.transferred}, which was acknowledged`, welcome);
    for (const number of state.open.inputs) if (number <= last) ledger.acked(player, number);
    if (state.open.transfer !== null && transferred === state.open.transfer) {
      ledger.acked(player, transferred);
      state.durable.add(transferred);
      state.transferred = transferred;
    }
    const lacking: number[] = [];
    for (let number = last + 1; number <= state.highest; number++)
      if (!state.durable.has(number)) lacking.push(number);
    ledger.lacks(player, lacking);
    state.open = { inputs: [], transfer: null };
  }

  /** Takes over what a welcome says, in a new room. */
  function settleIn(context: WorldContext, state: PlayerState, welcome: DownMessages['welcome']): Place {
    const { player } = context;
    const { x, z, zone, token, items, got } = welcome;
    if (welcome.player !== player || welcome.character !== player)
      wrong(context, 'the welcome of another player', welcome);
    state.zone = zone;
    state.server = serverOf(zone, servers);
    state.token = token;
    const before = state.items;
    state.items = new Map(items.map((item) => [item, null]));
    if (state.items.size !== items.length) wrong(context, 'an item twice', welcome);
    for (const { item, from, seq } of got) {
      if (!state.items.has(item))
        wrong(context, `a trade with the item ${item}, which it does not own`, welcome);
      const trade = tradeKey(from, seq);
      // Heard of by this welcome only: nobody was connected to be told of it.
      if (before.get(item) !== trade) context.delivered(trade);
      state.items.set(item, trade);
    }
    ledger.stated(player, statedPlace({ x, z }));
    return { x, z };
  }

  /** From now on messages are the session's, and so are those that came before. */
  function listen(session: MasslessSession, room: Room, early: readonly Message[]): void {
    enterRoom(session, room);
    room.hear = (type, body) => hear(session, type, body);
    for (const { type, body } of early) hear(session, type, body);
    room.ended = (why) => {
      if (session.room === room) session.context.lost(why);
    };
    // It may have ended before anybody listened.
    if (room.socket.readyState > OPEN) session.context.lost('the server closed the connection at once');
  }

  function hear(session: MasslessSession, type: string, body: unknown): void {
    if (type === 'ack') acknowledge(session, body as DownMessages['ack']);
    else if (type === 'traded') trade(session, body as DownMessages['traded']);
    else if (type === 'refused') refuse(session, body as DownMessages['refused']);
    else if (type === 'transfer') transfer(session, body as DownMessages['transfer']);
    else wrong(session.context, `a message ${type}`, body);
  }

  function acknowledge(session: MasslessSession, ack: DownMessages['ack']): void {
    const { context, inputs, room, places } = session;
    let { place } = session;
    let acked = 0;
    for (const input of inputs) {
      if (input.operation.number > ack.seq) break;
      place = moved(place, input, zoneSize);
      acked += 1;
      context.settle(input.operation, 'ok');
    }
    inputs.splice(0, acked);
    if (acked === 0) wrong(context, 'an acknowledgement of nothing', ack);
    else if (distance(place, ack) > SAME_PLACE)
      wrong(context, `an acknowledgement at a place that is not ${place.x}, ${place.z}`, ack);
    session.place = { x: ack.x, z: ack.z };
    places.add(ack.tick, session.place);
    ledger.stated(context.player, statedPlace(ack));
    for (const name of COUNTED) context.measure(name, 0);
    countTicks(session, ack.tick);
    context.measure('patches', room.patches);
    context.measure('patchBytes', room.patchBytes);
    if (room.state !== null && room.patches > 0) judgeSight(session, room.state);
    [room.patches, room.patchBytes] = [0, 0];
  }

  /** There is one patch for each tick, after the acknowledgements of that tick. */
  function countTicks(session: MasslessSession, tick: number): void {
    const { context, last, since, room } = session;
    const now: Instant = { tick, at: context.now() };
    session.last = now;
    if (last === null || since === null) {
      session.since = now;
      return;
    }
    const missing = tick - last.tick - room.patches;
    if (missing > 0) {
      context.measure('missingPatches', missing - 1);
      wrong(context, `${missing} ticks without a patch`, { from: last.tick, to: tick }, 'missingPatches');
    }
    if (tick - since.tick < TICKS_OF_RATE) return;
    context.measure('ticksPerSecond', (1e6 * (tick - since.tick)) / Math.max(1, now.at - since.at), 'Hz');
    session.since = now;
  }

  /** What a player that decodes the state sees. Each player counts by itself: of acknowledgements that come in turn it would always be the same one. */
  function judgeSight(session: MasslessSession, { state }: StateDecoder): void {
    const { context, place, places, inputs, room } = session;
    session.acks += 1;
    if (session.acks % JUDGE_EVERY !== 0) return;
    const sight = sightOf(state, context.player);
    if (sight === null) {
      wrong(context, 'a state without bands', Object.keys(state));
      return;
    }
    context.measure('inSight', sight.inSight, 'players');
    context.measure('outOfBand', sight.outOfBand);
    // Before the acknowledgement, or after what has been applied since.
    if (sight.own === null || distance(sight.own, place) > SLACK_UNITS)
      wrong(
        context,
        `its own place is not ${place.x}, ${place.z} (${inputs.length} on their way)`,
        sight.own,
      );
    // A while ago, so that the others' acknowledgements of that tick have come by now.
    const { seen } = session;
    session.seen = copyOf(state);
    if (seen === null) return;
    for (const [player, known] of inRooms.get(room.id) ?? []) {
      const found =
        player === context.player ? null : wrongSight(seen, places, { player, places: known }, tickRate);
      if (found !== null) context.measure('judgedSights', 1);
      if (found) wrong(context, 'sees another where it is not', found, 'wrongSights');
    }
  }

  function trade({ context, state, trades }: MasslessSession, traded: DownMessages['traded']): void {
    const { player } = context;
    const { seq, from, to, item } = traded;
    if (from !== player) {
      const key = tradeKey(from, seq);
      if (to !== player) wrong(context, 'a trade of others', traded);
      // A welcome may have had it already.
      else if (state.items.get(item) !== key) context.delivered(key);
      state.items.set(item, key);
      return;
    }
    const offered = state.offered.get(seq);
    const operation = trades.get(seq);
    trades.delete(seq);
    state.offered.delete(seq);
    if (offered === undefined) {
      wrong(context, 'a trade that was answered, or never offered', traded);
      // Which the load counts too, whatever a scenario's budgets are.
      context.settle({ number: seq }, 'failed');
      return;
    }
    if (offered.item !== item || offered.to !== to)
      wrong(context, `a trade of another item than ${offered.item}, or not to ${offered.to}`, traded);
    state.items.delete(item);
    state.durable.add(seq);
    // Without an operation it was offered over a connection before this one, and has failed there.
    if (operation === undefined) ledger.acked(player, seq);
    else {
      context.settle(operation, 'ok');
      context.expectDelivery(tradeKey(player, seq), [offered.to], operation);
    }
    ledger.saved(player, seq, seq);
  }

  function refuse(session: MasslessSession, refused: DownMessages['refused']): void {
    const { context, state, trades } = session;
    const { seq, reason } = refused;
    const result = PASSING.has(reason) && reason !== 'busy' ? 'failed' : 'rejected';
    if (session.transfer?.number === seq) {
      context.settle(session.transfer, result);
      session.transfer = null;
      release(session);
      return;
    }
    const operation = trades.get(seq);
    trades.delete(seq);
    // Without an operation it was offered over a connection before this one, and has failed there.
    const isOffered = state.offered.delete(seq);
    if (operation !== undefined) context.settle(operation, result);
    else if (!isOffered) wrong(context, 'refused, and not waited for', refused);
  }

  /** The old room lets the player go; the transfer is acknowledged by the welcome of the new one. */
  function transfer(session: MasslessSession, transfer: DownMessages['transfer']): void {
    const { context, state, room } = session;
    const operation = session.transfer;
    if (operation?.number !== transfer.seq) {
      wrong(context, 'a transfer that was not asked for', transfer);
      context.lost('moved to another zone without asking');
      return;
    }
    room.ended = () => undefined;
    room.hear = () => undefined;
    goTo(state, transfer);
    enter(context, state).then(
      ({ room: next, welcome, early }) => {
        if (context.signal.aborted) return;
        session.place = settleIn(context, state, welcome);
        listen(session, next, early);
        if (welcome.transferred !== operation.number)
          wrong(context, `the new zone does not have the transfer ${operation.number}`, welcome);
        // What was sent to the old room before is applied, although it may not have been acknowledged there.
        let applied = 0;
        for (const input of session.inputs) {
          if (input.operation.number > welcome.last) break;
          applied += 1;
          context.settle(input.operation, 'ok');
        }
        session.inputs.splice(0, applied);
        state.durable.add(operation.number);
        state.transferred = operation.number;
        session.transfer = null;
        context.settle(operation, 'ok');
        settleNumbers(context, state, welcome);
        release(session);
      },
      (error: unknown) => {
        if (!context.signal.aborted)
          context.lost(`the way to zone ${transfer.zone}: ${error instanceof Error ? error.message : error}`);
      },
    );
  }

  /**
   * Performs what was due while a transfer was under way, until the next one. In the order of the numbers: a room takes an input
   * with a number below the last one for one that was sent again.
   */
  function release(session: MasslessSession): void {
    const { held } = session;
    while (session.transfer === null && held[0] !== undefined) {
      const operation = held[0];
      const result = act(session, operation);
      // Only now: what becomes due by a result has to wait for what is held.
      held.shift();
      if (result === 'idle') session.context.settle(operation, 'failed');
    }
  }

  function perform(session: MasslessSession, operation: Operation): 'idle' | undefined {
    const { state, transfer, held } = session;
    state.highest = Math.max(state.highest, operation.number);
    if (transfer === null && held.length === 0) return act(session, operation);
    held.push(operation);
    return undefined;
  }

  function act(session: MasslessSession, operation: Operation): 'idle' | undefined {
    const { context, state, room } = session;
    const { number: seq } = operation;
    switch (operation.kind as Kind) {
      case 'input': {
        const [x, z] = [2 * context.random() - 1, 2 * context.random() - 1];
        session.inputs.push({ operation, x, z });
        send(room, 'input', { seq, x, z });
        return undefined;
      }
      case 'trade': {
        const item = itemToGive(state, context.random());
        const others = context.players - 1;
        if (item === null || others < 1) return 'idle';
        const other = Math.floor(context.random() * others);
        const to = other < context.player ? other : other + 1;
        state.offered.set(seq, { item, to });
        session.trades.set(seq, operation);
        send(room, 'trade', { seq, to, item });
        return undefined;
      }
      case 'zone': {
        if (zones < 2) return 'idle';
        const other = Math.floor(context.random() * (zones - 1));
        session.transfer = operation;
        send(room, 'zone', { seq, to: other < state.zone ? other : other + 1 });
        return undefined;
      }
    }
  }

  return {
    name: 'massless',
    async connect(context) {
      const state = stateOf(context.player);
      const { room, welcome, early } = await enter(context, state);
      settleNumbers(context, state, welcome);
      const session: MasslessSession = {
        ...{ context, state, inputs: [], trades: new Map(), transfer: null, held: [], acks: 0 },
        ...arrivedIn(room),
        place: settleIn(context, state, welcome),
      };
      listen(session, room, early);
      return session;
    },
    perform,
    close(session) {
      const { state, inputs, transfer: under, room } = session;
      room.ended = () => undefined;
      leaveRoom(session);
      state.open = {
        inputs: inputs.map(({ operation }) => operation.number),
        transfer: under?.number ?? null,
      };
      room.socket.close(1000);
    },
  };
}

const arrivedIn = (room: Room): Stay => ({
  ...{ room, places: new PlaceHistory(), last: null, seen: null, since: null },
});

/** Names a trade; both sides have to hear of it. */
const tradeKey = (giver: number, seq: number): string => `${giver}:${seq}`;

/** One of the items that the player owns and has not offered; null where it has none. `chance`: from 0 to 1. */
function itemToGive({ items, offered }: PlayerState, chance: number): Item | null {
  const under = new Set([...offered.values()].map(({ item }) => item));
  const own = [...items.keys()].filter((item) => !under.has(item));
  return own[Math.floor(chance * own.length)] ?? null;
}
