import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const FROM = 10_240;
/** Used where the range of ephemeral ports cannot be read: below Linux's default range and macOS's, which begins at 49,152. */
const BELOW = 32_768;
const ATTEMPTS = 50;

/**
 * A free port below the ephemeral range, for a server that restarts on the same port. While the server is down, the
 * kernel could give an ephemeral port to a client, which could even connect to itself. Returns 0 (the kernel chooses)
 * where no port is free below that range.
 */
export async function stablePort(host: string): Promise<number> {
  const ports = firstEphemeralPort() - FROM;
  for (let attempt = 0; attempt < ATTEMPTS && ports > 0; attempt++) {
    const port = FROM + Math.floor(Math.random() * ports);
    if (await isFree(host, port)) return port;
  }
  return 0;
}

function firstEphemeralPort(): number {
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
