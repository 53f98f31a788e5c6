/** Operations that wait for a slot or a connection, with their due times: a ring buffer per player. HOT. */
export class Waiting {
  /** Over all players. */
  total = 0;
  private readonly capacity: number;
  private readonly dues: Float64Array;
  private readonly operations: Uint8Array;
  private readonly head: Uint32Array;
  private readonly count: Uint32Array;

  constructor(players: number, capacity: number) {
    this.capacity = capacity;
    this.dues = new Float64Array(players * capacity);
    this.operations = new Uint8Array(players * capacity);
    this.head = new Uint32Array(players);
    this.count = new Uint32Array(players);
  }

  of(player: number): number {
    return this.count[player]!;
  }

  isFull(player: number): boolean {
    return this.count[player] === this.capacity;
  }

  /** The due time of the operation that waits longest; the caller knows that there is one. */
  due(player: number): number {
    return this.dues[player * this.capacity + this.head[player]!]!;
  }

  operation(player: number): number {
    return this.operations[player * this.capacity + this.head[player]!]!;
  }

  push(player: number, operation: number, due: number): void {
    const at = player * this.capacity + ((this.head[player]! + this.count[player]!) % this.capacity);
    this.dues[at] = due;
    this.operations[at] = operation;
    this.count[player]! += 1;
    this.total += 1;
  }

  /** Removes the one that waits longest. */
  shift(player: number): void {
    this.head[player] = (this.head[player]! + 1) % this.capacity;
    this.count[player]! -= 1;
    this.total -= 1;
  }
}
