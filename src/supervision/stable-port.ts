import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const FROM = 10_240;
/** Where the kernel says nothing of the ports that it gives to connections: macOS begins at 49,152. */
const BELOW = 32_768;
const ATTEMPTS = 50;

/**
 * A free port for a server that may end and come back. Ports that the kernel chooses are also those that it gives
 * to clients: while the server is away one of them could be given its port, or be connected to itself. This one
 * is below them. 0, the kernel's choice, where there is no room.
 */
export async function stablePort(host: string): Promise<number> {
  const ports = firstGivenToClients() - FROM;
  for (let attempt = 0; attempt < ATTEMPTS && ports > 0; attempt++) {
    const port = FROM + Math.floor(Math.random() * ports);
    if (await isFree(host, port)) return port;
  }
  return 0;
}

function firstGivenToClients(): number {
  try {
    return Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1'), 10);
  } catch {
    return BELOW;
  }
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer().listen({ host, port });
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
