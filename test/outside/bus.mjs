// As much of Redis as test/outside/mud.mjs and the probe of capbench use, for machines without one:
//   PORT=6379 node test/outside/bus.mjs
//
// RESP2: PING, INFO, SETEX, GET, DBSIZE, PUBLISH, SUBSCRIBE, UNSUBSCRIBE. Nothing expires.
import { createServer } from 'node:net';

const keys = new Map();
/** Channel to its subscribers. */
const channels = new Map();
const sockets = new Set();
const calls = new Map();

const bulk = (text) => (text === undefined ? '$-1\r\n' : `$${Buffer.byteLength(text)}\r\n${text}\r\n`);

const info = () =>
  [
    '# Server\r\nredis_version:7.2.0\r\n# Clients',
    `connected_clients:${sockets.size}`,
    `# Memory\r\nused_memory:${process.memoryUsage().heapUsed}`,
    `# Stats\r\ntotal_commands_processed:${[...calls.values()].reduce((sum, n) => sum + n, 0)}`,
    'evicted_keys:0\r\nexpired_keys:0\r\nkeyspace_hits:0\r\nkeyspace_misses:0\r\nrejected_connections:0',
    'total_net_input_bytes:0\r\ntotal_net_output_bytes:0',
    `# CPU\r\nused_cpu_sys:${process.cpuUsage().system / 1e6}\r\nused_cpu_user:${process.cpuUsage().user / 1e6}`,
    '# Commandstats',
    ...[...calls].map(([name, n]) => `cmdstat_${name}:calls=${n},usec=${n},usec_per_call=1.00`),
    `# Keyspace\r\ndb0:keys=${keys.size},expires=0,avg_ttl=0\r\n`,
  ].join('\r\n');

const COMMANDS = {
  ping: () => '+PONG\r\n',
  info: () => bulk(info()),
  dbsize: () => `:${keys.size}\r\n`,
  get: (_socket, key) => bulk(keys.get(key)),
  setex: (_socket, key, _seconds, value) => {
    keys.set(key, value);
    return '+OK\r\n';
  },
  publish: (_socket, channel, message) => {
    const subscribers = channels.get(channel) ?? new Set();
    for (const each of subscribers) each.write(`*3\r\n${bulk('message')}${bulk(channel)}${bulk(message)}`);
    return `:${subscribers.size}\r\n`;
  },
  subscribe: (socket, channel) => {
    if (!channels.has(channel)) channels.set(channel, new Set());
    channels.get(channel).add(socket);
    return `*3\r\n${bulk('subscribe')}${bulk(channel)}:1\r\n`;
  },
  unsubscribe: (socket, channel) => {
    channels.get(channel)?.delete(socket);
    return `*3\r\n${bulk('unsubscribe')}${bulk(channel)}:0\r\n`;
  },
};

function answer(socket, [verb, ...words]) {
  const name = verb.toLowerCase();
  calls.set(name, (calls.get(name) ?? 0) + 1);
  return Object.hasOwn(COMMANDS, name)
    ? COMMANDS[name](socket, ...words)
    : `-ERR unknown command '${verb}'\r\n`;
}

/** The words of the first whole command in a buffer, and what follows it; null without one. */
function read(buffer) {
  let at = 0;
  const line = () => {
    const end = buffer.indexOf('\r\n', at);
    if (end < 0) return null;
    const text = buffer.toString('utf8', at, end);
    at = end + 2;
    return text;
  };
  const words = [];
  for (let left = Number(line()?.slice(1) ?? Number.NaN); left > 0; left -= 1) {
    const length = Number(line()?.slice(1) ?? Number.NaN);
    if (!(at + length + 2 <= buffer.length)) return null;
    words.push(buffer.toString('utf8', at, at + length));
    at += length + 2;
  }
  return words.length === 0 ? null : { words, rest: buffer.subarray(at) };
}

const server = createServer((socket) => {
  sockets.add(socket);
  let waiting = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    waiting = Buffer.concat([waiting, chunk]);
    for (let next = read(waiting); next !== null; next = read(waiting)) {
      waiting = next.rest;
      socket.write(answer(socket, next.words));
    }
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    sockets.delete(socket);
    for (const subscribers of channels.values()) subscribers.delete(socket);
  });
});

process.on('SIGTERM', () => {
  for (const socket of sockets) socket.destroy();
  server.close(() => process.exit(0));
});
server.listen(Number(process.env.PORT ?? 6379), '127.0.0.1', () => {
  process.stdout.write(`bus: redis://127.0.0.1:${server.address().port}\n`);
});
