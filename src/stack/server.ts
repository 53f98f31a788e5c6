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

/** A server of a system's own, as it is started. */
interface ServerPlan extends Pick<ServerProcess, 'name' | 'module'> {
  /** 1-based: the first listens at the base port, where there is one. */
  readonly instance: number;
  readonly after: readonly string[];
  /** V8's old space, in MB. */
  readonly heap: number;
  /** Beside HOST and PORT: what its process is to know. */
  env(context: StartContext): Readonly<Record<string, string>>;
  /** Resolves when it answers well; rejects with exit code 93, or with the signal's reason. */
  health(server: Reachable, signal: AbortSignal): Promise<unknown>;
  /** How many milliseconds it is waited for, when not as long as START_LIMITS says. */
  readonly readyLimit?: number;
}

/** Where everything that is started here listens. */
export const HOST = '127.0.0.1';
/** How V8 and the allocators below it end when a page is refused; JavaScript alone causes none of them. */
const CRASHES = /^SIG(SEGV|BUS|ABRT|TRAP|ILL)$/;
const ASK_EVERY_MS = 50;

const urlOf = (port: number): string => `http://${HOST}:${port}`;

/** A server in a process of its own: killed, it comes back at the same port. */
export const serverComponent = (plan: ServerPlan): ComponentSpec => ({
  name: plan.name,
  faults: ['kill', 'stop'],
  after: plan.after,
  async start(context) {
    const { signal, closing, token, comesBack, basePort } = context;
    const free = comesBack ? await stablePort(HOST) : 0;
    const wanted = basePort === null ? free : basePort + plan.instance - 1;
    const { life, port } = await startComponentProcess(plan, context, wanted, signal);
    const again = async (aborted: AbortSignal) =>
      (await startComponentProcess(plan, context, port, aborted)).life;
    const component = openComponent(life, again, closing);
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

/** Resolves when it answers, with the port that it listens at. */
async function startComponentProcess(
  { name, module, heap, env, health, readyLimit = START_LIMITS.world }: ServerPlan,
  context: StartContext,
  wanted: number,
  aborted: AbortSignal,
): Promise<{ readonly life: ComponentProcess; readonly port: number }> {
  const server = await startProcess({
    name,
    module,
    execArgv: [`--max-old-space-size=${heap}`],
    env: { ...env(context), HOST, PORT: String(wanted) },
    log: context.folder.file(`${name}.log`),
    watchdog: context.watchdog,
    lowPriority: true,
  });
  const failure = new Promise<StackFailure>((resolve) => {
    void server.exited.then((exit) => {
      if (server.stopping) return;
      resolve({
        component: name,
        message: `${name.replace('-', ' server ')} ended unexpectedly: ${describeExit(exit)}`,
        hint:
          OUT_OF_MEMORY.test(server.tail(50)) || CRASHES.test(exit.signal ?? '')
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
    const answers = (signal: AbortSignal) => answersAgain(health, urlOf(port), readyLimit, signal);
    await health({ url: urlOf(port) }, aborted);
    return { port, life: { process: server, failure, answers } };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** One that stood still has a backlog, and may not find the time for one question. */
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
    await pause(ASK_EVERY_MS, signal);
  }
}
