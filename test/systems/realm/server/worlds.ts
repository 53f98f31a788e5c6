import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { bundleFile } from '../../../../src/supervision/bundle-file.ts';
import { openRelay } from '../../../../src/systems/realm/relay/relay.ts';
import { RelayConnection } from '../../../../src/systems/realm/relay-connection.ts';
import type { RealmConfig } from '../../../../src/systems/realm/server/config.ts';
import { openRealmWorld } from '../../../../src/systems/realm/server/world.ts';
import { worldKey } from '../../../../src/systems/realm/signed-event.ts';
import { agentOf, type StoredAgent } from '../../../../src/systems/realm/stored-agent.ts';
import {
  type Command,
  decodeFrame,
  type Emote,
  encodeCommand,
  type Frame,
} from '../../../../src/systems/realm/wire.ts';
import { temporaryFolder } from '../../../temporary-folder.ts';

/** For the tests of the realm: relays and worlds in the test's own process or in processes of their own, and agents. */

export const TOKEN = 'token-of-a-test';
const headers = { authorization: `Bearer ${TOKEN}` };

const fatal = (why: string): never => {
  throw new Error(why);
};

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A relay that is closed at the end of the test. */
export async function startRelay(folder = temporaryFolder()) {
  const relay = openRelay({ host: '127.0.0.1', folder, token: TOKEN }, { log: () => undefined, fatal });
  const url = await listening(relay.server);
  const close = onlyOnce(async () => {
    relay.server.close();
    await relay.close();
  });
  onTestFinished(close);
  return { url, folder, close };
}

/** A world that is closed at the end of the test, unless the test does. */
export async function startWorld(relay: string, own: Partial<RealmConfig> = {}) {
  const log: string[] = [];
  const config: RealmConfig = {
    ...{ host: '127.0.0.1', instance: 1, worlds: 1, agents: 50, updateMillis: 20, syncMillis: 50 },
    ...{ thinkMillis: 100, thinkWork: 100, keepAliveMillis: 15_000, commandsPerSecond: 1_000 },
    ...{ token: TOKEN, relay },
    ...({ sync: 'on', recover: 'on', broadcast: 'all', interest: 'on' } as const),
    ...own,
  };
  const world = openRealmWorld(config, { log: (line) => log.push(line), fatal });
  const url = await listening(world.server);
  const started = world.start?.();
  const close = onlyOnce(async () => {
    world.server.close();
    await world.close();
  });
  onTestFinished(close);
  return { url, log, started, close };
}

const onlyOnce = (act: () => Promise<void>): (() => Promise<void>) => {
  let done: Promise<void> | null = null;
  return () => {
    done ??= act();
    return done;
  };
};

/** A process of the built bundle, which is killed at the end of the test. */
export async function startBundle(name: string, env: Readonly<Record<string, string>>) {
  const child = fork(bundleFile(name), {
    env: { ...env, TOKEN },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let log = '';
  child.stderr?.on('data', (data) => {
    log += String(data);
  });
  const [ready] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => fatal(`${name} ended with ${code}: ${log}`)),
  ]);
  const { port } = ready as { readonly port: number };
  return {
    port: String(port),
    url: `http://127.0.0.1:${port}`,
    log: () => log,
    signal: (signal: NodeJS.Signals) => child.kill(signal),
    async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
      const exit = once(child, 'exit');
      child.kill(signal);
      const [code] = await exit;
      return code;
    },
  };
}

/** What the relay has of a world's agents. */
export async function storedAgents(relay: string, instance = 1): Promise<ReadonlyMap<number, StoredAgent>> {
  const connection = await RelayConnection.open({ url: relay, token: TOKEN, limit: 5_000 });
  const events = await connection.request({ kinds: [30_078], authors: [worldKey(TOKEN, instance).pubkey] });
  connection.close();
  return new Map(events.map(agentOf).filter((one) => one !== null));
}

export async function stateOf(url: string): Promise<Readonly<Record<string, StoredAgent>>> {
  const answer = await fetch(`${url}/state`, { headers });
  return ((await answer.json()) as { readonly agents: Readonly<Record<string, StoredAgent>> }).agents;
}

export async function metricsOf(url: string): Promise<(name: string) => number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return (name) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1] ?? Number.NaN);
}

type Sent<T = Command> = T extends Command ? Omit<T, 'seq'> : never;

/** An agent of a world, which has had its snapshot. */
export async function connectAgent(url: string, agent: number) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/play?agent=${agent}`, { headers });
  onTestFinished(() => socket.terminate());
  const frames: Frame[] = [];
  const listeners = new Set<() => void>();
  socket.on('message', (data) => {
    const frame = decodeFrame(String(data));
    if (frame === null) throw new Error(`not a frame of the protocol: ${data}`);
    frames.push(frame);
    for (const listener of listeners) listener();
  });
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  /** Resolves to the first thing that is found in the frames. */
  const found = <T>(find: (frames: readonly Frame[]) => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const one = find(frames);
        if (one === undefined) return;
        listeners.delete(look);
        resolve(one);
      };
      listeners.add(look);
      void closed.then((code) => reject(new Error(`closed with ${code}`)));
      look();
    });
  const ofType = <T extends Frame['type']>(type: T) =>
    frames.filter((frame): frame is Extract<Frame, { type: T }> => frame.type === type);
  socket.on('error', () => undefined);
  await found((all) => all.find(({ type }) => type === 'snapshot'));
  const [welcome] = ofType('welcome');
  let last = welcome?.last ?? 0;
  const answered = (seq: number): Promise<'ok' | string> =>
    found((all) =>
      all
        .map((frame) => {
          if (frame.type === 'refused') return frame.seq === seq ? frame.reason : undefined;
          if (frame.type === 'ack') return frame.seq === seq ? 'ok' : undefined;
          return frame.type === 'update' && frame.acks.includes(seq) ? 'ok' : undefined;
        })
        .find((one) => one !== undefined),
    );
  const sendWith = (seq: number, command: Sent): void =>
    socket.send(encodeCommand({ ...command, seq } as Command));
  const act = (command: Sent): Promise<string> => {
    last += 1;
    sendWith(last, command);
    return answered(last);
  };
  return {
    ...{ frames, ofType, found, closed, welcome, sendWith },
    raw: (text: string) => socket.send(text),
    close: () => socket.close(),
    /** These resolve to `ok`, or to the reason of the refusal. */
    move: (x: number, z: number) => act({ type: 'move', x, z }),
    chat: (text: string) => act({ type: 'chat', text }),
    emote: (emote: Emote) => act({ type: 'emote', emote }),
    /** Numbers that were reported as saved, over and over where they were reported more than once. */
    saved: (): readonly number[] =>
      ofType('saved').flatMap(({ numbers }) =>
        numbers.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i)),
      ),
  };
}
