import { WebSocket } from 'ws';
import { causeOfClose, causeOfError } from '../../address/connection-cause.ts';
import type { ErrorCounts } from '../error-counts.ts';
import type { Connection, Listener } from './connection.ts';
import type { PlayerCodec } from './player-codec.ts';
import { frameBytes, MASK_BYTES } from './socket.ts';

const TEXT = { binary: false } as const;
const { OPEN } = WebSocket;

/** A player's WebSocket, and how it talks over it. HOT. */
export class SocketConnection implements Connection {
  private readonly player: number;
  private readonly socket: WebSocket;
  private readonly codec: PlayerCodec;
  private readonly errors: ErrorCounts;
  /** Its end is our doing, or has been told. */
  private isTold = false;

  constructor(player: number, socket: WebSocket, codec: PlayerCodec, errors: ErrorCounts) {
    this.player = player;
    this.socket = socket;
    this.codec = codec;
    this.errors = errors;
  }

  get isOpen(): boolean {
    return this.socket.readyState === OPEN;
  }

  listen(listener: Listener): void {
    const { socket, errors, player } = this;
    socket.on('message', (data) => {
      if (Buffer.isBuffer(data)) this.read(data, listener);
    });
    socket.on('error', (error) => {
      this.isTold = true;
      errors.addCause("a player's connection", causeOfError(error));
    });
    socket.on('close', (code, reason) => {
      if (!this.isTold)
        errors.addCause("a server closed a player's connection", causeOfClose(code, reason.toString()));
      listener.ended(player, this);
    });
  }

  send(operation: number, sequence: number): number {
    const frame = this.codec.encode(this.player, operation, sequence);
    // A Buffer is masked and framed in one piece and takes one write; text would take a gathering one.
    this.socket.send(Buffer.from(frame, 'latin1'), TEXT);
    return frameBytes(frame.length) + MASK_BYTES;
  }

  close(): void {
    this.isTold = true;
    this.socket.close(1000);
  }

  cut(): void {
    this.isTold = true;
    this.socket.terminate();
  }

  private read(data: Buffer, listener: Listener): void {
    const { player } = this;
    if (!listener.heard(player, this, frameBytes(data.length))) return;
    if (this.codec.decode(player, data.toString(), listener)) {
      listener.heardAll(player);
    } else {
      this.isTold = true;
      listener.stray(
        'a world server sent a player a frame that is not of the protocol: capbench closed the connection',
      );
      listener.ended(player, this);
    }
  }
}
