import type { Socket } from 'node:net';
import { messageOf } from '../../errors.ts';
import { isRecord } from '../json.ts';

/** A message is its length in four bytes, big-endian, and then JSON. */
const HEAD_BYTES = 4;
/** The ledger of 100,000 entities is a tenth of it. */
const MOST_BYTES = 2 ** 28;

/** What JSON does not have: arrays of numbers, in base64, and numbers that are not finite. */
const TYPED = '$typed';
const ARRAYS = { Uint8Array, Uint16Array, Uint32Array, Int32Array, Float64Array };
const isArrayName = (name: unknown): name is keyof typeof ARRAYS =>
  typeof name === 'string' && Object.hasOwn(ARRAYS, name);

function replace(_key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return { [TYPED]: 'number', value: `${value}` };
  if (!ArrayBuffer.isView(value)) return value;
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return { [TYPED]: value.constructor.name, value: bytes.toString('base64') };
}

function revive(_key: string, value: unknown): unknown {
  if (!isRecord(value) || typeof value.value !== 'string') return value;
  const { [TYPED]: name, value: text } = value;
  if (name === 'number') return Number(text);
  if (!isArrayName(name)) return value;
  // A copy, since its numbers have to begin at a multiple of their size.
  return new ARRAYS[name](Uint8Array.from(Buffer.from(text, 'base64')).buffer);
}

export function encode(message: object): Buffer {
  const body = Buffer.from(JSON.stringify(message, replace));
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(body.length);
  return Buffer.concat([head, body]);
}

/** Messages over one connection, in order. */
export class Wire {
  private readonly socket: Socket;
  private readonly receive: (message: unknown) => void;
  private mostBytes: number;
  private chunks: Buffer[] = [];
  private size = 0;
  /** Length of the message that is being read. */
  private wanted: number | null = null;
  private silentSeconds = 0;
  private watch: NodeJS.Timeout | undefined;

  /**
   * `receive` must not throw. `onEnd` is called once, with the reason. A message of more than `mostBytes`, or one that is no
   * JSON, ends the connection.
   */
  constructor(
    socket: Socket,
    receive: (message: unknown) => void,
    onEnd: (reason: string) => void,
    mostBytes = MOST_BYTES,
  ) {
    this.socket = socket;
    this.receive = receive;
    this.mostBytes = mostBytes;
    let reason = 'the connection ended';
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.silentSeconds = 0;
      try {
        this.read(chunk);
      } catch (thrown) {
        socket.destroy(new Error(`it does not speak the protocol of an agent: ${messageOf(thrown)}`));
      }
    });
    socket.on('error', (error) => {
      reason = messageOf(error);
    });
    socket.once('close', () => {
      clearInterval(this.watch);
      onEnd(reason);
    });
  }

  /** Never throws: a message to a peer that has gone is lost. */
  send(message: object): void {
    if (this.socket.writable) this.socket.write(encode(message));
  }

  /** From now on messages may be as long as those of a run, and a silence of so many seconds ends the connection. */
  trust(mostSilent: number): void {
    this.mostBytes = MOST_BYTES;
    // Counted, so that after a pause of this process what arrived meanwhile is read first.
    this.watch ??= setInterval(() => {
      this.silentSeconds += 1;
      if (this.silentSeconds > mostSilent) this.destroy(`nothing was heard of it for ${mostSilent} s`);
    }, 1_000);
  }

  /** Ends the connection once what was sent before has left. */
  end(): void {
    this.socket.end();
  }

  destroy(reason: string): void {
    this.socket.destroy(new Error(reason));
  }

  private read(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.size += chunk.length;
    for (;;) {
      if (this.wanted === null) {
        if (this.size < HEAD_BYTES) return;
        const wanted = this.take(HEAD_BYTES).readUInt32BE();
        if (wanted > this.mostBytes)
          throw new Error(`a message of ${wanted} bytes, of ${this.mostBytes} at most`);
        this.wanted = wanted;
      }
      if (this.size < this.wanted) return;
      const body = this.take(this.wanted).toString('utf8');
      this.wanted = null;
      this.receive(JSON.parse(body, revive));
    }
  }

  private take(bytes: number): Buffer {
    const all = this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks);
    this.chunks = all.length > bytes ? [all.subarray(bytes)] : [];
    this.size -= bytes;
    return all.subarray(0, bytes);
  }
}
