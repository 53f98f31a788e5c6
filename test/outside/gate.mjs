// A server whose versions differ in nothing but the CPU of an operation: ROUNDS of arithmetic for each, some 190 us, and SLOWER percent
// more of all that an operation costs it. PORT says where it listens.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const { WebSocketServer } = createRequire(import.meta.url)('ws');
const rounds = Number(process.env.ROUNDS ?? 170_000);
const slower = Number(process.env.SLOWER ?? 0);
/** What an operation costs in all, its frames included, as a multiple of the rounds alone. */
const WHOLE = 1.22;
const all = Math.round(rounds * (1 + (WHOLE * slower) / 100));

function work() {
  let value = 1;
  for (let i = 0; i < all; i++) value = Math.imul(value ^ i, 0x9e3779b1);
  return value;
}

const http = createServer((_, answer) => answer.end('ok'));
new WebSocketServer({ server: http }).on('connection', (socket) =>
  socket.on('message', (data) => {
    const value = work();
    socket.send(JSON.stringify({ id: JSON.parse(data).id, value }));
  }),
);
http.listen(Number(process.env.PORT), '127.0.0.1', () =>
  process.stdout.write(`http://127.0.0.1:${http.address().port}\n`),
);
process.on('SIGTERM', () => process.exit(0));
