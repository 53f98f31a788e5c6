// A realm of agents, as a stand-in for a server that capbench did not write:
//   PORT=8080 node test/outside/realm.mjs
//
// Agents act by POST /ipc {"command","args"}; a WebSocket at /ws?agent=ID only watches. Moves go to those within 40
// of the mover, chat to everybody, 20 times a second. With LOSE_PERCENT=1 what happened in one of a hundred ticks
// with a chat is sent to nobody. GET /health, /metrics.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const SIZE = 100;
const SEES = 40;
const TICK_MS = 50;
const COMMANDS_A_SECOND = 20;
/** Of so many ticks with a chat one is lost. */
const LOSES_ONE_OF = 100 / Number(process.env.LOSE_PERCENT ?? 0);

const counts = { commands: 0, rejected: 0, chats: 0, receipts: 0, lost_receipts: 0, ticks: 0, chat_ticks: 0 };
const agents = new Map();
const watchers = new Map();
/** What happened since the last tick. */
let events = [];

const isInside = (value) => typeof value === 'number' && value >= 0 && value <= SIZE;

const COMMANDS = {
  register({ agentId, name }) {
    if (typeof agentId !== 'string') return { ok: false, error: 'agentId is missing' };
    const agent = { agentId, name, x: SIZE / 2, z: SIZE / 2, rotation: 0, second: 0, commands: 0 };
    agents.set(agentId, agent);
    return { ok: true, profile: { agentId, name } };
  },
  'world-move'({ x, z, rotation }, agent) {
    if (!isInside(x) || !isInside(z)) return { ok: false, error: 'out_of_bounds' };
    Object.assign(agent, { x, z, rotation });
    events.push({ type: 'position', agentId: agent.agentId, x, y: 0, z, rotation, timestamp: Date.now() });
    return { ok: true };
  },
  'world-chat'({ text }, agent) {
    counts.chats += 1;
    events.push({ type: 'chat', agentId: agent.agentId, text });
    return { ok: true };
  },
  'world-leave'(_args, agent) {
    agents.delete(agent.agentId);
    return { ok: true };
  },
};

/** The answer to a command, and its status. */
function answer({ command, args = {} }) {
  if (!Object.hasOwn(COMMANDS, command)) return [400, { error: `unknown command ${command}` }];
  if (command === 'register') return [200, COMMANDS.register(args)];
  const agent = agents.get(args.agentId);
  if (agent === undefined) return [400, { error: 'unknown agent' }];
  const second = Math.floor(Date.now() / 1000);
  if (agent.second !== second) Object.assign(agent, { second, commands: 0 });
  agent.commands += 1;
  if (agent.commands > COMMANDS_A_SECOND) return [200, { ok: false, error: 'rate_limited' }];
  return [200, COMMANDS[command](args, agent)];
}

const server = createServer((request, response) => {
  const { method, url } = request;
  if (method === 'POST' && url === '/ipc') {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const [status, result] = answer(JSON.parse(text));
      counts.commands += 1;
      if (result.ok !== true) counts.rejected += 1;
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(result));
    });
  } else if (url === '/health') {
    response.end(
      JSON.stringify({ status: 'ok', agents: agents.size, clients: watchers.size, tick: counts.ticks }),
    );
  } else if (url === '/metrics') {
    const lines = Object.entries(counts).map(
      ([name, value]) => `# TYPE realm_${name}_total counter\nrealm_${name}_total ${value}\n`,
    );
    response.end(lines.join(''));
  } else {
    response.writeHead(404).end();
  }
});

const sockets = new WebSocketServer({ server, path: '/ws' });
sockets.on('connection', (socket, request) => {
  watchers.set(socket, new URL(request.url, 'http://realm').searchParams.get('agent'));
  socket.on('close', () => watchers.delete(socket));
  socket.send(JSON.stringify({ type: 'snapshot', agents: [...agents.values()] }));
});

/** Whether a watcher is told of an event: of moves near its agent, and of everything else. */
function hears(agentId, event) {
  const agent = agents.get(agentId);
  if (event.type !== 'position' || agent === undefined) return true;
  return Math.abs(agent.x - event.x) <= SEES && Math.abs(agent.z - event.z) <= SEES;
}

const ticking = setInterval(() => {
  counts.ticks += 1;
  const happened = events;
  events = [];
  const hasChat = happened.some(({ type }) => type === 'chat');
  if (hasChat) counts.chat_ticks += 1;
  const isLost = hasChat && counts.chat_ticks % LOSES_ONE_OF === 0;
  for (const event of happened) {
    const frame = JSON.stringify({ type: 'world', message: event });
    for (const [socket, agentId] of watchers) {
      if (!hears(agentId, event)) continue;
      if (!isLost) socket.send(frame);
      if (event.type === 'chat') counts[isLost ? 'lost_receipts' : 'receipts'] += 1;
    }
  }
}, TICK_MS);

process.on('SIGTERM', () => {
  clearInterval(ticking);
  for (const socket of watchers.keys()) socket.close(1001);
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  process.stdout.write(`realm: http://127.0.0.1:${server.address().port}\n`);
});
