import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { interrupted, stackFailed } from '../../errors.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { Workload } from '../../scenario/workload.ts';
import { askHealth } from '../../stack/health.ts';
import type { Endpoints } from '../../stack/stack.ts';
import { KILL, type Rung, startProcess } from '../../supervision/process.ts';
import { openRunFolder } from '../../supervision/run-folder.ts';
import type { Watchdog } from '../../supervision/watchdog.ts';
import type { Engine, ReadyFleet } from '../engine.ts';
import { fleetWorlds } from '../fleet/deal.ts';
import { readHostLimits } from '../host-limits.ts';
import { planConnections } from '../limits.ts';
import type { K6Binary } from './binary.ts';
import { K6Fleet } from './fleet.ts';
import { SamplePipe } from './sample-pipe.ts';
import { k6Script } from './script.ts';

export interface K6EngineOptions {
  readonly k6: K6Binary;
  /** Whose script it is: its name, its hash and its budgets. */
  readonly scenario: Scenario;
  readonly watchdog: Watchdog;
  /** Told while the players connect. */
  readonly onConnecting?: (connected: number, failed: number) => void;
}

/** Asked, as Ctrl-C does: it ends its virtual users, and writes what it knows. */
const LADDER: readonly Rung[] = [{ signal: 'SIGINT', patience: 15_000 }, KILL];

/** k6 itself, with the script of `capbench export k6`: one process, a virtual user for each player. */
export function createK6Engine({ k6, scenario, watchdog, onConnecting = () => {} }: K6EngineOptions): Engine {
  return {
    name: 'k6',
    async prepare(workload: Workload, at: Endpoints, signal: AbortSignal): Promise<ReadyFleet> {
      await checkWorlds(workload, at, signal);
      const folder = await openRunFolder(watchdog, [tmpdir()], null, 'files');
      try {
        await writeFile(
          folder.file('script.js'),
          k6Script(
            workload,
            scenario,
            at.worlds.map(({ url }) => url),
          ),
        );
        // Names are resolved once, before the run: k6 goes where they were then.
        await writeFile(folder.file('config.json'), JSON.stringify({ hosts: hostsOf(at) }));
        await writeFile(folder.file('books.jsonl'), '');
        let fleet: K6Fleet | null = null;
        const pipe = await SamplePipe.open(folder.file('samples'), (sample) => fleet?.hear(sample));
        fleet = new K6Fleet({
          workload,
          onConnecting,
          start: () =>
            startProcess({
              name: 'k6',
              command: k6.path,
              args: argumentsFor((name) => folder.file(name)),
              // No account of somebody else's, no extension from somewhere: k6 asks nobody but the world servers.
              env: {
                ...{ HOME: folder.path, K6_AUTO_EXTENSION_RESOLUTION: 'false', GOGC: GARBAGE_PERCENT },
                // Not among the arguments, which everybody on this host may read.
                CAPBENCH_AUTHORIZATION: at.worlds[0]?.headers?.authorization ?? '',
              },
              cwd: folder.path,
              log: folder.file('k6.log'),
              watchdog,
              ladder: LADDER,
            }),
          drain: () => pipe.drain(),
          readBooks: () => readFile(folder.file('books.jsonl'), 'utf8'),
          onClosed: async () => {
            pipe.close();
            await folder.remove();
          },
        });
        return await fleet.open(signal);
      } catch (thrown) {
        await folder.remove();
        throw thrown;
      }
    },
  };
}

/**
 * Go collects garbage when it is so many percent of what lives, by default 100: a quarter as often here, for memory
 * that a host of a load test has. What each collection stops is in the latencies.
 */
const GARBAGE_PERCENT = '400';

const argumentsFor = (file: (name: string) => string): readonly string[] => [
  'run',
  ...[
    '--quiet',
    '--no-color',
    '--no-usage-report',
    '--no-thresholds',
    '--address',
    '',
    '--log-format',
    'raw',
  ],
  // Fewer tags are less to write; the scenario's name tells players and monsters apart.
  ...[
    '--system-tags',
    'scenario',
    '--out',
    `json=${file('samples')}`,
    '--console-output',
    file('books.jsonl'),
  ],
  ...['--config', file('config.json')],
  ...['-e', 'CAPBENCH_BOOKS=1', '-e', `CAPBENCH_SUMMARY=${file('summary.json')}`],
  file('script.js'),
];

/** The same questions as of the native engine, with the same answers; k6's one process holds every connection. */
async function checkWorlds(workload: Workload, at: Endpoints, signal: AbortSignal): Promise<void> {
  try {
    const known = await Promise.all(
      at.worlds.map(async (endpoint) => ({ endpoint, health: await askHealth(endpoint, signal) })),
    );
    const worlds = fleetWorlds(known, workload);
    const destinations = worlds.map(({ url, address, players }) => {
      const { hostname, port, protocol } = new URL(url);
      return {
        host: address ?? hostname,
        port: Number(port) || (protocol === 'https:' ? 443 : 80),
        players: players.to - players.from,
        descriptors: null,
      };
    });
    const { sources } = planConnections(destinations, 1, readHostLimits());
    if (sources.length > 0) {
      throw stackFailed(
        `${workload.players} connections need more source ports than one address has, and k6 has one`,
        'run more world servers on ports of their own, lower --scale, or use --engine native',
      );
    }
  } catch (thrown) {
    if (signal.aborted) throw interrupted('stopped before the players connected');
    throw thrown;
  }
}

function hostsOf({ worlds }: Endpoints): Readonly<Record<string, string>> {
  return Object.fromEntries(
    worlds.flatMap(({ url, address }) =>
      address === undefined ? [] : [[new URL(url).hostname, address] as const],
    ),
  );
}
