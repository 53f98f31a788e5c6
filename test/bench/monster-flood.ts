/**
 * Keeps a world server saturated with monster commands, as cheaply as can be: a few connections, each with posts
 * of its own share of the monsters, one after another as they are accepted; numbers are dense. Counts nothing:
 * the server does. Told `go` it begins or goes on; told `pause` it says so once everything is accepted.
 */
import { connect, type Socket } from 'node:net';

const [portText = '', ...numbers] = process.argv.slice(2);
const [firstMonster = 0, monsters = 0, commandsPerPost = 0, connections = 0] = numbers.map(Number);
const TEXTS = ['go north', 'go east', 'go south', 'go west', 'guard'];
/** A prime above the monsters of a connection: it visits each of them before any of them again. */
const STRIDE = 1_000_003;

/** Posts of one connection's monsters, each once, before any of them again; far from one another. */
function* posts(connection: number): Generator<string> {
  const share = Math.floor(monsters / connections);
  const first = firstMonster + connection * share;
  let drawn = 0;
  for (let post = 0; ; post++) {
    let body = '';
    for (let k = 0; k < commandsPerPost; k++, drawn++) {
      const monster = first + ((drawn * STRIDE) % share);
      const seq = 1 + Math.floor(drawn / share);
      body += `${k === 0 ? '[' : ','}[${monster},${seq},"${TEXTS[(monster + seq) % TEXTS.length]}"]`;
    }
    const path = `/commands?generator=flood-${connection}&post=${post}`;
    yield `POST ${path} HTTP/1.1\r\nhost: world\r\ncontent-type: application/json\r\ncontent-length: ${body.length + 1}\r\n\r\n${body}]`;
  }
}

let going = false;
let underway = 0;

/** One connection: a post, its 202, the next post. The function that begins it, or goes on. */
function drive(socket: Socket, all: Generator<string>): () => void {
  const send = (): void => {
    const { value } = all.next();
    if (typeof value !== 'string') return;
    underway += 1;
    socket.write(value, 'latin1');
  };
  socket.on('data', (chunk) => {
    // An answer is small and comes alone: there is one post under way.
    if (!chunk.toString('latin1').startsWith('HTTP/1.1 202')) {
      process.stderr.write(`${chunk}\n`);
      process.exit(1);
    }
    underway -= 1;
    if (going) send();
    else if (underway === 0) process.send?.({ paused: 1 });
  });
  return send;
}

const drives = Array.from({ length: connections }, (_, connection) =>
  drive(connect({ host: '127.0.0.1', port: Number(portText), noDelay: true }), posts(connection)),
);
process.on('message', (order) => {
  going = order === 'go';
  if (going) for (const send of drives) send();
});
process.on('disconnect', () => process.exit(0));
