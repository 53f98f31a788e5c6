import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { portOf } from '../address/target-address.ts';
import { generatorFailed } from '../errors.ts';
import type { Workload } from '../scenario/workload.ts';
import type { Endpoints } from '../stack/stack.ts';
import { bundleFile } from '../supervision/bundle-file.ts';
import { readDescriptors } from '../supervision/descriptors.ts';
import { startProcess } from '../supervision/process.ts';
import { openRunFolder, type RunFolder } from '../supervision/run-folder.ts';
import type { Watchdog } from '../supervision/watchdog.ts';
import { type AgentAccess, RemoteAgent } from './agent/remote-agent.ts';
import { planAgents } from './agent/share.ts';
import { connectHint } from './connect-hint.ts';
import type { Engine, EngineName, ReadyFleet } from './engine.ts';
import { type Deal, dealEvenly, dealSources, requireWholeGroups } from './fleet/deal.ts';
import { Fleet, type WorkerProcess } from './fleet/fleet.ts';
import type { FleetWorld, PlayerModule, Preparation, WorkerSetup } from './fleet/messages.ts';
import { prepareOnce } from './fleet/preparation.ts';
import {
  besideLimits,
  type Destination,
  type HostLimits,
  planConnections,
  readHostLimits,
} from './limits.ts';
import { workerOfPlayer } from './pacer.ts';
import { NO_INPUTS, type PlayerInputs } from './player-data.ts';

/** What the engine needs of the system under test. */
export interface DrivenSystem {
  /** Absolute path of its worker module (source.ts). */
  readonly workerModule: string;
  /** Decides which server gets which players; absent: evenly. */
  readonly deal?: Deal | undefined;
}

export interface NativeEngineOptions {
  readonly system: DrivenSystem;
  /** The engine's name in reports, if the worker module sends through another program. Absent: native. */
  readonly name?: EngineName;
  /** Number of load workers, of each agent where there are some; null for a default that suits the host. */
  readonly workers: number | null;
  /** The other machines on which the workers run; absent or null: they run here. */
  readonly agents?: AgentAccess | null;
  readonly watchdog: Watchdog;
  /** Called while the players connect. */
  readonly onConnecting?: (connected: number, failed: number) => void;
  /** Limits of the host; absent: read from the host. */
  readonly limits?: HostLimits;
  /** The user's player module, if the workload has one. */
  readonly module?: PlayerModule | null;
  /** What the players are given besides the scenario; absent: nothing. */
  readonly inputs?: PlayerInputs;
}

