import type { WebSocket } from 'ws';
import { beyond, lastOf, NO_NUMBERS } from '../../../number-ranges.ts';
import { FixedHistogram, geometricBounds } from '../../../server/fixed-histogram.ts';
import type { World, WorldProcess } from '../../../server/frame.ts';
import { type Admit, type Call, openHttpFrame, refuse } from '../../../server/http-frame.ts';
import { openProcessMetrics } from '../../../server/page.ts';
import type { Refusal } from '../../../server/token-check.ts';
import { isInside } from '../area.ts';
import { authorsOf, worldKey } from '../signed-event.ts';
import { CLOSE, type Command, decodeCommand, type Frame, type RefusalReason } from '../wire.ts';
import { PLAY_PATH, STATE_PATH } from '../workload.ts';
import { Agent } from './agent.ts';
import { type Client, Traffic } from './client.ts';
import type { RealmConfig } from './config.ts';
import { renderRealm, type WorldCounts } from './page.ts';
import { RateLimit } from './rate-limit.ts';
import { RelayLink } from './relay-link.ts';
import { Sight } from './sight.ts';
import { every } from './steady-timer.ts';
import { Sync } from './sync.ts';
import { Thinking } from './thinking.ts';

/** What a clean end has for the last sync, milliseconds; less than the frame allows in all. */
const LAST_SYNC_MS = 3_000;
/** An update that comes more than so many intervals after the one before is late. */
const LATE_INTERVALS = 1.5;
/** With `broadcast: lossy`, what is said before each of these updates is heard by nobody. */
const DEAF_EVERY = 100;
/** The longest chat, each of its characters escaped. */
const LARGEST_FRAME_BYTES = 2_048;
const MEGABYTE = 1e6;

