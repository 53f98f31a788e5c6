import { MicrosHistogram } from '../hdr-histogram.ts';
import type { HistogramData } from '../histogram.ts';
import { ALL, type DeliveryBatch, OTHERS } from './delivery-log.ts';

/** Counts of pairs of a key and a player who has to hear of it, but for `unexpected`. Of keys due in the measure phase. */
export const DELIVERY_COUNTS = [
  'expected',
  /** Heard before the key closed, for the first time. */
  'delivered',
  /** Not heard until then, by a player who was connected all the while. */
  'lost',
  /** Not heard until then, by a player who was not connected at some time of it. */
  'excused',
  /** Heard again. */
  'duplicated',
  /** The part of `lost` and `excused` that was heard after the key had closed. */
  'late',
  /** Heard without being expected: an unknown key, or a player whom the sender did not name. */
  'unexpected',
  /** Not followed, because too much was open at once, or because the key was expected twice. */
  'untracked',
] as const;
export type DeliveryCounts = Readonly<Record<(typeof DELIVERY_COUNTS)[number], number>>;

/** The counts that are also known by second. */
export const DELIVERY_SERIES = ['expected', 'delivered', 'lost', 'excused'] as const;

/** Conservation: expected = delivered + lost + excused, each counted separately. */
export interface DeliveryTally extends DeliveryCounts {
  /** From the due time of the sender's operation until a player heard of it, microseconds. */
  readonly latency: HistogramData;
  /** By the second after GO in which the sender's operation was due, from the first one on. */
  readonly seconds: Readonly<Record<(typeof DELIVERY_SERIES)[number], readonly number[]>>;
  /** Up to five lost ones, in words. */
  readonly lostOnes: readonly string[];
  /** Keys that were expected more than once, up to five. */
  readonly twice: readonly string[];
}

interface DeliveryPlan {
  readonly players: number;
  readonly workers: number;
  /** A key closes this long after its due time. */
  readonly timeout: number;
  /** The measure phase. */
  readonly from: number;
  readonly to: number;
}

/** The state of a pair. */
const OPEN = 0;
const HEARD = 1;
const LATE = 2;
const NOT_EXPECTED = 3;

interface Key {
  readonly name: string;
  readonly sender: number;
  readonly due: number;
  readonly close: number;
  /** It is due in the measure phase. */
  readonly counts: boolean;
  /** The players of the states, in order; null: a state for every player. */
  readonly players: Int32Array | null;
  readonly states: Uint8Array;
  isClosed: boolean;
}

const SECOND = 1_000_000;
/**
 * What may be open or remembered at once. A pair takes a byte, or five where players are named, or 16 where it was heard
 * before it was expected, and a key some 400 bytes: together about 150 MB at most. With the default timeout that is enough
 * for 200,000 pairs and 10,000 keys a second.
 */
export const MOST_PAIRS = 4_000_000;
export const MOST_KEYS = 200_000;
/** A key with more named players has a state for every player, since a search among them would take too long. */
const MOST_SEARCHED = 64;
const EXAMPLES = 5;
const LONGEST_EXAMPLE = 40;

/**
 * Joins what the workers log (delivery-log.ts). Their batches arrive in any order between workers, so a key is closed only
 * when every worker has reported everything up to its close. A closed key is remembered for another timeout, in which what is
 * late or heard again is known as such; what is heard before it is expected waits for that as long. All times are
 * microseconds after GO. HOT.
 */
export class Deliveries {
  private readonly plan: DeliveryPlan;
  private readonly counts: Record<keyof DeliveryCounts, number> = {
    ...{ expected: 0, delivered: 0, lost: 0, excused: 0 },
    ...{ duplicated: 0, late: 0, unexpected: 0, untracked: 0 },
  };
  private readonly latency = new MicrosHistogram();
  private readonly seconds: Record<(typeof DELIVERY_SERIES)[number], number[]> = {
    ...{ expected: [], delivered: [], lost: [], excused: [] },
  };
  private readonly lostOnes: string[] = [];
  private readonly twice: string[] = [];
  private readonly keys = new Map<string, Key>();
  /** What was heard of keys that nobody expects yet: player and time, in turn. */
  private readonly early = new Map<string, number[]>();
  /** By the second that has to be over: keys to close, keys to forget, and names of what was heard too early. */
  private readonly closing = new Map<number, Key[]>();
  private readonly forgetting = new Map<number, Key[]>();
  private readonly expiring = new Map<number, string[]>();
  private readonly absences: Absences;
  /** By worker: everything until then has arrived. */
  private readonly reportedUntil: number[];
  /** The seconds before this one are over. */
  private nextSecond = 0;
  /** States and early receipts in memory. */
  private kept = 0;
  private openPairs = 0;
  private isUsed = false;

  constructor(plan: DeliveryPlan) {
    this.plan = plan;
    this.reportedUntil = new Array<number>(plan.workers).fill(Number.NEGATIVE_INFINITY);
    this.absences = new Absences();
  }

