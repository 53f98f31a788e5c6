import type { Partition } from './partition.ts';
import type { Places } from './places.ts';

const NONE = -1;

/**
 * The entities of one server, by local index: its players first, then its monsters, each in the order of their ids, so that
 * ascending indexes mean ascending ids. Places are local numbers.
 */
export class Entities {
  readonly partition: Partition;
  readonly players: number;
  readonly count: number;
  readonly place: Int32Array;
  readonly damage: Int32Array;
  /** The highest sequence number that was applied for the entity. */
  readonly lastSeq: Int32Array;
  /** The players of each place, as a doubly linked list. */
  readonly #first: Int32Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;

  constructor(partition: Partition) {
    this.partition = partition;
    this.players = partition.players.to - partition.players.from;
    this.count = this.players + partition.monsters.to - partition.monsters.from;
    this.place = new Int32Array(this.count);
    this.damage = new Int32Array(this.count);
    this.lastSeq = new Int32Array(this.count);
    this.#first = new Int32Array(partition.places).fill(NONE);
    this.#next = new Int32Array(this.players).fill(NONE);
    this.#previous = new Int32Array(this.players).fill(NONE);
    for (let index = 0; index < this.count; index++) this.place[index] = this.startOf(index);
    for (let player = this.players - 1; player >= 0; player--) this.#enter(player);
  }

  /** The local place where an entity starts. */
  startOf(index: number): number {
    return (index < this.players ? index : index - this.players) % this.partition.places;
  }

  idOf(index: number): number {
    const { players, monsters } = this.partition;
    return index < this.players ? players.from + index : monsters.from + index - this.players;
  }

  /** The local index, or -1 for an unknown id or an entity of another server. */
  indexOf(id: number): number {
    const { players, monsters } = this.partition;
    if (id >= players.from && id < players.to) return id - players.from;
    return id >= monsters.from && id < monsters.to ? id - monsters.from + this.players : NONE;
  }

  /** Sets an entity's state from its row. */
  restore(index: number, place: number, damage: number, lastSeq: number): void {
    this.move(index, place);
    this.damage[index] = damage;
    this.lastSeq[index] = lastSeq;
  }

  move(index: number, to: number): void {
    if (index < this.players) {
      this.#leave(index);
      this.place[index] = to;
      this.#enter(index);
    } else {
      this.place[index] = to;
    }
  }

  /** Iterates over the players of a place: the first, then `nextPlayer` of each, until -1. */
  firstPlayerIn(place: number): number {
    return this.#first[place] ?? NONE;
  }

  nextPlayer(player: number): number {
    return this.#next[player] ?? NONE;
  }

  /** Ids of up to `limit` other players in the place of `player`. */
  present(player: number, limit: number): number[] {
    const ids: number[] = [];
    let other = this.firstPlayerIn(this.place[player] ?? NONE);
    while (other !== NONE && ids.length < limit) {
      if (other !== player) ids.push(this.idOf(other));
      other = this.nextPlayer(other);
    }
    return ids;
  }

  #enter(player: number): void {
    const place = this.place[player]!;
    const second = this.#first[place]!;
    this.#next[player] = second;
    this.#previous[player] = NONE;
    if (second !== NONE) this.#previous[second] = player;
    this.#first[place] = player;
  }

  #leave(player: number): void {
    const before = this.#previous[player]!;
    const after = this.#next[player]!;
    if (before === NONE) this.#first[this.place[player]!] = after;
    else this.#next[before] = after;
    if (after !== NONE) this.#previous[after] = before;
  }
}

/** What a player sees, as members of a JSON object: `"place":4,"exits":["north"],"present":[18]`. */
export function viewOf(entities: Entities, places: Places, player: number): string {
  const place = entities.place[player] ?? 0;
  const present = entities.present(player, MAX_PRESENT).join(',');
  return `"place":${places.offset + place},"exits":${places.exitsJson(place)},"present":[${present}]`;
}

const MAX_PRESENT = 8;
