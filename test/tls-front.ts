import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { portOf } from './loopback.ts';

const folder = join(import.meta.dirname, 'fixtures', 'tls');
/** Paths of the authorities: of the server's certificate, and of none. */
export const CA_FILE = join(folder, 'ca.pem');
export const OTHER_CA_FILE = join(folder, 'other-ca.pem');
export const CA = readFileSync(CA_FILE, 'utf8');
export const OTHER_CA = readFileSync(OTHER_CA_FILE, 'utf8');

/**
 * Ends TLS in front of a server on loopback and hands everything on. Its certificate is for `localhost` and
 * `world.invalid`. Resolves to the port.
 */
export function tlsFront(port: number, certificate: 'server' | 'expired' = 'server'): Promise<number> {
  const front = createServer(
    {
      key: readFileSync(join(folder, 'server.key')),
      cert: readFileSync(join(folder, `${certificate}.pem`)),
    },
    (near) => {
      const far = connect({ host: '127.0.0.1', port, noDelay: true });
      near.setNoDelay();
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.pipe(other);
        one.on('error', () => other.destroy());
        one.on('close', () => other.destroy());
      }
    },
  );
  front.on('tlsClientError', () => undefined);
  return portOf(front);
}
