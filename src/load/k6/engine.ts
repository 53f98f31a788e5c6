import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { stackFailed } from '../../errors.ts';
import type { Workload } from '../../scenario/workload.ts';
import type { Endpoints } from '../../stack/stack.ts';
import { KILL, type Rung } from '../../supervision/process.ts';
import { openRunFolder } from '../../supervision/run-folder.ts';
import type { Watchdog } from '../../supervision/watchdog.ts';
import type { Engine, ReadyFleet } from '../engine.ts';
import type { Deal } from '../fleet/deal.ts';
import { planConnections, readHostLimits } from '../limits.ts';
import { destinationOf } from '../native.ts';
import type { K6Binary } from './binary.ts';
import { K6Fleet } from './fleet.ts';
import type { K6System } from './k6-system.ts';

interface K6EngineOptions {
  readonly k6: K6Binary;
  readonly system: K6System;
  /** The script that makes a workload's load (export/k6/script.ts), for servers at these addresses. */
  readonly script: (workload: Workload, baseUrls: readonly string[]) => string;
  /** Asks the servers, before k6 does, whether they are those of the workload. */
  readonly deal: Deal;
  readonly watchdog: Watchdog;
  /** Told while the players connect. */
  readonly onConnecting?: (connected: number, failed: number) => void;
}

/** Asked, as Ctrl-C does: it ends its virtual users, and writes what it knows. */
const LADDER: readonly Rung[] = [{ signal: 'SIGINT', patience: 15_000 }, KILL];

/** k6 itself, with the script of `capbench export k6`: one process with everybody who acts. */
export function createK6Engine(options: K6EngineOptions): Engine {
  const { k6, system, script, deal, watchdog, onConnecting = () => {} } = options;
  return {
    name: 'k6',
    async prepare(workload: Workload, at: Endpoints, signal: AbortSignal): Promise<ReadyFleet> {
      const worlds = await deal(at, workload, signal);
      const destinations = worlds.map((world) => destinationOf(world, at));
      if (planConnections(destinations, 1, readHostLimits()).sources.length > 0) {
        throw stackFailed(
          `${workload.players} connections need more source ports than one address has, and k6 has one`,
          'run more world servers on ports of their own, lower --scale, or use --engine native',
        );
      }
      const folder = await openRunFolder(watchdog, [tmpdir()], null, 'files');
      try {
        const urls = at.worlds.map(({ url }) => url);
        await writeFile(folder.file('script.js'), script(workload, urls));
        // Names are resolved once, before the run: k6 goes where they were then.
        await writeFile(folder.file('config.json'), JSON.stringify({ hosts: hostsOf(at) }));
        await writeFile(folder.file('books.jsonl'), '');
        return await new K6Fleet({
          ...{ system, workload, folder, onConnecting },
          process: {
            name: 'k6',
            command: k6.path,
            args: argumentsFor((name) => folder.file(name)),
            // No account of somebody else's, no extension from somewhere: k6 asks nobody but the servers.
            env: {
              ...{ HOME: folder.path, K6_AUTO_EXTENSION_RESOLUTION: 'false', GOGC: GARBAGE_PERCENT },
              // Not among the arguments, which everybody on this host may read.
              CAPBENCH_AUTHORIZATION: at.worlds[0]?.headers?.authorization ?? '',
            },
            ...{ cwd: folder.path, log: folder.file('k6.log'), watchdog, ladder: LADDER },
          },
        }).open(signal);
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
  ...['--quiet', '--no-color', '--no-usage-report', '--no-thresholds'],
  ...['--address', '', '--log-format', 'raw'],
  // Fewer tags are less to write; the scenario's name tells players from others.
  ...['--system-tags', 'scenario', '--config', file('config.json')],
  ...['--out', `json=${file('samples')}`, '--console-output', file('books.jsonl')],
  ...['-e', 'CAPBENCH_BOOKS=1', '-e', `CAPBENCH_SUMMARY=${file('summary.json')}`],
  file('script.js'),
];

function hostsOf({ worlds }: Endpoints): Readonly<Record<string, string>> {
  return Object.fromEntries(
    worlds.flatMap(({ url, address }) =>
      address === undefined ? [] : [[new URL(url).hostname, address] as const],
    ),
  );
}