/** capbench's own engine: the players and the system's other actors, in worker processes. */
export function createNativeEngine(options: NativeEngineOptions): Engine {
  const { system, name = 'native', workers, watchdog, onConnecting = () => {}, limits } = options;
  const otherPids = new Set<number>();
  return {
    name,
    otherPids,
    async prepare(workload, at, signal, keepLogs = async () => {}): Promise<ReadyFleet> {
      const worlds = await (system.deal ?? dealEvenly)(at, workload, signal);
      requireWholeGroups(worlds, workload);
      const destinations = worlds.map((world) => destinationOf(world, at, workload));
      const agents = await connectAgents(options.agents ?? null, at, signal);
      for (const { onThisHost, welcome } of agents) if (onThisHost) otherPids.add(welcome.pid);
      const userModule = options.module ?? null;
      const logs = new Map<string, string>();
      let folder: RunFolder | null = null;
      const close = async (): Promise<void> => {
        for (const agent of agents) agent.close();
        await keepLogs(logs).catch(() => undefined);
        await folder?.remove();
      };
      let closing: Promise<void> | null = null;
      const onClosed = (): Promise<void> => {
        closing ??= close();
        return closing;
      };
      try {
        const limitsOfAgents = agents.map(({ welcome }) => welcome.limits);
        const plan =
          agents.length === 0
            ? planConnections(destinations, workers, limits ?? readHostLimits())
            : planAgents(destinations, workers, limitsOfAgents);
        // An agent's system chooses the source of a connection, unless each group has one.
        const isBound = agents.length === 0 || plan.perGroup;
        const sourceOf = isBound ? dealSources(worlds, plan, workload) : new Uint16Array(workload.players);
        const run = randomBytes(6).toString('hex');
        const setupOf = (worker: number, prepared: string | null): WorkerSetup => ({
          worker,
          prepared,
          workers: plan.workers,
          run,
          workload,
          workerModule: pathToFileURL(system.workerModule).href,
          engine: name,
          worlds,
          sources: plan.sources,
          module: userModule,
          inputs: options.inputs ?? NO_INPUTS,
          sourceOf: sourceOf.filter(
            (_source, player) => workerOfPlayer(player, plan.workers, workload.group) === worker,
          ),
        });
        const module = bundleFile('fleet-worker');
        const confine = besideLimits(at.otherCpus, plan.workers);
        const own = await openRunFolder(watchdog, [tmpdir()], null, 'files');
        folder = own;
        const logOf = (name: string): string => own.file(`${name}.log`);
        const start = (name: string) =>
          startProcess({
            ...{ name, module, log: logOf(name), watchdog, confine },
            // A module may start processes.
            ...(userModule === null ? {} : { endMethod: 'marked' }),
          });
        const moduleSha256 = agents.length === 0 || userModule === null ? null : await sha256Of(userModule);
        const startWorker = (worker: number): Promise<WorkerProcess> => {
          const name = `fleet-${worker}`;
          const agent = agents[Math.floor((worker * agents.length) / plan.workers)];
          return agent?.start(worker, name, logOf(name), moduleSha256) ?? start(name);
        };
        let preparation: Preparation | null = null;
        if (userModule !== null && workload.isCalibration !== true) {
          const child = await start('prepare');
          logs.set('prepare', child.log);
          preparation = await prepareOnce(setupOf(0, null), child, signal);
          // A module without it has written nothing there.
          if (preparation === null) logs.delete('prepare');
        }
        const setups = Array.from({ length: plan.workers }, (_, worker) =>
          setupOf(worker, preparation?.result ?? null),
        );
        const prepareMs = preparation?.tookMs ?? null;
        const said = { logs, prepareMs, connectHint: connectHint(at), onConnecting, onClosed };
        return await Fleet.open({ workload, setups, agents, start: startWorker, ...said }, signal);
      } catch (thrown) {
        await onClosed();
        throw thrown;
      }
    },
  };
}

/**
 * All of them, or none.
 * @throws CapbenchError 93 with the agent that does not serve this run, or would take the CPUs of its stack; 105 when aborted
 */
async function connectAgents(
  access: AgentAccess | null,
  { otherCpus }: Endpoints,
  signal: AbortSignal,
): Promise<readonly RemoteAgent[]> {
  if (access === null) return [];
  const connected: RemoteAgent[] = [];
  try {
    for (const at of access.agents) connected.push(await RemoteAgent.connect(at, access, signal));
    const near = otherCpus?.besideBox === true ? connected.find(({ onThisHost }) => onThisHost) : undefined;
    if (near !== undefined)
      throw generatorFailed(
        `the agent ${near.address} is on this host, and nothing keeps its load processes off the CPUs that are the stack's box`,
        'use agents of other machines, or leave out --agents: the load processes of this host are kept off them',
      );
    return connected;
  } catch (thrown) {
    for (const agent of connected) agent.close();
    throw thrown;
  }
}

const sha256Of = async ({ path }: PlayerModule): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

export function destinationOf(
  { url, address, players, sources }: FleetWorld,
  { worlds }: Endpoints,
  { group = 1 }: Pick<Workload, 'group'>,
): Destination {
  const at = new URL(url);
  const pid = worlds.find((world) => world.url === url)?.pid ?? null;
  return {
    host: address ?? at.hostname,
    port: portOf(at),
    players: players.to - players.from,
    ...(sources === undefined ? {} : { groups: Math.ceil((players.to - players.from) / group) }),
    descriptors: pid === null ? null : readDescriptors(pid),
  };
}
