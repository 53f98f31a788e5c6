import { Socket } from 'node:net';
import { pinnedLookup } from '../address/access.ts';
import { excerptOf } from './excerpt.ts';

/** Somebody answers who is no PostgreSQL, or one that nobody here can log in to. */
export class UnusablePostgres extends Error {
  override readonly name = 'UnusablePostgres';
}

/** The ways to log in that `pg` knows: none, a password, its MD5, SASL. */
const LOGINS: ReadonlySet<number> = new Set([0, 3, 5, 10]);
/** No first message is longer. */
const LONGEST = 30_000;

/** What is wrong with the first bytes of a server; null where a PostgreSQL may have said them. */
export function greetingProblem(said: Buffer): string | null {
  // Whether it speaks TLS is said in one byte.
  if (said.length === 1 && /[SNE]/.test(said.toString('latin1'))) return null;
  const isMessage =
    said.length >= 5 && /[RENv]/.test(String.fromCharCode(said[0]!)) && said.readInt32BE(1) >= 4;
  if (!isMessage || said.readInt32BE(1) > LONGEST) return `it said ${excerptOf(said)}`;
  const login = said[0] === 0x52 && said.length >= 9 ? said.readInt32BE(5) : 0;
  return LOGINS.has(login) ? null : `it wants a login that capbench does not have (type ${login})`;
}

/**
 * A connection to somebody else's PostgreSQL: it goes where its name was resolved to, while pg says the host's name to
 * it, as it does for the certificate. What comes first is looked at before pg reads it: pg would wait for the rest of
 * what it takes for a long message, or throw where nobody catches it.
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
