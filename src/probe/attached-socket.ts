import { Socket } from 'node:net';
import { pinnedLookup } from '../address/access.ts';
import { excerptOf } from './excerpt.ts';

/** The server is not PostgreSQL, or requires a login that capbench does not support. */
export class UnusablePostgres extends Error {
  override readonly name = 'UnusablePostgres';
}

/** The login methods that `pg` supports: none, password, MD5, SASL. */
const LOGINS: ReadonlySet<number> = new Set([0, 3, 5, 10]);
/** The first message of a PostgreSQL is shorter. */
const LONGEST = 30_000;

/** What is wrong with the first bytes from a server; null where they may come from PostgreSQL. */
export function greetingProblem(bytes: Buffer): string | null {
  // The answer to the request for TLS is one byte.
  if (bytes.length === 1 && /[SNE]/.test(bytes.toString('latin1'))) return null;
  const isMessage =
    bytes.length >= 5 && /[RENv]/.test(String.fromCharCode(bytes[0]!)) && bytes.readInt32BE(1) >= 4;
  if (!isMessage || bytes.readInt32BE(1) > LONGEST) return `it sent ${excerptOf(bytes)}`;
  const login = bytes[0] === 0x52 && bytes.length >= 9 ? bytes.readInt32BE(5) : 0;
  return LOGINS.has(login) ? null : `it requires a login that capbench does not support (type ${login})`;
}

/**
 * A connection to a target's PostgreSQL. It connects to the resolved address, while pg uses the host name for the
 * certificate. The first bytes are checked before pg reads them: of another server's bytes pg would wait for the rest of
 * a supposedly long message, or throw an error that nothing catches.
 */
export class AttachedSocket extends Socket {
  private readonly pinned: string | null;
  private isGreeted = false;

  /** @param address null for a UNIX socket */
  constructor(address: string | null) {
    super();
    this.pinned = address;
  }

  override connect(...given: unknown[]): this {
    const [port, host] = given;
    if (this.pinned === null) return super.connect(String(port));
    return super.connect({ port: Number(port), host: String(host), lookup: pinnedLookup(this.pinned) });
  }

  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    if (!this.isGreeted && Buffer.isBuffer(chunk)) {
      this.isGreeted = true;
      const problem = greetingProblem(chunk);
      if (problem !== null) {
        this.destroy(new UnusablePostgres(problem));
        return false;
      }
    }
    return super.push(chunk, encoding);
  }
}
