import type { RedisSubscriber } from '../../../server/redis-subscriber.ts';
import { roomId } from '../rooms.ts';
import { encodeFrame } from '../wire.ts';
import { type GameEvent, MESSAGE_TYPES, messageOfEvent } from './game.ts';
import { GLOBAL_CHANNEL, roomChannel, userChannel } from './keys.ts';
import { type LocalPlayer, send } from './local-player.ts';
import type { SavedMessage } from './shared-store.ts';

/** The players of this instance, by their rooms and names, and what is published to them. */
export interface Presence {
  readonly size: number;
  all(): Iterable<LocalPlayer>;
  of(player: number): LocalPlayer | undefined;
  /** Resolves once Redis has confirmed that what is published to the player arrives here, or does not answer. */
  add(local: LocalPlayer): Promise<void>;
  move(local: LocalPlayer, room: number): Promise<void>;
  remove(local: LocalPlayer): void;
  /** A message of a channel. */
  published(channel: string, text: string): void;
  /** Sends an event to the players of this instance alone. */
  tell(event: GameEvent): void;
  /** Frames that were sent to players because of events. */
  readonly counts: { readonly delivered: number };
}

export function openPresence(subscriber: () => RedisSubscriber): Presence {
  const players = new Map<number, LocalPlayer>();
  const rooms = new Map<string, Set<LocalPlayer>>();
  /** By channel: the players of this instance. */
  const users = new Map<string, LocalPlayer>();
  const counts = { delivered: 0 };

  const join = (local: LocalPlayer, room: number): void => {
    local.room = room;
    const id = roomId(room);
    const there = rooms.get(id) ?? new Set();
    rooms.set(id, there.add(local));
  };
  const quit = (local: LocalPlayer): void => {
    const id = roomId(local.room);
    const there = rooms.get(id);
    there?.delete(local);
    if (there?.size === 0) rooms.delete(id);
    subscriber().unsubscribe(roomChannel(local.room));
  };
  const sendAll = (event: GameEvent, to: Iterable<LocalPlayer>): void => {
    const speaker = 'username' in event ? event.username : null;
    const [message, message_type] = [messageOfEvent(event), MESSAGE_TYPES[event.type]];
    const frames = new Map<number, string>();
    for (const local of to) {
      const isOwn = speaker !== null && users.get(`user:${speaker}`) === local;
      if (isOwn && event.type !== 'quest_update') continue;
      const frame =
        frames.get(local.room) ??
        encodeFrame({ type: 'room_message', room_id: roomId(local.room), message, message_type });
      frames.set(local.room, frame);
      counts.delivered += 1;
      if (local.socket.readyState === local.socket.OPEN) local.socket.send(frame);
    }
  };
  const presence: Presence = {
    counts,
    get size() {
      return players.size;
    },
    all: () => players.values(),
    of: (player) => players.get(player),
    async add(local) {
      players.set(local.player, local);
      users.set(userChannel(local.player), local);
      join(local, local.room);
      await Promise.all([
        subscriber().subscribe(roomChannel(local.room)),
        subscriber().subscribe(userChannel(local.player)),
      ]);
    },
    async move(local, room) {
      if (room === local.room) return;
      quit(local);
      join(local, room);
      await subscriber().subscribe(roomChannel(room));
    },
    remove(local) {
      quit(local);
      subscriber().unsubscribe(userChannel(local.player));
      if (players.get(local.player) !== local) return;
      players.delete(local.player);
      users.delete(userChannel(local.player));
    },
    published(channel, text) {
      const event = JSON.parse(text) as GameEvent | SavedMessage;
      if (event.type === 'saved') {
        const local = users.get(channel);
        if (local === undefined) return;
        local.isBehind ||= event.isBehind;
        send(local, { type: 'saved', from: String(event.from), id: String(event.to) });
        return;
      }
      if (channel === GLOBAL_CHANNEL) sendAll(event, players.values());
      else presence.tell(event);
    },
    tell(event) {
      if (event.type === 'quest_update') {
        const local = users.get(`user:${event.username}`);
        if (local !== undefined) sendAll(event, [local]);
      } else sendAll(event, rooms.get(event.room_id) ?? []);
    },
  };
  return presence;
}
