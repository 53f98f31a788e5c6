import { createConnection, createServer, type Server, type Socket } from 'node:net';

/** What happens between a run and its target. */
export type Mischief = 'vanish' | 'stall' | 'garbage' | 'flood';

/** Forwards everything to a world server until it is made to fail. */
export class UnreliableProxy {
  url = '';
  private readonly server: Server;
  private readonly pairs = new Set<{ readonly near: Socket; readonly far: Socket }>();
  private stalled = false;
  private readonly timers: NodeJS.Timeout[] = [];

  constructor(target: string) {
    const { hostname, port } = new URL(target);
    this.server = createServer((near) => {
      const far = createConnection({ host: hostname, port: Number(port) });
      const pair = { near, far };
      this.pairs.add(pair);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.on('data', (chunk) => {
          if (!this.stalled) other.write(chunk);
        });
        one.on('error', () => other.destroy());
        one.on('close', () => {
          this.pairs.delete(pair);
          other.destroy();
        });
      }
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    const address = this.server.address();
    if (address !== null && typeof address === 'object') this.url = `http://127.0.0.1:${address.port}`;
    return this;
  }

  /** From now on, for every connection there is; `stall` for those to come, too. */
  begin(mischief: Mischief): void {
    if (mischief === 'vanish') this.close();
    this.stalled = true;
    if (mischief === 'vanish' || mischief === 'stall') return;
    const chunk = mischief === 'garbage' ? garbage() : frames();
    const send = (): void => {
      for (const { near } of this.pairs) {
        // What is not taken is not sent again: a run that does not read fills no memory of ours.
        if (near.writableLength <= 2 ** 20) near.write(chunk);
      }
    };
    send();
    // Garbage once; a flood for as long as anybody is there.
    if (mischief === 'flood') this.timers.push(setInterval(send, 10));
  }

  close(): void {
    for (const timer of this.timers) clearInterval(timer);
    this.server.close();
    for (const { near, far } of this.pairs) {
      near.destroy();
      far.destroy();
    }
  }
}

/** Bytes that are no frame and no HTTP: the reserved bits of a WebSocket frame are set. */
const garbage = (): Buffer =>
  Buffer.from(Array.from({ length: 4096 }, (_, i) => (i % 7 === 0 ? 0xff : (i * 37) & 0xff)));

/** Whole text frames of 64 KB with an event that nobody asked for, sixteen in a row. */
function frames(): Buffer {
  const text = Buffer.from(`{"events":[{"actor":1,"did":"said","words":"${'x'.repeat(65_000)}"}]}`);
  const head = Buffer.alloc(10);
  head[0] = 0x81;
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(text.length), 2);
  return Buffer.concat(Array.from({ length: 16 }, () => [head, text]).flat());
}
