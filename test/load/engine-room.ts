import { kill } from 'node:process';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { monotonic } from '../../src/clock.ts';
import { CapbenchError } from '../../src/errors.ts';
import type { EngineName, LoadSecond, ReadyFleet, Tally } from '../../src/load/engine.ts';
import type { PlayerModule } from '../../src/load/fleet/messages.ts';
import type { HostLimits } from '../../src/load/limits.ts';
import { createNativeEngine } from '../../src/load/native.ts';
import type { Workload } from '../../src/scenario/workload.ts';
import type { Endpoints } from '../../src/stack/stack.ts';
import { openWatchdog, type Watchdog } from '../../src/supervision/watchdog.ts';
import { createAutocannonEngine } from '../../src/systems/flux/autocannon/engine.ts';
import { micros } from '../../src/units.ts';
import { ProtocolServer, type ServerOptions } from './protocol-server.ts';

/** The engine as a user of its contract drives it: real worker processes, real sockets, a server of our own. */
let watchdog: Watchdog;
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  watchdog = await openWatchdog(process.env);
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
afterAll(async () => {
  await watchdog.close();
});

/** Who guards the processes of this file. */
export const theWatchdog = (): Watchdog => watchdog;

export async function serve(
  workload: Workload,
  options: Partial<ServerOptions> = {},
  instances = 1,
): Promise<{ servers: ProtocolServer[]; endpoints: Endpoints }> {
  const servers: ProtocolServer[] = [];
  for (let instance = 1; instance <= instances; instance++) {
    const server = await new ProtocolServer({
      playersTotal: workload.players,
      monstersTotal: workload.monsters,
      instance,
      instances,
      ...options,
    }).listen();
    closers.push(() => server.close());
    servers.push(server);
  }
  return {
    servers,
    endpoints: { worlds: servers.map(({ url }) => ({ url, pid: null })), database: null },
  };
}

interface PrepareOptions {
  readonly engine?: EngineName;
  readonly workers?: number;
  readonly limits?: HostLimits;
  readonly signal?: AbortSignal;
  readonly module?: PlayerModule;
}

export async function prepare(
  workload: Workload,
  endpoints: Endpoints,
  {
    engine: name = 'native',
    workers = 2,
    limits,
    signal = new AbortController().signal,
    module,
  }: PrepareOptions = {},
): Promise<ReadyFleet> {
  const create = name === 'autocannon' ? createAutocannonEngine : createNativeEngine;
  const engine = create({
    workers,
    watchdog,
    ...(limits ? { limits } : {}),
    ...(module ? { module } : {}),
  });
  const fleet = await engine.prepare(workload, endpoints, signal);
  closers.push(() => fleet.close());
  return fleet;
}

export async function run(fleet: ReadyFleet): Promise<{ tally: Tally; seconds: LoadSecond[] }> {
  const seconds: LoadSecond[] = [];
  const tally = await fleet.run(micros(monotonic() + 100_000), (second) => seconds.push(second));
  return { tally, seconds };
}

/** Prepares, runs, closes. */
export async function load(
  workload: Workload,
  options: Partial<ServerOptions> = {},
  { workers = 2, instances = 1, engine = 'native' }: PrepareOptions & { readonly instances?: number } = {},
): Promise<{ tally: Tally; seconds: LoadSecond[]; servers: ProtocolServer[]; fleet: ReadyFleet }> {
  const { servers, endpoints } = await serve(workload, options, instances);
  const fleet = await prepare(workload, endpoints, { workers, engine });
  const { tally, seconds } = await run(fleet);
  await fleet.close();
  return { tally, seconds, servers, fleet };
}

export const isAlive = (pid: number): boolean => {
  try {
    kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** What an error of prepare or run says. */
export async function failureOf(promise: Promise<unknown>): Promise<CapbenchError> {
  const thrown = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  if (thrown instanceof CapbenchError) return thrown;
  throw new Error(`expected a CapbenchError, got ${String(thrown)}`);
}
