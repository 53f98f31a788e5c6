/**
 * Encodes arrays as binary parameters of PostgreSQL: five header words (dimensions 1, no nulls, the element's type, length,
 * lower bound 1), then the length in bytes and the value of each element, all big-endian (array_recv in PostgreSQL's
 * arrayfuncs.c). pg sends a Buffer parameter as binary.
 *
 * An encoder is reused: `reset`, `push` each element, then `bytes` for the query. The Buffer is a view of the encoder's memory
 * and valid until the next `reset`, so the query must have ended by then.
 */
const HEADER = 20;
const LENGTH_AT = 12;

const OID = { int8: 20, int4: 23, text: 25 } as const;

abstract class PgArray {
  protected buffer: Buffer;
  protected view: DataView;
  protected end = HEADER;
  #length = 0;

  protected constructor(oid: number, capacityBytes: number) {
    this.buffer = Buffer.alloc(HEADER + capacityBytes);
    this.view = viewOf(this.buffer);
    this.view.setInt32(0, 1);
    this.view.setInt32(8, oid);
    this.view.setInt32(16, 1);
  }

  reset(): void {
    this.end = HEADER;
    this.#length = 0;
  }

  /** The elements since `reset`, for `query`. */
  bytes(): Buffer {
    this.view.setInt32(LENGTH_AT, this.#length);
    return this.buffer.subarray(0, this.end);
  }

  /** Makes room for one element of `size` bytes, writes its length word, and returns where its value goes. */
  protected element(size: number): number {
    const at = this.end + 4;
    if (at + size > this.buffer.length) this.#grow(at + size);
    this.view.setInt32(this.end, size);
    this.end = at + size;
    this.#length++;
    return at;
  }

  #grow(needed: number): void {
    const larger = Buffer.alloc(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(larger, 0, 0, this.end);
    this.buffer = larger;
    this.view = viewOf(larger);
  }
}

const viewOf = (buffer: Buffer): DataView => new DataView(buffer.buffer, buffer.byteOffset, buffer.length);

/** `int4[]`. Values must be integers in -2^31 .. 2^31-1; others wrap. */
export class PgInt4Array extends PgArray {
  /** `capacity` in elements; it grows when needed. */
  constructor(capacity: number) {
    super(OID.int4, capacity * 8);
  }

  push(value: number): void {
    const at = this.element(4); // before this.view is read, since it may replace it
    this.view.setInt32(at, value);
  }
}

/** `int8[]`, from numbers that are safe integers (below 2^53 in size). */
export class PgInt8Array extends PgArray {
  /** `capacity` in elements; it grows when needed. */
  constructor(capacity: number) {
    super(OID.int8, capacity * 12);
  }

  push(value: number): void {
    const at = this.element(8);
    // Without BigInt, which would be allocated for every element.
    this.view.setInt32(at, Math.floor(value / 2 ** 32));
    this.view.setUint32(at + 4, value >>> 0);
  }
}

/** `text[]`, UTF-8. */
export class PgTextArray extends PgArray {
  /** `capacityBytes` of text with 4 bytes for each element; it grows when needed. */
  constructor(capacityBytes: number) {
    super(OID.text, capacityBytes);
  }

  /** Adds an element that is encoded as UTF-8. */
  pushBytes(value: Uint8Array): void {
    const at = this.element(value.length);
    this.buffer.set(value, at);
  }
}
