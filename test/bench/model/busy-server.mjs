// A server that computes for each operation and keeps memory for each player, so that its costs are known to be lines: ROUNDS of
// arithmetic, BYTES of memory. PORT says where it listens.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const { WebSocketServer } = createRequire(import.meta.url)('ws');
const rounds = Number(process.env.ROUNDS ?? 500_000);
const bytes = Number(process.env.BYTES ?? 2 ** 18);

function work() {
  let value = 1;
  for (let i = 0; i < rounds; i++) value = Math.imul(value ^ i, 0x9e3779b1);
  return value;
}

const http = createServer((_, answer) => answer.end('ok'));
new WebSocketServer({ server: http }).on('connection', (socket) => {
  // Filled, since pages that were never written are not there.
  const state = Buffer.alloc(bytes, 1);
  socket.on('message', (data) => {
    const value = work();
    state.writeInt32LE(value, 0);
    socket.send(JSON.stringify({ id: JSON.parse(data).id, value, seen: state.toString('hex', 0, 128) }));
  });
});
http.listen(Number(process.env.PORT), '127.0.0.1', () =>
  process.stdout.write(`http://127.0.0.1:${http.address().port}\n`),
);
process.on('SIGTERM', () => process.exit(0));
