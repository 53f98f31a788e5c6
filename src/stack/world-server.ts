import { withToken } from '../address/access.ts';
import { OUT_OF_MEMORY } from '../errors.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { bundleFile } from '../supervision/bundle-file.ts';
import { lastingPort } from '../supervision/lasting-port.ts';
import { describeExit, startProcess } from '../supervision/process.ts';
import { readyOf } from '../supervision/ready.ts';
import type { RunFolder } from '../supervision/run-folder.ts';
import { START_LIMITS } from '../supervision/start-limits.ts';
import { pause, unlessAborted } from '../supervision/time-limit.ts';
import type { Watchdog } from '../supervision/watchdog.ts';
import { toMillis } from '../units.ts';
import { type Component, type Life, openComponent } from './component.ts';
import { askHealth } from './health.ts';
import { adviceIn } from './postgres-cluster.ts';
import type { DatabaseEndpoint, StackFailure, WorldEndpoint } from './stack.ts';

/** One world server of the stack's own. */
export interface WorldServer {
  readonly component: Component;
  readonly endpoint: WorldEndpoint;
}

export interface WorldServerPlan {
  readonly scenario: Scenario;
  /** 1-based. */
  readonly instance: number;
  /** 0: a free one. */
  readonly port: number;
  /** What it wants of whoever changes something; without one it is open. */
  readonly token?: string;
  readonly database: DatabaseEndpoint;
  readonly folder: RunFolder;
  readonly watchdog: Watchdog;
  readonly signal: AbortSignal;
  /** How many milliseconds it is waited for, when not as long as START_LIMITS says. */
  readonly readyLimit?: number;
  /** Aborted when the stack is closed: ends what is done to it on purpose. */
  readonly closing?: AbortSignal;
}

const HOST = '127.0.0.1';
/** What V8 and Node write before they end for want of memory. */
/** How V8 and the allocators below it end when a page is refused; JavaScript alone causes none of them. */
const CRASHES: ReadonlySet<NodeJS.Signals | null> = new Set([
  'SIGSEGV',
  'SIGBUS',
  'SIGABRT',
  'SIGTRAP',
  'SIGILL',
]);
const ASK_EVERY_MS = 50;
/** How long a world server waits for a PostgreSQL that was taken away on purpose. */
const RECONNECT_SECONDS = 30;

const NEVER = new AbortController().signal;

/**
 * Starts one flux world server and waits until it answers. Rejects with exit code 93, or with the signal's
 * reason; its process is gone then.
 */
export async function startWorldServer(plan: WorldServerPlan): Promise<WorldServer> {
  const isToComeBack = plan.port === 0 && plan.scenario.faults.length > 0;
  const wanted = isToComeBack ? await lastingPort(HOST) : plan.port;
  const { life, port } = await beginLife({ ...plan, port: wanted }, plan.signal);
  const again = async (aborted: AbortSignal): Promise<Life> =>
    (await beginLife({ ...plan, port }, aborted)).life;
  const component = openComponent(life, again, plan.closing ?? NEVER);
  return {
    component,
    endpoint: {
      url: urlOf(port),
      ...withToken(plan.token ?? ''),
      get pid() {
        return component.pid;
      },
    },
  };
}

const urlOf = (port: number): string => `http://${HOST}:${port}`;

/** Resolves when it answers, with the port that it listens at. */
async function beginLife(
  plan: WorldServerPlan,
  aborted: AbortSignal,
): Promise<{ readonly life: Life; readonly port: number }> {
  const { scenario, instance, folder, watchdog, readyLimit = START_LIMITS.world } = plan;
  const name = `world-${instance}`;
  const server = await startProcess({
    name,
    module: bundleFile('world-flux'),
    execArgv: [`--max-old-space-size=${scenario.world.heapMegabytes}`, '--enable-source-maps'],
    env: environmentOf(plan),
    log: folder.file(`${name}.log`),
    watchdog,
    behind: true,
  });
  const failure = new Promise<StackFailure>((resolve) => {
    void server.exited.then((exit) => {
      if (server.stopping) return;
      resolve({
        component: name,
        message: `world server ${instance} ended by itself: ${describeExit(exit)}`,
        hint:
          OUT_OF_MEMORY.test(server.tail(50)) || CRASHES.has(exit.signal)
            ? `it got no more memory: raise world.heap in the scenario, or free some; see logs/${name}.log`
            : exit.signal === 'SIGKILL'
              ? 'see whether the host ran out of memory'
              : // What its database told it: the disk is full.
                (adviceIn(server.tail(50)) ?? `see logs/${name}.log`),
      });
    });
  });
  try {
    const { port } = await unlessAborted(readyOf(server, readyLimit), aborted);
    const answers = (signal: AbortSignal) => answersAgain(urlOf(port), readyLimit, signal);
    await askHealth({ url: urlOf(port) }, aborted);
    return { port, life: { process: server, failure, answers } };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** One that stood still has a backlog, and may not find the time for one question. */
async function answersAgain(url: string, limit: number, signal: AbortSignal): Promise<void> {
  const until = performance.now() + limit;
  for (;;) {
    try {
      await askHealth({ url }, signal);
      return;
    } catch (error) {
      if (signal.aborted || performance.now() > until) throw error;
    }
    await pause(ASK_EVERY_MS, signal);
  }
}

const environmentOf = ({ scenario, instance, port, token = '', database }: WorldServerPlan) => ({
  HOST,
  PORT: String(port),
  INSTANCE_ID: String(instance),
  INSTANCES: String(scenario.world.servers),
  PLAYERS: String(scenario.load.players),
  MONSTERS: String(scenario.load.monsters),
  PLAYERS_PER_PLACE: String(scenario.world.playersPerPlace),
  BATCH_SIZE_LIMIT: String(scenario.world.batchOperations),
  BATCH_TIME_LIMIT_MS: String(toMillis(scenario.world.batchInterval)),
  TOKEN: token,
  ROW_SHAPE: scenario.world.rowShape,
  DB_SOCKET_PATH: database.host,
  DB_PORT: String(database.port),
  DB_USER: database.user,
  DB_PASSWORD: database.password,
  DB_NAME: database.database,
  // A scenario without faults ends when PostgreSQL does.
  RECONNECT_SECONDS: String(scenario.faults.length > 0 ? RECONNECT_SECONDS : 0),
});
