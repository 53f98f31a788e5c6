import { kill } from 'node:process';
import { onTestFinished } from 'vitest';
import { monotonic } from '../../src/clock.ts';
import { CapbenchError } from '../../src/errors.ts';
import type { AgentAccess } from '../../src/load/agent/remote-agent.ts';
import type { EngineName, KeepLogs, ReadyFleet } from '../../src/load/engine.ts';
import type { PlayerModule } from '../../src/load/fleet/messages.ts';
import type { HostLimits } from '../../src/load/limits.ts';
import { createNativeEngine, type DrivenSystem } from '../../src/load/native.ts';
import type { PlayerInputs } from '../../src/load/player-data.ts';
import type { Workload } from '../../src/scenario/workload.ts';
import type { Endpoints } from '../../src/stack/stack.ts';
import { bundleFile } from '../../src/supervision/bundle-file.ts';
import { openWatchdog, type Watchdog } from '../../src/supervision/watchdog.ts';
import { dealWorlds } from '../../src/systems/flux/deal.ts';
import { fluxWorkload } from '../../src/systems/flux/workload.ts';
import { ownWorkload } from '../../src/systems/own/players.ts';
import { micros } from '../../src/units.ts';
import type { BothSecond, BothTally } from './a-workload.ts';
import { ProtocolServer, type ServerOptions } from './protocol-server.ts';

/** Drives the engine through its contract, with real worker processes and sockets against the protocol server. */
/** Of all files that share this process, and ends with it. */
const watchdog = await openWatchdog(process.env);

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
      monstersTotal: fluxWorkload(workload).monsters,
      instance,
      instances,
      ...options,
    }).listen();
    onTestFinished(() => server.close());
    servers.push(server);
  }
  return {
    servers,
    endpoints: { worlds: servers.map(({ url }) => ({ url, pid: null })), database: null },
  };
}

/** The source of the workload's players: the flux world, or a user's own. */
const systemOf = (workload: Workload): DrivenSystem =>
  ownWorkload(workload).playing === undefined
    ? { workerModule: bundleFile('flux-worker'), deal: dealWorlds }
    : { workerModule: bundleFile('own-worker') };

interface PrepareOptions {
  readonly engine?: EngineName;
  /** One, unless the test is about several: each is a process. */
  readonly workers?: number;
  readonly limits?: HostLimits;
  readonly signal?: AbortSignal;
  readonly module?: PlayerModule;
  readonly keepLogs?: KeepLogs;
  readonly inputs?: PlayerInputs;
  readonly agents?: AgentAccess;
}

export async function prepare(
  workload: Workload,
  endpoints: Endpoints,
  {
    engine: name = 'native',
    workers = 1,
    limits,
    signal = new AbortController().signal,
    module,
    keepLogs,
    inputs,
    agents,
  }: PrepareOptions = {},
): Promise<ReadyFleet> {
  const engine = createNativeEngine({
    ...{ system: systemOf(workload), name, workers, watchdog },
    ...(limits ? { limits } : {}),
    ...(module ? { module } : {}),
    ...(inputs ? { inputs } : {}),
    ...(agents ? { agents } : {}),
  });
  const fleet = await engine.prepare(workload, endpoints, signal, keepLogs);
  onTestFinished(() => fleet.close());
  return fleet;
}

export async function run(fleet: ReadyFleet): Promise<{ tally: BothTally; seconds: BothSecond[] }> {
  const seconds: BothSecond[] = [];
  const tally = await fleet.run(micros(monotonic() + 100_000), (second) =>
    seconds.push(second as BothSecond),
  );
  return { tally: tally as BothTally, seconds };
}

/** Starts servers and the run; the test then disturbs the run. */
export async function begin(
  workload: Workload,
  options: Partial<ServerOptions> = {},
  { instances = 1, ...given }: PrepareOptions & { readonly instances?: number } = {},
) {
  const { servers, endpoints } = await serve(workload, options, instances);
  const fleet = await prepare(workload, endpoints, given);
  return { servers, fleet, server: servers[0]!, running: run(fleet) };
}

/** Starts servers, and runs the workload to its end. */
export async function load(
  workload: Workload,
  options: Partial<ServerOptions> = {},
  { workers = 1, instances = 1, engine = 'native' }: PrepareOptions & { readonly instances?: number } = {},
): Promise<{ tally: BothTally; seconds: BothSecond[]; servers: ProtocolServer[]; fleet: ReadyFleet }> {
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

/** The error of prepare or run. */
export async function failureOf(promise: Promise<unknown>): Promise<CapbenchError> {
  const thrown = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  if (thrown instanceof CapbenchError) return thrown;
  throw new Error(`expected a CapbenchError, got ${String(thrown)}`);
}
