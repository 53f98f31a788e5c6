/**
 * What the players of one worker expect others to hear, what they heard, and when they were connected. The arrays are rows of
 * numbers; a key is its index in `keys`. Times are microseconds after GO.
 */
export interface DeliveryBatch {
  readonly keys: readonly string[];
  /** Rows of key, sender, due, n, and then n players; n is ALL or OTHERS where those are meant. */
  readonly expected: Float64Array;
  /** Rows of key, player, at. */
  readonly heard: Float64Array;
  /** Rows of player, at, and 1 (connected) or 0 (no longer). */
  readonly presence: Float64Array;
}

/** Every player; every player but the sender. */
export const ALL = -1;
export const OTHERS = -2;

/** A batch is sent before it has more numbers than this: half a megabyte. */
const MOST_NUMBERS = 65_536;

/**
 * One worker's part of the deliveries, which the fleet's process joins (deliveries.ts): no object per receipt, and a message a
 * second or for every 20,000 receipts. HOT.
 */
export class DeliveryLog {
  private readonly send: (batch: DeliveryBatch) => void;
  private keys = new Map<string, number>();
  private expected: number[] = [];
  private heard: number[] = [];
  private presence: number[] = [];

  constructor(send: (batch: DeliveryBatch) => void) {
    this.send = send;
  }

  /** `players`: ALL, OTHERS, or the numbers of the players who have to hear of it. */
  expect(key: string, sender: number, due: number, players: number | readonly number[]): void {
    this.expected.push(this.indexOf(key), sender, due);
    if (typeof players === 'number') {
      this.expected.push(players);
    } else {
      this.expected.push(players.length);
      for (const player of players) this.expected.push(player);
    }
    if (this.expected.length > MOST_NUMBERS) this.flush();
  }

  deliver(key: string, player: number, at: number): void {
    this.heard.push(this.indexOf(key), player, at);
    if (this.heard.length > MOST_NUMBERS) this.flush();
  }

  /** The player is connected from now on, or no longer. */
  connected(player: number, at: number, isConnected: boolean): void {
    this.presence.push(player, at, isConnected ? 1 : 0);
  }

  /** Sends what was logged since the last batch. */
  flush(): void {
    const { keys, expected, heard, presence } = this;
    if (expected.length + heard.length + presence.length === 0) return;
    this.keys = new Map();
    this.expected = [];
    this.heard = [];
    this.presence = [];
    this.send({
      keys: [...keys.keys()],
      expected: Float64Array.from(expected),
      heard: Float64Array.from(heard),
      presence: Float64Array.from(presence),
    });
  }

  private indexOf(key: string): number {
    const known = this.keys.get(key);
    if (known !== undefined) return known;
    const index = this.keys.size;
    this.keys.set(key, index);
    return index;
  }
}