/** One world: all of its agents are in its memory, and in the relay a little later. */
export function openRealmWorld(config: RealmConfig, own: WorldProcess): World {
  const name = `The realm's world ${config.instance}`;
  const processMetrics = openProcessMetrics();
  let state: 'starting' | 'open' | 'stopping' = 'starting';
  let tick = 0;
  let lastUpdate = performance.now();
  let stopUpdates = (): void => undefined;
  let stopKeepAlive = (): void => undefined;

  const agents = new Map<number, Agent>();
  const sight = new Sight(config.interest === 'on');
  const traffic = new Traffic();
  const counts: WorldCounts = {
    ...{ moves: 0, chats: 0, emotes: 0, refused: 0 },
    ...{ updates: 0, updatesLate: 0, updateSeconds: 0, logBytes: 0 },
  };
  const updateInterval = new FixedHistogram(geometricBounds(0.001, 1.1, 20));
  const log = (sentence: string): void => {
    counts.logBytes += Buffer.byteLength(sentence) + 1;
    own.log(sentence);
  };

  const send = ({ client }: Agent, frame: Frame): void => {
    if (client !== null) traffic.send(client.socket, frame);
  };
  const thinking = new Thinking({
    ...{ interval: config.thinkMillis, work: config.thinkWork },
    present: () => sight.present(),
  });
  /** The ranges that this connection has not heard of. */
  const tellSaved = (agent: Agent): void => {
    const { client, saved } = agent;
    if (client === null) return;
    const numbers = beyond(saved, client.told);
    client.told = saved;
    if (numbers.length > 0) send(agent, { type: 'saved', numbers });
  };
  const link = new RelayLink({ url: config.relay, token: config.token, log });
  const sync = new Sync({
    ...{ interval: config.syncMillis, isPublished: config.sync === 'on', link, log },
    key: worldKey(config.token, config.instance),
    authors: authorsOf(config.token, config.worlds),
    agents: () => agents.values(),
    saved: tellSaved,
  });

  const update = (): void => {
    const began = performance.now();
    const millis = began - lastUpdate;
    lastUpdate = began;
    tick += 1;
    counts.updates += 1;
    if (millis > LATE_INTERVALS * config.updateMillis) counts.updatesLate += 1;
    updateInterval.record(millis / 1_000);
    for (const agent of sight.present()) {
      const acks = agent.client?.acks ?? [];
      const changes = sight.changes(agent);
      if (acks.length + changes.agents.length + changes.gone.length === 0) continue;
      if (agent.client !== null) agent.client.acks = [];
      send(agent, { type: 'update', tick, acks, ...changes });
    }
    sight.updated();
    counts.updateSeconds += (performance.now() - began) / 1_000;
  };

  const enter = (agent: Agent, socket: WebSocket): void => {
    const before = agent.client;
    const client: Client = {
      ...{ socket, limit: before?.limit ?? new RateLimit(config.commandsPerSecond) },
      ...{ acks: [], sees: new Set<number>(), told: NO_NUMBERS, stopThinking: thinking.begin(agent) },
      isAlive: true,
    };
    before?.stopThinking();
    before?.socket.close(CLOSE.replaced, 'playing elsewhere');
    agent.client = client;
    sight.came(agent);
    log(`agent ${agent.id} connected`);
    socket.on('close', () => leave(agent, client));
    socket.on('message', (data) => {
      const text = String(data);
      traffic.received(Buffer.byteLength(text));
      if (agent.client === client && state === 'open') receive(agent, client, text);
    });
    socket.on('pong', () => {
      client.isAlive = true;
    });
    const { id, x, z } = agent;
    const last = lastOf(agent.state.numbers);
    send(agent, { type: 'welcome', world: config.instance, agent: id, last, x, z });
    send(agent, { type: 'snapshot', agents: sight.snapshot(agent) });
    tellSaved(agent);
  };

  const leave = (agent: Agent, client: Client): void => {
    if (agent.client !== client) return;
    client.stopThinking();
    agent.client = null;
    sight.left(agent);
    log(`agent ${agent.id} left`);
    // It may come into another world, which asks the relay for it.
    if (config.worlds > 1) sync.soon();
  };

  /** Whose client has not answered for an interval has left without saying so. */
  const keepAlive = (): void => {
    for (const { client } of sight.present()) {
      if (client === null) continue;
      if (!client.isAlive) client.socket.terminate();
      client.isAlive = false;
      traffic.ping(client.socket);
    }
  };

  const receive = (agent: Agent, client: Client, text: string): void => {
    const command = decodeCommand(text);
    if (command === null) {
      client.socket.close(CLOSE.malformed, 'expected a move, a chat or an emote with a number');
      // Whether or not it answers that: nothing that follows is taken.
      leave(agent, client);
      return;
    }
    const { seq } = command;
    // Its connection was lost before the first answer.
    if (agent.has(seq)) acknowledge(agent, client, command);
    else if (!client.limit.allows(performance.now())) refuseCommand(agent, seq, 'rate_limited');
    else if (command.type === 'move') move(agent, client, command);
    else say(agent, client, command);
  };

  const move = (agent: Agent, client: Client, command: Extract<Command, { type: 'move' }>): void => {
    const { seq, x, z } = command;
    if (!isInside(command)) refuseCommand(agent, seq, 'out_of_bounds');
    else if (isTaken(agent, x, z)) refuseCommand(agent, seq, 'collision');
    else {
      agent.apply(seq, { x, z, moved: seq });
      sight.moved(agent);
      counts.moves += 1;
      acknowledge(agent, client, command);
    }
  };
  const isTaken = (agent: Agent, x: number, z: number): boolean => {
    for (const other of sight.present()) if (other !== agent && other.x === x && other.z === z) return true;
    return false;
  };

  const say = (agent: Agent, client: Client, command: Exclude<Command, { type: 'move' }>): void => {
    agent.apply(command.seq, command.type === 'chat' ? { chats: agent.state.chats + 1 } : {});
    if (command.type === 'chat') counts.chats += 1;
    else counts.emotes += 1;
    const isHeard = config.broadcast === 'all' || (tick + 1) % DEAF_EVERY !== 0;
    if (isHeard)
      for (const other of sight.present()) if (other !== agent) send(other, { ...command, from: agent.id });
    acknowledge(agent, client, command);
  };

  /** A move with the next update, and anything else at once. */
  const acknowledge = (agent: Agent, client: Client, { type, seq }: Command): void => {
    if (type === 'move') client.acks.push(seq);
    else send(agent, { type: 'ack', seq });
  };
  const refuseCommand = (agent: Agent, seq: number, reason: RefusalReason): void => {
    counts.refused += 1;
    // Its number is used up: the agent goes on with the next one, also after the world was killed.
    agent.apply(seq, {});
    send(agent, { type: 'refused', seq, reason });
  };

  const admit = (url: URL): Admit | Refusal => {
    const id = url.searchParams.get('agent') ?? '';
    if (!/^\d{1,9}$/.test(id) || Number(id) >= config.agents)
      return { status: 400, why: `agent=<0 to ${config.agents - 1}> is missing or malformed` };
    return (socket) => void arrive(Number(id), socket);
  };

  /** With other worlds, an agent may have been in one of them: a proxy hands on the agents of a world that is away. */
  const arrive = async (id: number, socket: WebSocket): Promise<void> => {
    const elsewhere = config.worlds === 1 ? undefined : await sync.farthest(id);
    if (elsewhere === null || socket.readyState !== socket.OPEN) return;
    const agent = agents.get(id) ?? new Agent(id);
    if (elsewhere !== undefined && lastOf(elsewhere.numbers) > lastOf(agent.state.numbers)) {
      const { client } = agent;
      client?.socket.close(CLOSE.replaced, 'playing elsewhere');
      if (client !== null) leave(agent, client);
      agent.goOnFrom(elsewhere);
    }
    agents.set(id, agent);
    enter(agent, socket);
  };

  const answerState = ({ request, response, checkToken }: Call): void => {
    const refusal = checkToken(request);
    if (refusal !== null) {
      refuse(response, refusal);
      return;
    }
    const kept = Object.fromEntries([...agents].map(([id, agent]) => [id, agent.state]));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ instance: config.instance, agents: kept }));
  };

  const server = openHttpFrame({
    token: config.token,
    state: () => state,
    health: () => {
      const { rss, heapUsed } = process.memoryUsage();
      return {
        status: state === 'open' ? 'ok' : state,
        ...{ world: 'realm', instance: config.instance, uptime: Math.floor(process.uptime()) },
        agents: { active: sight.size, total: agents.size },
        connections: sight.size,
        memory: { used: `${Math.round(rss / MEGABYTE)}MB`, heap: `${Math.round(heapUsed / MEGABYTE)}MB` },
      };
    },
    metrics: () =>
      processMetrics.render(sight.size) +
      renderRealm({
        ...{ counts, thinking, traffic, updateInterval, agents: agents.size },
        sync: { ...sync.counts, failures: sync.counts.failures + link.failures },
        unsynced: [...agents.values()].filter(({ isUnsaved }) => isUnsaved).length,
      }),
    routes: { [`GET ${STATE_PATH}`]: answerState },
    sockets: { [PLAY_PATH]: admit },
    maxPayload: LARGEST_FRAME_BYTES,
  });

  return {
    ...{ name, host: config.host, server },
    async start() {
      const recovered = config.recover === 'on' ? await sync.recovered() : [];
      if (recovered === null) return;
      for (const agent of recovered) agents.set(agent.id, agent);
      log(`${recovered.length} agents are back from the relay`);
      lastUpdate = performance.now();
      stopUpdates = every(config.updateMillis, update);
      stopKeepAlive = every(config.keepAliveMillis, keepAlive);
      sync.begin();
      state = 'open';
    },
    async close() {
      state = 'stopping';
      stopUpdates();
      stopKeepAlive();
      // What was applied is acknowledged before the connections end.
      update();
      for (const { client } of sight.present()) client?.socket.close(CLOSE.leaving, 'the server is stopping');
      await sync.close(LAST_SYNC_MS);
      link.close();
    },
  };
}
