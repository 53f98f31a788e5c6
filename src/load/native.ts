import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import type { Workload } from '../scenario/workload.ts';
import type { Endpoints } from '../stack/stack.ts';
import { bundleFile } from '../supervision/bundle-file.ts';
import { readDescriptors } from '../supervision/descriptors.ts';
import { startProcess } from '../supervision/process.ts';
import { openRunFolder } from '../supervision/run-folder.ts';
import type { Watchdog } from '../supervision/watchdog.ts';
import { connectHint } from './connect-hint.ts';
import type { Engine, EngineName, ReadyFleet } from './engine.ts';
import { type Deal, dealEvenly, dealSources, requireWholeGroups } from './fleet/deal.ts';
import { Fleet } from './fleet/fleet.ts';
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
  /** Number of load workers; null for a default that suits the host. */
  readonly workers: number | null;
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
  return {
    name,
    async prepare(workload, at, signal, keepLogs = async () => {}): Promise<ReadyFleet> {
      const worlds = await (system.deal ?? dealEvenly)(at, workload, signal);
      requireWholeGroups(worlds, workload);
      const destinations = worlds.map((world) => destinationOf(world, at, workload));
      const plan = planConnections(destinations, workers, limits ?? readHostLimits());
      const sourceOf = dealSources(worlds, plan, workload);
      const run = randomBytes(6).toString('hex');
      const userModule = options.module ?? null;
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
      const folder = await openRunFolder(watchdog, [tmpdir()], null, 'files');
      const start = (name: string) =>
        startProcess({
          ...{ name, module, log: folder.file(`${name}.log`), watchdog, confine },
          // A module may start processes.
          ...(userModule === null ? {} : { endMethod: 'marked' }),
        });
      const logs = new Map<string, string>();
      const onClosed = async (): Promise<void> => {
        await keepLogs(logs).catch(() => undefined);
        await folder.remove();
      };
      let preparation: Preparation | null = null;
      if (userModule !== null && workload.isCalibration !== true) {
        try {
          const child = await start('prepare');
          logs.set('prepare', child.log);
          preparation = await prepareOnce(setupOf(0, null), child, signal);
          // A module without it has written nothing there.
          if (preparation === null) logs.delete('prepare');
        } catch (thrown) {
          await onClosed();
          throw thrown;
        }
      }
      const setups = Array.from({ length: plan.workers }, (_, worker) =>
        setupOf(worker, preparation?.result ?? null),
      );
      const prepareMs = preparation?.tookMs ?? null;
      const hint = connectHint(at);
      return Fleet.open(
        { workload, setups, start, logs, prepareMs, connectHint: hint, onConnecting, onClosed },
        signal,
      );
    },
  };
}

export function destinationOf(
  { url, address, players, sources }: FleetWorld,
  { worlds }: Endpoints,
  { group = 1 }: Pick<Workload, 'group'>,
): Destination {
  const { hostname, port, protocol } = new URL(url);
  const pid = worlds.find((world) => world.url === url)?.pid ?? null;
  return {
    host: address ?? hostname,
    port: Number(port) || (protocol === 'https:' ? 443 : 80),
    players: players.to - players.from,
    ...(sources === undefined ? {} : { groups: Math.ceil((players.to - players.from) / group) }),
    descriptors: pid === null ? null : readDescriptors(pid),
  };
}