  /** Whether nothing more can come of a pair that counts: it was heard, it is excused already, or its key has closed. */
  get isSettled(): boolean {
    if (this.openPairs === 0) return true;
    for (const key of this.keys.values()) {
      if (!key.counts || key.isClosed) continue;
      for (let i = 0; i < key.states.length; i++) {
        if (key.states[i] === OPEN && !this.isExcused(key, key.players?.[i] ?? i)) return false;
      }
    }
    return true;
  }

  add({ keys, expected, heard, presence }: DeliveryBatch): void {
    for (let i = 0; i < presence.length; i += 3) {
      if (presence[i + 2] === 0) this.absences.begin(presence[i]!, presence[i + 1]!);
      else this.absences.end(presence[i]!, presence[i + 1]!);
    }
    this.isUsed ||= expected.length + heard.length > 0;
    for (let i = 0; i < expected.length; ) {
      const n = expected[i + 3]!;
      const players = n < 0 ? n : expected.subarray(i + 4, i + 4 + n);
      this.expect(keys[expected[i]!]!, expected[i + 1]!, expected[i + 2]!, players);
      i += 4 + Math.max(0, n);
    }
    for (let i = 0; i < heard.length; i += 3) this.hear(keys[heard[i]!]!, heard[i + 1]!, heard[i + 2]!);
  }

  /** Everything that a worker logged until this time has arrived. */
  upTo(worker: number, at: number): void {
    this.reportedUntil[worker] = Math.max(at, this.reportedUntil[worker]!);
    const known = Math.min(...this.reportedUntil);
    // The end is for `finish`.
    if (known === Number.POSITIVE_INFINITY) return;
    for (; (this.nextSecond + 1) * SECOND <= known; this.nextSecond++) this.endSecond(this.nextSecond);
    this.absences.forget(known - 2 * this.plan.timeout);
  }

  /**
   * Closes what is still open, at the end of the drain. Null when the players expected and heard nothing.
   * @throws when conservation does not hold, which is a bug
   */
  finish(): DeliveryTally | null {
    if (!this.isUsed) return null;
    for (const key of this.keys.values()) this.close(key);
    for (const receipts of this.early.values()) this.countUnexpected(receipts);
    this.early.clear();
    const { counts, seconds, lostOnes, twice } = this;
    const { expected, delivered, lost, excused } = counts;
    if (expected !== delivered + lost + excused) {
      throw new Error(
        `${expected} deliveries were expected, and ${delivered} delivered, ${lost} lost, ${excused} excused`,
      );
    }
    return { ...counts, latency: this.latency.toData(), seconds, lostOnes, twice };
  }

  private expect(name: string, sender: number, due: number, players: number | Float64Array): void {
    const all = this.plan.players;
    const known = this.keys.get(name);
    const pairs = typeof players !== 'number' ? players.length : players === ALL ? all : all - 1;
    const isNamed = typeof players !== 'number' && players.length <= MOST_SEARCHED;
    const states = isNamed ? players.length : all;
    if (known !== undefined) {
      this.counts.untracked += Math.max(1, pairs);
      const example = shortened(name);
      if (this.twice.length < EXAMPLES && !this.twice.includes(example)) this.twice.push(example);
      return;
    }
    if (this.kept + states > MOST_PAIRS || this.keys.size >= MOST_KEYS) {
      this.counts.untracked += pairs;
      return;
    }
    const key: Key = {
      ...{ name, sender, due, close: due + this.plan.timeout },
      counts: due >= this.plan.from && due < this.plan.to,
      players: isNamed ? Int32Array.from(players) : null,
      states: new Uint8Array(states),
      isClosed: false,
    };
    if (players === OTHERS) key.states[sender] = NOT_EXPECTED;
    else if (typeof players !== 'number' && !isNamed) {
      key.states.fill(NOT_EXPECTED);
      for (const player of players) key.states[player] = OPEN;
    }
    this.keys.set(name, key);
    this.kept += states;
    if (key.counts) {
      this.openPairs += pairs;
      this.count('expected', key, pairs);
    }
    this.put(this.closing, key.close, key);
    const receipts = this.early.get(name);
    if (receipts === undefined) return;
    this.early.delete(name);
    this.kept -= receipts.length / 2;
    for (let i = 0; i < receipts.length; i += 2) this.hear(name, receipts[i]!, receipts[i + 1]!);
  }

  private hear(name: string, player: number, at: number): void {
    const key = this.keys.get(name);
    if (key === undefined) this.hearEarly(name, player, at);
    else this.hearKnown(key, player, at);
  }

