import { type Reachable, withToken } from '../address/access.ts';
import { OUT_OF_MEMORY } from '../errors.ts';
import { describeExit, startProcess } from '../supervision/process.ts';
import { readyOf } from '../supervision/ready.ts';
import { stablePort } from '../supervision/stable-port.ts';
import { pause, START_LIMITS, unlessAborted } from '../supervision/time-limit.ts';
import type { StackFailure } from '../supervision/watchdog.ts';
import { type ComponentProcess, openComponent } from './component.ts';
import type { ComponentSpec, ServerProcess, StartContext } from './component-spec.ts';
import { adviceIn } from './postgres-cluster.ts';

/** How to start a system's own server. */
interface ServerPlan extends Pick<ServerProcess, 'name' | 'module'> {
  /** From 1: the first listens at the base port, where there is one. */
  readonly instance: number;
  readonly after: readonly string[];
  /** V8's old space, in MB. */
  readonly heap: number;
  /** Environment variables beside HOST and PORT. */
  env(context: StartContext): Readonly<Record<string, string>>;
  /** Resolves when the server is healthy; rejects with exit code 93, or with the signal's reason. */
  health(server: Reachable, signal: AbortSignal): Promise<unknown>;
  /** Milliseconds; replaces the limit of START_LIMITS. */
  readonly readyLimit?: number;
}

/** Everything that is started here listens at this address. */
export const HOST = '127.0.0.1';
/** V8 and its allocators end with these signals when they get no memory; JavaScript code cannot cause them. */
const CRASHES = /^SIG(SEGV|BUS|ABRT|TRAP|ILL)$/;
const POLL_MS = 50;

const urlOf = (port: number): string => `http://${HOST}:${port}`;

/** A server in its own process, which restarts at the same port after a fault. */
export const serverComponent = (plan: ServerPlan): ComponentSpec => ({
  name: plan.name,
  faults: ['kill', 'stop', 'restart'],
  after: plan.after,
  async start(context) {
    const { signal, closing, token, mayRestart, basePort } = context;
    const free = mayRestart ? await stablePort(HOST) : 0;
    const wanted = basePort === null ? free : basePort + plan.instance - 1;
    const { first, port } = await startComponentProcess(plan, context, wanted, signal);
    const restart = async (aborted: AbortSignal) =>
      (await startComponentProcess(plan, context, port, aborted)).first;
    const component = openComponent(first, restart, closing);
    return {
      component,
      server: {
        url: urlOf(port),
        ...withToken(token),
        get pid() {
          return component.pid;
        },
      },
    };
  },
});

/** Resolves when the server is healthy, with the port at which it listens. */
async function startComponentProcess(
  { name, module, heap, env, health, readyLimit = START_LIMITS.world }: ServerPlan,
  context: StartContext,
  wanted: number,
  aborted: AbortSignal,
): Promise<{ readonly first: ComponentProcess; readonly port: number }> {
  const server = await startProcess({
    name,
    module,
    execArgv: [`--max-old-space-size=${heap}`],
    env: { ...env(context), HOST, PORT: String(wanted) },
    log: context.folder.file(`${name}.log`),
    watchdog: context.watchdog,
    lowPriority: true,
    confine: context.confine,
  });
  const failure = new Promise<StackFailure>((resolve) => {
    void server.exited.then((exit) => {
      if (server.stopping) return;
      resolve({
        component: name,
        message: `${name.replace('-', ' server ')} ended unexpectedly: ${describeExit(exit)}`,
        hint:
          OUT_OF_MEMORY.test(server.tail(50)) || CRASHES.test(exit.signal ?? '')
            ? `it ran out of memory: raise world.heap in the scenario, or free memory; see logs/${name}.log`
            : exit.signal === 'SIGKILL'
              ? 'check whether the host ran out of memory'
              : // It may log an error of its database, such as a full disk.
                (adviceIn(server.tail(50)) ?? `see logs/${name}.log`),
      });
    });
  });
  try {
    const { port } = await unlessAborted(readyOf(server, readyLimit), aborted);
    const answers = (signal: AbortSignal) => answersAgain(health, urlOf(port), readyLimit, signal);
    await health({ url: urlOf(port) }, aborted);
    return { port, first: { process: server, failure, answers } };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Retries, since a server that was suspended has a backlog to work off first. */
async function answersAgain(
  health: ServerPlan['health'],
  url: string,
  limit: number,
  signal: AbortSignal,
): Promise<void> {
  const until = performance.now() + limit;
  for (;;) {
    try {
      await health({ url }, signal);
      return;
    } catch (error) {
      if (signal.aborted || performance.now() > until) throw error;
    }
    await pause(POLL_MS, signal);
  }
}
