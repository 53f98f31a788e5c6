import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { interrupted } from '../errors.ts';
import type { Workload } from '../scenario/workload.ts';
import { askHealth } from '../stack/health.ts';
import type { Endpoints } from '../stack/stack.ts';
import { bundleFile } from '../supervision/bundle-file.ts';
import { startProcess } from '../supervision/process.ts';
import { openRunFolder } from '../supervision/run-folder.ts';
import type { Watchdog } from '../supervision/watchdog.ts';
import type { WireName } from '../systems/flux/monsters/wire.ts';
import type { Engine, EngineName, ReadyFleet } from './engine.ts';
import { dealPlayers, dealSources, fleetWorlds, type KnownWorld } from './fleet/deal.ts';
import { Fleet } from './fleet/fleet.ts';
import type { FleetWorld, PlayerModule, WorkerSetup } from './fleet/messages.ts';
import { readDescriptors, readHostLimits } from './host-limits.ts';
import { type Destination, type HostLimits, planConnections } from './limits.ts';
import { workerOfPlayer } from './pacer.ts';

export interface NativeEngineOptions {
  /** Processes that make the load; null for as many as suit the host. */
  readonly workers: number | null;
  readonly watchdog: Watchdog;
  /** Told while the players connect. */
  readonly onConnecting?: (connected: number, failed: number) => void;
  /** What the host allows; the host is asked when this is not given. */
  readonly limits?: HostLimits;
  /** The user's own module, for a workload that one plays. */
  readonly module?: PlayerModule | null;
}

/** An engine of the fleet's processes, by the name that the reports give it. */
interface FleetEngine {
  readonly name: EngineName;
  readonly wire: WireName;
}

/** capbench's own engine: players over WebSocket and monsters over HTTP, in processes of their own. */
export const createNativeEngine = (options: NativeEngineOptions): Engine =>
  createFleetEngine({ name: 'native', wire: 'undici' }, options);

/** The fleet's processes, with the wire of the engine's own. */
export function createFleetEngine({ name, wire }: FleetEngine, options: NativeEngineOptions): Engine {
  const { workers, watchdog, onConnecting = () => {}, limits, module: player = null } = options;
  return {
    name,
    async prepare(workload: Workload, at: Endpoints, signal: AbortSignal): Promise<ReadyFleet> {
      const worlds =
        at.unknown === true
          ? dealPlayers(at.worlds, workload.players)
          : fleetWorlds(await askAll(at, signal), workload);
      const destinations = worlds.map((world) => destinationOf(world, at));
      const plan = planConnections(destinations, workers, limits ?? readHostLimits());
      const sourceOf = dealSources(worlds, plan, workload.players);
      const run = randomBytes(6).toString('hex');
      const setups = Array.from(
        { length: plan.workers },
        (_, worker): WorkerSetup => ({
          worker,
          workers: plan.workers,
          run,
          workload,
          wire,
          worlds,
          sources: plan.sources,
          module: player,
          sourceOf: sourceOf.filter((_source, player) => workerOfPlayer(player, plan.workers) === worker),
        }),
      );
      const module = bundleFile('fleet-worker');
      const folder = await openRunFolder(watchdog, [tmpdir()], null, 'files');
      return Fleet.open(
        {
          workload,
          setups,
          start: (name) => startProcess({ name, module, log: folder.file(`${name}.log`), watchdog }),
          onConnecting,
          onClosed: () => folder.remove(),
        },
        signal,
      );
    },
  };
}

async function askAll(at: Endpoints, signal: AbortSignal): Promise<KnownWorld[]> {
  try {
    return await Promise.all(
      at.worlds.map(async (endpoint) => ({ endpoint, health: await askHealth(endpoint, signal) })),
    );
  } catch (thrown) {
    if (signal.aborted) throw interrupted('stopped before the players connected');
    throw thrown;
  }
}

function destinationOf({ url, address, players }: FleetWorld, { worlds }: Endpoints): Destination {
  const { hostname, port, protocol } = new URL(url);
  const pid = worlds.find((world) => world.url === url)?.pid ?? null;
  return {
    host: address ?? hostname,
    port: Number(port) || (protocol === 'https:' ? 443 : 80),
    players: players.to - players.from,
    descriptors: pid === null ? null : readDescriptors(pid),
  };
}