  private hearKnown(key: Key, player: number, at: number): void {
    const index = key.players === null ? player : key.players.indexOf(player);
    const state = key.states[index] ?? NOT_EXPECTED;
    if (state === NOT_EXPECTED) {
      // Servers that send to everybody send to the sender, too.
      if (key.counts && player !== key.sender) this.counts.unexpected += 1;
    } else if (state !== OPEN) {
      if (key.counts) this.counts.duplicated += 1;
    } else if (at > key.close || key.isClosed) {
      key.states[index] = LATE;
      if (key.counts) this.counts.late += 1;
    } else {
      key.states[index] = HEARD;
      if (!key.counts) return;
      this.openPairs -= 1;
      this.count('delivered', key, 1);
      this.latency.record(Math.round(at - key.due), 1);
    }
  }

  private hearEarly(name: string, player: number, at: number): void {
    if (this.kept >= MOST_PAIRS || this.early.size >= MOST_KEYS) {
      this.counts.untracked += 1;
      return;
    }
    this.kept += 1;
    const receipts = this.early.get(name);
    if (receipts !== undefined) {
      receipts.push(player, at);
      return;
    }
    this.early.set(name, [player, at]);
    this.put(this.expiring, at + this.plan.timeout, name);
  }

  private countUnexpected(receipts: readonly number[]): void {
    for (let i = 1; i < receipts.length; i += 2) {
      if (receipts[i]! >= this.plan.from && receipts[i]! < this.plan.to) this.counts.unexpected += 1;
    }
  }

  /** To be done when the second of `at` is over, or the next one that will be. */
  private put<T>(lists: Map<number, T[]>, at: number, what: T): void {
    const second = Math.max(this.nextSecond, Math.ceil(at / SECOND) - 1, 0);
    const list = lists.get(second);
    if (list === undefined) lists.set(second, [what]);
    else list.push(what);
  }

  private endSecond(second: number): void {
    for (const key of this.forgetting.get(second) ?? []) {
      this.keys.delete(key.name);
      this.kept -= key.states.length;
    }
    this.forgetting.delete(second);
    for (const key of this.closing.get(second) ?? []) {
      this.close(key);
      this.put(this.forgetting, (second + 1) * SECOND + this.plan.timeout, key);
    }
    this.closing.delete(second);
    for (const name of this.expiring.get(second) ?? []) {
      const receipts = this.early.get(name);
      if (receipts === undefined) continue;
      this.early.delete(name);
      this.kept -= receipts.length / 2;
      this.countUnexpected(receipts);
    }
    this.expiring.delete(second);
  }

  private close(key: Key): void {
    if (key.isClosed) return;
    key.isClosed = true;
    if (!key.counts) return;
    for (let i = 0; i < key.states.length; i++) {
      const state = key.states[i];
      if (state !== OPEN && state !== LATE) continue;
      const player = key.players?.[i] ?? i;
      this.openPairs -= 1;
      if (this.isExcused(key, player)) {
        this.count('excused', key, 1);
        continue;
      }
      this.count('lost', key, 1);
      if (this.lostOnes.length < EXAMPLES) this.lostOnes.push(`${shortened(key.name)} by player ${player}`);
    }
  }

  private isExcused({ due, close }: Key, player: number): boolean {
    return this.absences.within(player, due, close);
  }

  private count(name: (typeof DELIVERY_SERIES)[number], { due }: Key, n: number): void {
    this.counts[name] += n;
    const bySecond = this.seconds[name];
    const second = Math.floor(due / SECOND);
    while (bySecond.length <= second) bySecond.push(0);
    bySecond[second]! += n;
  }
}

const shortened = (key: string): string =>
  JSON.stringify(key.length > LONGEST_EXAMPLE ? `${key.slice(0, LONGEST_EXAMPLE)}..` : key);

/** When players were not connected. Each player's events come in order. */
class Absences {
  /** By player: the begin and the end of each absence in turn; the end of one that lasts is Infinity. */
  private readonly spans = new Map<number, number[]>();

  begin(player: number, at: number): void {
    const spans = this.spans.get(player);
    if (spans === undefined) this.spans.set(player, [at, Number.POSITIVE_INFINITY]);
    else if (spans.at(-1) !== Number.POSITIVE_INFINITY) spans.push(at, Number.POSITIVE_INFINITY);
  }

  end(player: number, at: number): void {
    const spans = this.spans.get(player);
    if (spans?.at(-1) === Number.POSITIVE_INFINITY) spans[spans.length - 1] = at;
  }

  /** Whether the player was not connected at some time between the two. */
  within(player: number, from: number, to: number): boolean {
    const spans = this.spans.get(player);
    if (spans === undefined) return false;
    for (let i = 0; i < spans.length; i += 2) if (spans[i]! <= to && spans[i + 1]! >= from) return true;
    return false;
  }

  /** Removes what ended before. */
  forget(before: number): void {
    for (const [player, spans] of this.spans) {
      let over = 0;
      while (over < spans.length && spans[over + 1]! < before) over += 2;
      if (over === spans.length) this.spans.delete(player);
      else if (over > 0) spans.splice(0, over);
    }
  }
}
