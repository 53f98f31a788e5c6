/**
 * Which players have operations that are queued or in flight. The welcome of one who comes back waits for them: its
 * number is that of the row then, and nothing of the connection before comes after it.
 */
export class Unsettled {
  readonly #operations: Int32Array;
  /** The players of the batch in flight, once for each of their operations. */
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

  /** One of its operations is in the batch that is being applied. */
  applied(player: number): void {
    this.#batch[this.#batched++] = player;
  }

  /** The batch has committed. */
  committed(): void {
    for (let i = 0; i < this.#batched; i++) this.#operations[this.#batch[i]!]! -= 1;
    this.#batched = 0;
  }
}
