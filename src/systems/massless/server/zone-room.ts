import { CLOSE, type DownMessages, moved } from '../wire.ts';
import { applied } from './character.ts';
import { type AuthContext, type Client, type Colyseus, JOINED, type Listing } from './colyseus.ts';
import type { Member } from './member.ts';
import { send } from './member.ts';
import { readInput } from './messages.ts';
import { TickClock, type TickCounts } from './tick-clock.ts';
import { type Presence, type ZoneState, zoneStates } from './zone-state.ts';

/** What a room is to its server. */
export interface Zone {
  readonly zone: number;
  readonly roomId: string;
  readonly listing: Listing;
  /** Applies an own player's inputs now, before the next tick. */
  applyInputs(member: Member): void;
  /** Applies and acknowledges what has arrived; nothing is applied from then on. */
  finish(): void;
}

/** What a room asks of its server. */
export interface ZoneHost {
  readonly tickRate: number;
  /** Side of a zone, in units. */
  readonly zoneSize: number;
  readonly isBanded: boolean;
  /** Of the world: all of them may be in one zone. */
  readonly players: number;
  readonly ticks: TickCounts;
  readonly counts: { inputs: number; operations: number; acks: number; patches: number; patchBytes: number };
  /** @throws an Error unless it is a zone of this server, which has no room yet */
  opened(zone: unknown, room: Zone): number;
  /**
   * @throws an Error with the code of REFUSED_JOIN for a request for a seat that has not the bearer token, comes too late, or is of no
   * zone
   */
  admit(context: AuthContext, options: unknown): void;
  /**
   * The player is in the zone, or is in another one: then what it is sent. `entered` is called before the player is welcome.
   * @throws an Error with the code of REFUSED_JOIN
   */
  join(
    client: Client,
    options: unknown,
    zone: number,
    entered: (member: Member) => void,
  ): Promise<DownMessages['transfer'] | null>;
  left(member: Member): void;
  trade(member: Member, message: unknown): void;
  transfer(member: Member, message: unknown, room: Zone): void;
}

/** First byte of a frame that has a patch. */
const PATCH = 15;

/** Defines the class of the rooms, once for the process: each is one zone, with its own clock. */
export function defineZoneRoom(colyseus: Colyseus, host: ZoneHost) {
  const openState = zoneStates(colyseus, host.players);
  return class ZoneRoom extends colyseus.core.Room implements Zone {
    zone = -1;
    #state!: ZoneState;
    #clock!: TickClock;
    #tick = 0;
    readonly #members = new Map<Client, { readonly member: Member; readonly presence: Presence }>();
    /** Players whose characters are elsewhere; they are sent away once they can be. */
    readonly #guests = new Set<Client>();

    static async onAuth(_token: string, options: unknown, context: AuthContext): Promise<object> {
      host.admit(context, options);
      return { admitted: true };
    }

    onCreate({ zone }: { readonly zone?: unknown }): void {
      this.zone = host.opened(zone, this);
      this.autoDispose = false;
      // Patches are sent at the end of each tick.
      this.patchRate = null;
      this.#state = openState(host.isBanded, host.tickRate);
      this.state = this.#state.state;
      this.onMessage('input', (client, message) => this.#input(client, message));
      this.onMessage('trade', (client, message) =>
        this.#with(client, (member) => host.trade(member, message)),
      );
      this.onMessage('zone', (client, message) =>
        this.#with(client, (member) => host.transfer(member, message, this)),
      );
      this.#clock = new TickClock(host.tickRate, host.ticks, () => this.#run());
    }

    async onJoin(client: Client, options: unknown): Promise<void> {
      countPatches(client, host.counts);
      const elsewhere = await host.join(client, options, this.zone, (member) => {
        const presence = this.#state.enter(member.player, member.character.row);
        if (presence.view !== undefined) client.view = presence.view;
        this.#members.set(client, { member, presence });
      });
      if (elsewhere === null) return;
      client.send('transfer', elsewhere);
      this.#guests.add(client);
    }

    onLeave(client: Client): void {
      this.#guests.delete(client);
      const own = this.#members.get(client);
      if (own === undefined) return;
      this.#members.delete(client);
      this.#state.leave(own.presence);
      host.left(own.member);
    }

    onBeforeShutdown(): void {
      void this.disconnect(CLOSE.leaving);
    }

    finish(): void {
      this.#clock.stop();
      this.#applyAll(this.#tick + 1);
    }

    applyInputs(member: Member): void {
      const own = this.#members.get(member.client);
      // The state of this tick is written already.
      if (own !== undefined) this.#apply(member, own.presence, this.#tick + 1);
    }

    #with(client: Client, act: (member: Member) => void): void {
      const own = this.#members.get(client);
      if (own !== undefined) act(own.member);
    }

    #input(client: Client, message: unknown): void {
      const input = readInput(message);
      if (input === null)
        client.leave(CLOSE.malformed, 'an input has a number, and a step within 1 in each direction');
      else
        this.#with(client, (member) => {
          host.counts.inputs += 1;
          member.inputs.push(input);
        });
    }

    #run(): void {
      this.#tick += 1;
      this.#applyAll(this.#tick);
      this.#state.write(this.#tick);
      this.broadcastPatch();
      for (const client of this.#guests) if (client.state === JOINED) client.leave(CLOSE.transferred);
    }

    #applyAll(tick: number): void {
      for (const { member, presence } of this.#members.values()) this.#apply(member, presence, tick);
    }

    /** `tick`: whose state has it. */
    #apply(member: Member, presence: Presence, tick: number): void {
      const { character, inputs } = member;
      if (inputs.length === 0 || character.isMoving) return;
      member.inputs = [];
      const before = character.row;
      for (const { seq, ...step } of inputs) {
        // It was sent again, and is applied already.
        if (seq <= character.row.lastSeq) continue;
        character.row = applied(character.row, seq, moved(character.row, step, host.zoneSize));
        host.counts.operations += 1;
      }
      if (character.row === before) return;
      const { lastSeq: seq, x, z } = character.row;
      this.#state.move(presence, { x, z });
      host.counts.acks += 1;
      send(member, 'ack', { seq, tick, x, z });
    }
  };
}

function countPatches(client: Client, counts: ZoneHost['counts']): void {
  const raw = client.raw.bind(client);
  client.raw = (data, ...rest) => {
    if (data[0] === PATCH) {
      counts.patches += 1;
      counts.patchBytes += data.length;
    }
    raw(data, ...rest);
  };
}
