// A zone of a Colyseus server, as a stand-in for a server that capbench did not write:
//   PORT=8080 node test/outside/massless.mjs
//
// A player that joins the room `zone` is asked for its class, and then is in the state, of which everybody gets every change
// 20 times a second. Messages up: class_select {characterClass}, input {seq, moveX, moveZ}; down: class_select_prompt, and
// ack {seq} once a tick with the last input that was applied. GET /health, /metrics.
import { createServer } from 'node:http';
import { Room, Server } from '@colyseus/core';
import { defineTypes, Encoder, MapSchema, Schema } from '@colyseus/schema';
import { WebSocketTransport } from '@colyseus/ws-transport';

const SIZE = 128;
const SPEED = 0.3;
const TICK_MS = 50;
const CLASSES = ['warrior', 'mage', 'ranger'];

const counts = { joined: 0, left: 0, inputs: 0, acks: 0, ticks: 0 };

Encoder.BUFFER_SIZE = 256 * 1024;

class Player extends Schema {}
defineTypes(Player, {
  ...{ netId: 'uint16', name: 'string', characterClass: 'string', hp: 'uint8' },
  ...{ x: 'float32', z: 'float32', rotY: 'float32' },
});

class Zone extends Schema {
  constructor() {
    super();
    this.players = new MapSchema();
  }
}
defineTypes(Zone, { players: { map: Player } });

class ZoneRoom extends Room {
  autoDispose = false;
  /** The inputs that each player sent since the last tick. */
  inputs = new Map();

  onCreate() {
    this.setState(new Zone());
    this.setPatchRate(TICK_MS);
    this.setSimulationInterval(() => this.tick(), TICK_MS);
    this.onMessage('class_select', (client, { characterClass }) => this.enter(client, characterClass));
    this.onMessage('input', (client, input) => {
      counts.inputs += 1;
      this.inputs.get(client)?.push(input);
    });
  }

  onJoin(client, { name } = {}) {
    counts.joined += 1;
    client.userData = { name };
    client.send('class_select_prompt', { classes: CLASSES });
  }

  onLeave(client) {
    counts.left += 1;
    this.inputs.delete(client);
    this.state.players.delete(client.sessionId);
  }

  enter(client, characterClass) {
    if (!CLASSES.includes(characterClass)) return client.error(4000, `there is no class ${characterClass}`);
    const player = new Player();
    const { name = 'nobody' } = client.userData;
    Object.assign(player, {
      netId: counts.joined,
      name,
      characterClass,
      hp: 100,
      x: SIZE / 2,
      z: SIZE / 2,
      rotY: 0,
    });
    this.inputs.set(client, []);
    this.state.players.set(client.sessionId, player);
  }

  tick() {
    counts.ticks += 1;
    for (const [client, inputs] of this.inputs) {
      if (inputs.length === 0) continue;
      const player = this.state.players.get(client.sessionId);
      for (const { moveX, moveZ } of inputs) {
        player.x = Math.min(SIZE, Math.max(0, player.x + moveX * SPEED));
        player.z = Math.min(SIZE, Math.max(0, player.z + moveZ * SPEED));
        player.rotY = Math.atan2(moveX, moveZ);
      }
      counts.acks += 1;
      client.send('ack', { seq: inputs.at(-1).seq });
      inputs.length = 0;
    }
  }
}

const server = createServer();
const game = new Server({
  transport: new WebSocketTransport({ server }),
  greet: false,
  gracefullyShutdown: false,
});
game.define('zone', ZoneRoom);

// What is not Colyseus's own.
server.on('request', (request, response) => {
  if (request.url === '/health') return response.end(JSON.stringify({ status: 'ok', ...counts }));
  if (request.url !== '/metrics') return;
  const lines = Object.entries(counts).map(
    ([name, value]) => `# TYPE zone_${name}_total counter\nzone_${name}_total ${value}\n`,
  );
  response.end(lines.join(''));
});

process.on('SIGTERM', async () => {
  await game.gracefullyShutdown(false);
  process.exit(0);
});
await game.listen(Number(process.env.PORT ?? 8080), '127.0.0.1');
process.stdout.write(`massless: http://127.0.0.1:${server.address().port}\n`);
