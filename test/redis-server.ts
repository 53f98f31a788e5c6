import { createServer, type Socket } from 'node:net';
import { portOf } from './loopback.ts';

export interface SmallRedis {
  readonly port: number;
  /** The commands that it was sent, in upper case and without what follows. */
  readonly commands: readonly string[];
  /** Ends every connection. */
  cut(): void;
}

/** A server that speaks RESP2 as far as AUTH and INFO; its counters grow by ten with each INFO. */
export async function smallRedis(
  password: string | null,
  info: (asked: number) => string,
  { refusesSections = false, needsNoPassword = false } = {},
): Promise<SmallRedis> {
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  let asked = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    let isKnown = password === null;
    let rest = '';
    const answer = (words: readonly string[]): string => {
      const command = words[0]?.toUpperCase() ?? '';
      commands.push(command);
      if (command === 'AUTH' && needsNoPassword)
        return '-ERR AUTH <password> called without any password configured for the default user.\r\n';
      if (command === 'AUTH') {
        isKnown = words.at(-1) === password;
        return isKnown ? '+OK\r\n' : '-WRONGPASS invalid username-password pair or user is disabled.\r\n';
      }
      if (!isKnown) return '-NOAUTH Authentication required.\r\n';
      if (command === 'INFO' && words.length > 1 && refusesSections) return '-ERR syntax error\r\n';
      if (command !== 'INFO') return `-ERR unknown command '${command}'\r\n`;
      asked += 1;
      const text = info(asked);
      return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
    };
    socket.on('data', (chunk) => {
      rest += chunk;
      for (;;) {
        const lines = rest.split('\r\n');
        const words = Number(/^\*(\d+)$/.exec(lines[0] ?? '')?.[1] ?? Number.NaN);
        // A line for the length of each word, and one for the word; the last line is what has not ended yet.
        if (!(lines.length > 2 * words + 1)) return;
        socket.write(answer(lines.slice(1, 2 * words + 1).filter((_, i) => i % 2 === 1)));
        rest = lines.slice(2 * words + 1).join('\r\n');
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return { port: await portOf(server), commands, cut };
}

export const INFO = (asked: number): string =>
  [
    '# Server\r\nredis_version:7.0.15\r\n# Clients\r\nconnected_clients:3\r\n# Memory\r\nused_memory:1048576\r\nused_memory_rss:2097152',
    `used_memory_human:1.00M\r\n# Stats\r\ntotal_commands_processed:${asked * 10}\r\nevicted_keys:0\r\nexpired_keys:${asked}`,
    `keyspace_hits:${asked * 9}\r\nkeyspace_misses:${asked}\r\nrejected_connections:0\r\ntotal_net_input_bytes:100`,
    'total_net_output_bytes:200\r\n# CPU\r\nused_cpu_sys:0.25\r\nused_cpu_user:0.5\r\n# Commandstats',
    `cmdstat_get:calls=${asked * 7},usec=${asked * 14},usec_per_call=2.00,rejected_calls=0,failed_calls=0`,
    `cmdstat_info:calls=${asked},usec=500,usec_per_call=9.00`,
    'cmdstat_config|get:calls=2,usec=30,usec_per_call=15.00\r\n# Keyspace\r\ndb0:keys=40,expires=1,avg_ttl=0',
    'db3:keys=2,expires=0,avg_ttl=0\r\n',
  ].join('\r\n');
