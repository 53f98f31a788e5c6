/**
 * A world of one server that answers every intent and every post at once with what a real answer weighs, and
 * does nothing else. Told to, it stalls: blocked for so many milliseconds at the start of each so many.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';

const [players = 0, monsters = 0, stallMs = 0, everyMs = 0] = process.argv.slice(2).map(Number);

const health = JSON.stringify({
  status: 'ok',
  world: 'flux',
  protocol: 1,
  instance: 1,
  instances: 1,
  playersTotal: players,
  monstersTotal: monsters,
  players: { from: 0, to: players },
  monsters: { from: players, to: players + monsters },
  rowShape: 'columns',
});

/** Of the players' sockets, after the welcome. */
const counts = { framesIn: 0, bytesIn: 0, framesOut: 0, bytesOut: 0, posts: 0 };
const committing = new Map<string, WebSocket>();

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '', 'http://world');
  if (url.pathname === '/commands') {
    commands(url.searchParams, request, response);
    return;
  }
  response.setHeader('content-type', 'application/json');
  response.end(health);
});

/** The body is read and not parsed: how many commands it holds is counted by their brackets. */
function commands(query: URLSearchParams, request: IncomingMessage, response: ServerResponse): void {
  let held = -1;
  request.on('data', (chunk: Buffer) => {
    for (let at = chunk.indexOf(0x5b); at >= 0; at = chunk.indexOf(0x5b, at + 1)) held += 1;
  });
  request.on('end', () => {
    counts.posts += 1;
    response.writeHead(202, { 'content-type': 'application/json' });
    response.end(`{"accepted":${held}}`);
    committing.get(query.get('generator') ?? '')?.send(`{"commits":[[${query.get('post')},${held},0]]}`);
  });
}

const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, skipUTF8Validation: true });
server.on('upgrade', (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (peer) => {
    const url = new URL(request.url ?? '', 'http://world');
    if (url.pathname === '/commits') {
      const generator = url.searchParams.get('generator') ?? '';
      committing.set(generator, peer);
      peer.send(`{"welcome":{"generator":"${generator}","lastSeq":null}}`);
      return;
    }
    const player = Number(url.searchParams.get('player'));
    peer.send(`{"welcome":{"player":${player},"place":1,"exits":["north","east"],"present":[],"lastSeq":0}}`);
    let seq = 0;
    peer.on('message', (data: Buffer) => {
      seq += 1;
      const answer = `{"acks":[{"seq":${seq},"ok":true,"place":2,"exits":["north","east"],"present":[]}]}`;
      counts.framesIn += 1;
      counts.bytesIn += data.length;
      counts.framesOut += 1;
      counts.bytesOut += answer.length;
      peer.send(answer);
    });
  });
});

if (stallMs > 0) {
  setInterval(() => {
    const until = performance.now() + stallMs;
    while (performance.now() < until);
  }, everyMs);
}

server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) process.send?.({ port: address.port });
});
process.on('message', () => process.send?.({ ...counts }));
process.on('disconnect', () => process.exit(0));
