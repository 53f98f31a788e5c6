import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { temporaryFolder } from '../../../temporary-folder.ts';

/** A socket in front of PostgreSQL's, whose connections can be cut on one side. */
export interface Cuttable {
  /** The folder of the socket, which a world server uses as PostgreSQL's. */
  readonly folder: string;
  /**
   * Ends every connection for its client at once. PostgreSQL sees the end of it after so many milliseconds: until
   * then its backend works on, and what it answers reaches nobody.
   */
  cut(backendMillis: number): void;
  close(): void;
}

export async function openCuttable(socketFolder: string, port: string): Promise<Cuttable> {
  const folder = temporaryFolder();
  const name = `.s.PGSQL.${port}`;
  const pairs = new Set<readonly [client: Socket, backend: Socket]>();
  const server = createServer((client) => {
    const backend = connect(join(socketFolder, name));
    const pair = [client, backend] as const;
    pairs.add(pair);
    for (const [one, other] of [pair, [backend, client] as const]) {
      one.on('error', () => other.destroy());
      one.on('close', () => {
        pairs.delete(pair);
        other.destroy();
      });
      one.on('data', (chunk: Buffer) => other.write(chunk));
    }
  }).listen(join(folder, name));
  await once(server, 'listening');
  const cut = (backendMillis: number): void => {
    for (const [client, backend] of pairs) {
      client.removeAllListeners('close').destroy();
      setTimeout(() => backend.destroy(), backendMillis);
    }
    pairs.clear();
  };
  return {
    folder,
    cut,
    close() {
      cut(0);
      server.close();
    },
  };
}
