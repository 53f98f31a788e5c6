// A server with a known knee: it answers exactly PER_SECOND operations a second, in the order in which they came, and what is more
// than that waits in a queue that grows. It uses next to no CPU, so that nothing but this limit is found.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const { WebSocketServer } = createRequire(import.meta.url)('ws');
const perSecond = Number(process.env.PER_SECOND ?? 800);
const TICK_MS = 10;
/** Of a tick that comes late, no more than this is made up for. */
const MOST_TICKS = 5;

const queue = [];
let first = 0;
let credit = 0;
let last = performance.now();
setInterval(() => {
  const now = performance.now();
  credit = Math.min((MOST_TICKS * TICK_MS * perSecond) / 1000, credit + ((now - last) * perSecond) / 1000);
  last = now;
  for (; credit >= 1 && first < queue.length; credit--) {
    const { socket, id } = queue[first++];
    socket.send(JSON.stringify({ id }));
  }
  if (first === queue.length) {
    queue.length = 0;
    first = 0;
    // An idle server saves nothing up for later.
    credit = Math.min(credit, (TICK_MS * perSecond) / 1000);
  }
}, TICK_MS);

const http = createServer((_, answer) => answer.end('ok'));
new WebSocketServer({ server: http }).on('connection', (socket) =>
  socket.on('message', (data) => queue.push({ socket, id: JSON.parse(data).id })),
);
http.listen(Number(process.env.PORT), '127.0.0.1', () =>
  process.stdout.write(`http://127.0.0.1:${http.address().port}\n`),
);
process.on('SIGTERM', () => process.exit(0));
