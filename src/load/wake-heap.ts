/** A binary min-heap of (time, id) over typed arrays. HOT. */
export class WakeHeap {
  size = 0;
  private readonly keys: Float64Array;
  private readonly ids: Int32Array;

  constructor(capacity: number) {
    this.keys = new Float64Array(capacity);
    this.ids = new Int32Array(capacity);
  }

  /** Infinity when empty. */
  get topKey(): number {
    return this.size === 0 ? Number.POSITIVE_INFINITY : this.keys[0]!;
  }

  get topId(): number {
    return this.ids[0]!;
  }

  push(id: number, key: number): void {
    const { keys, ids } = this;
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (keys[parent]! <= key) break;
      keys[at] = keys[parent]!;
      ids[at] = ids[parent]!;
      at = parent;
    }
    keys[at] = key;
    ids[at] = id;
  }

  /** Replaces the key of the top; Infinity removes it. */
  replaceTop(key: number): void {
    if (key === Number.POSITIVE_INFINITY) {
      this.size -= 1;
      if (this.size > 0) this.sink(this.ids[this.size]!, this.keys[this.size]!);
    } else {
      this.sink(this.ids[0]!, key);
    }
  }

  /** Puts (id, key) where the top was. */
  private sink(id: number, key: number): void {
    const { keys, ids, size } = this;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && keys[child + 1]! < keys[child]!) child += 1;
      if (keys[child]! >= key) break;
      keys[at] = keys[child]!;
      ids[at] = ids[child]!;
      at = child;
    }
    keys[at] = key;
    ids[at] = id;
  }
}
