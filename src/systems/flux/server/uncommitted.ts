/**
 * Counts the operations of each player that are queued or in flight. The welcome of a reconnecting player waits for them, so
 * that its sequence number is that of the row, and nothing of the earlier connection follows it.
 */
export class Uncommitted {
  readonly #operations: Int32Array;
  /** The players of the batch in flight, once per operation. */
  readonly #batch: Int32Array;
  #batched = 0;

  constructor(players: number, batchOperations: number) {
    this.#operations = new Int32Array(players);
    this.#batch = new Int32Array(batchOperations);
  }

  has(player: number): boolean {
    return this.#operations[player]! > 0;
  }

  queued(player: number): void {
    this.#operations[player]! += 1;
  }

  /** One of the player's operations is in the current batch. */
  applied(player: number): void {
    this.#batch[this.#batched++] = player;
  }

  committed(): void {
    for (let i = 0; i < this.#batched; i++) this.#operations[this.#batch[i]!]! -= 1;
    this.#batched = 0;
  }
}
