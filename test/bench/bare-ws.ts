/**
 * The yardstick of the native engine: `ws` clients in one process, a timer, a send, and a count of the answers.
 * No schedule, no latency, no ledger, no parsing. Says its CPU and its answers of the timed part, and its memory.
 */
import { WebSocket } from 'ws';

const [url = '', ...numbers] = process.argv.slice(2);
const [players = 0, rate = 0, warmUpSeconds = 0, seconds = 0] = numbers.map(Number);

/** What the engine's players say where exits lead north and east and nobody is present, as often as they do. */
const TEXTS = [
  ...['go north', 'look', 'go east', 'look', 'say hello', 'go north', 'look', 'go east', 'look', 'go north'],
  ...['go east', 'look', 'go north', 'look', 'say hello', 'go east', 'look', 'go north', 'look', 'go south'],
];
const CONNECTING = 64;

const sockets: WebSocket[] = [];
let answered = 0;
const connect = (player: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url}/play?player=${player}`, {
      perMessageDeflate: false,
      skipUTF8Validation: true,
    });
    sockets.push(socket);
    socket.once('error', reject);
    socket.once('message', () => {
      socket.on('message', () => {
        answered += 1;
      });
      resolve();
    });
  });

process.on('disconnect', () => process.exit(0));
for (let from = 0; from < players; from += CONNECTING) {
  const some = Array.from({ length: Math.min(CONNECTING, players - from) }, (_, i) => connect(from + i));
  await Promise.all(some);
}

const start = performance.now();
const total = rate * (warmUpSeconds + seconds);
let sent = 0;
const timer = setInterval(() => {
  const due = Math.min(total, ((performance.now() - start) / 1000) * rate);
  for (; sent < due; sent++) {
    const round = Math.floor(sent / players);
    // Whole rounds and whole texts do not march in step.
    sockets[sent % players]?.send(
      `{"seq":${round + 1},"text":"${TEXTS[(sent + round * 7) % TEXTS.length]}"}`,
    );
  }
}, 1);

const pause = (of: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, of * 1e3));
await pause(warmUpSeconds);
const cpuBefore = process.cpuUsage();
const answeredBefore = answered;
await pause(seconds);
const { user, system } = process.cpuUsage(cpuBefore);
const report = {
  roundTrips: answered - answeredBefore,
  cpuSeconds: (user + system) / 1e6,
  memoryBytes: process.memoryUsage.rss(),
};
clearInterval(timer);
// What is on its way arrives, so that the server has counted whole round trips.
await pause(0.2);
process.send?.(report, () => process.exit(0));
