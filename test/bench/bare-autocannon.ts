/**
 * The yardstick of the monsters' driver: autocannon's programmatic interface at a held rate, with posts of the
 * same kind and numbers as dense. It counts 202 as the end of a post; nobody hears of commits.
 */
import autocannon from 'autocannon';

const [url = '', ...numbers] = process.argv.slice(2);
const [monsters = 0, commandsPerPost = 0, rate = 0, warmUpSeconds = 0, seconds = 0] = numbers.map(Number);
const CONNECTIONS = 4;
const TEXTS = ['go north', 'go east', 'go south', 'go west', 'guard'];

const sequences = new Float64Array(monsters);
let posts = 0;
function bodyOf(): string {
  let body = '[';
  for (let k = 0; k < commandsPerPost; k++) {
    const monster = Math.floor(Math.random() * monsters);
    sequences[monster]! += 1;
    body += `${k === 0 ? '[' : ',['}${monster},${sequences[monster]},"${TEXTS[monster % TEXTS.length]}"]`;
  }
  return `${body}]`;
}

process.on('disconnect', () => process.exit(0));
let answered = 0;
const run = autocannon(
  {
    url,
    connections: CONNECTIONS,
    overallRate: rate,
    duration: warmUpSeconds + seconds,
    requests: [
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        setupRequest(request) {
          posts += 1;
          return { ...request, path: `/commands?generator=autocannon&post=${posts}`, body: bodyOf() };
        },
      },
    ],
  },
  (error, result) => {
    if (error) throw error;
    const { user, system } = process.cpuUsage(cpuBefore);
    process.send?.(
      {
        posts: answered,
        cpuSeconds: (user + system) / 1e6,
        p99Ms: result.latency.p99,
        refused: result.non2xx + result.errors,
      },
      () => process.exit(0),
    );
  },
);
let cpuBefore = process.cpuUsage();
run.on('response', () => {
  answered += 1;
});
// In the pause before the burst with which it begins each second, so that whole bursts are counted.
setTimeout(
  () => {
    cpuBefore = process.cpuUsage();
    answered = 0;
  },
  (warmUpSeconds - 0.3) * 1e3,
);
