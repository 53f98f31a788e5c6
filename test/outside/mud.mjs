// One of several instances of a text game, as a stand-in for a server that capbench did not write:
//   PORT=8080 REDIS_URL=redis://127.0.0.1:6379 node test/outside/mud.mjs      or test/outside/bus.mjs in place of Redis
//
// Login: POST /welcome_command {"command"} three times (L, name, password), with a session cookie; then Socket.IO with that
// cookie: command {command, id} -> command_response {command, response, id}. What is said in a room goes to everybody else in it,
// at every instance, over PUBLISH room:ROOM. With PUBLISH=local it stays at the instance. GET /health, /metrics.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';

const START = 'square';
const isLocal = process.env.PUBLISH === 'local';
const redisUrl = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';
const redis = new Redis(redisUrl);
const subscriber = new Redis(redisUrl);

const counts = { logins: 0, commands: 0, published: 0, room_messages: 0 };
/** Cookie to what its owner has said so far, and to who that is. */
const sessions = new Map();
/** Room to the players of this instance who are in it. */
const rooms = new Map();

const cookieOf = ({ headers }) => /(?:^|;\s*)session=([^;]+)/.exec(headers.cookie ?? '')?.[1];

/** The three steps of a login. */
function welcome(request, text) {
  const known = sessions.get(cookieOf(request));
  const session = known ?? { cookie: randomUUID(), said: [], name: null };
  session.said.push(JSON.parse(text).command);
  sessions.set(session.cookie, session);
  const [first, name, password] = session.said;
  if (first !== 'L') {
    session.said = [];
    return [session, { response: 'Type L to log in.' }];
  }
  if (name === undefined) return [session, { response: 'Your name?' }];
  if (password === undefined) return [session, { response: 'Your password?' }];
  counts.logins += 1;
  session.name = name;
  return [session, { response: `Welcome, ${name}.`, redirect: '/' }];
}

const server = createServer((request, response) => {
  const { method, url } = request;
  if (method === 'POST' && url === '/welcome_command') {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const [{ cookie }, answer] = welcome(request, text);
      response.setHeader('set-cookie', `session=${cookie}; HttpOnly; Path=/; SameSite=Lax`);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(answer));
    });
  } else if (url === '/health') {
    response.end(JSON.stringify({ status: 'ok', players: io.sockets.sockets.size }));
  } else if (url === '/metrics') {
    const lines = Object.entries(counts).map(
      ([name, value]) => `# TYPE mud_${name}_total counter\nmud_${name}_total ${value}\n`,
    );
    response.end(lines.join(''));
  } else {
    response.writeHead(404).end();
  }
});

/** To everybody of this instance who is in the room, but not to who said it. */
function tell(room, from, message) {
  for (const player of rooms.get(room) ?? []) {
    if (player.name === from) continue;
    counts.room_messages += 1;
    player.socket.emit('room_message', { room_id: room, message, message_type: 'say' });
  }
}

subscriber.on('message', (channel, text) => {
  const { from, message } = JSON.parse(text);
  tell(channel.slice('room:'.length), from, message);
});

async function enter(player, room) {
  const old = player.room;
  rooms.get(old)?.delete(player);
  player.room = room;
  if (!rooms.has(room)) rooms.set(room, new Set());
  rooms.get(room).add(player);
  if (!isLocal) await subscriber.subscribe(`room:${room}`);
  await redis.setex(`player:${player.name}:location`, 900, room);
  if (old !== null) player.socket.emit('room_changed', { old_room: old, new_room: room });
}

/** What the game says to a command. */
async function obey(player, command) {
  const [verb, ...words] = command.split(' ');
  const rest = words.join(' ');
  if (verb === 'look') return `You are at the ${player.room}.`;
  if (verb === 'go' && rest !== '') {
    await enter(player, rest);
    return `You go to the ${rest}.`;
  }
  if (verb !== 'say') return 'What?';
  counts.published += 1;
  if (isLocal) tell(player.room, player.name, rest);
  else await redis.publish(`room:${player.room}`, JSON.stringify({ from: player.name, message: rest }));
  return `You say: ${rest}`;
}

const io = new Server(server);
io.use((socket, next) => {
  const name = sessions.get(cookieOf(socket.request))?.name ?? null;
  socket.data.name = name;
  next(name === null ? new Error('log in first') : undefined);
});
io.on('connection', async (socket) => {
  const player = { socket, name: socket.data.name, room: null };
  socket.on('disconnect', () => rooms.get(player.room)?.delete(player));
  socket.on('command', async ({ command, id }) => {
    counts.commands += 1;
    try {
      socket.emit('command_response', { command, response: await obey(player, command), id });
    } catch (error) {
      socket.emit('error', { message: String(error), id });
    }
  });
  await enter(player, START);
  socket.emit('connected', { username: player.name, room: player.room });
});

process.on('SIGTERM', () => {
  redis.disconnect();
  subscriber.disconnect();
  io.close(() => process.exit(0));
});
server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  process.stdout.write(`mud: http://127.0.0.1:${server.address().port}\n`);
});
