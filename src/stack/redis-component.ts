import { once } from 'node:events';
import { chown, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type CapbenchError, messageOf, OUT_OF_MEMORY, stackFailed } from '../errors.ts';
import type { RedisSettings } from '../scenario/redis-settings.ts';
import {
  describeExit,
  type ProcessUser,
  type SupervisedProcess,
  startProcess,
} from '../supervision/process.ts';
import { canReach } from '../supervision/run-folder.ts';
import { stablePort } from '../supervision/stable-port.ts';
import { pause, START_LIMITS, unlessAborted, within } from '../supervision/time-limit.ts';
import type { StackFailure } from '../supervision/watchdog.ts';
import { type ComponentProcess, openComponent } from './component.ts';
import type { ComponentSpec, StartContext } from './component-spec.ts';
import { redisAnswer } from './redis-answer.ts';
import { appliedRedisSettings, redisConfiguration } from './redis-configuration.ts';
import { findRedis, type RedisProgram } from './redis-program.ts';

const HOST = '127.0.0.1';
const POLL_MS = 20;
/** Of one connection, and of one answer. */
const ANSWER_MS = 2_000;
const LOG_LINES = 5;
/** Redis answers so while it reads its data; an answer that does not come in time is asked for again, too. */
const NOT_YET = /^LOADING |ECONNREFUSED|ECONNRESET|ETIMEDOUT|Connection is closed|Command timed out/;

/** Advice for the errors that Redis logs before it gives up. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/Address already in use/, 'another program took its port just now: run it again'],
  [
    /FATAL CONFIG FILE ERROR|Bad directive|wrong number of arguments/,
    'correct redis.settings in the scenario',
  ],
  [/No space left on device/, 'free space in the temporary directory, or set TMPDIR to another one'],
  [/Permission denied/, 'set TMPDIR to a directory that every user may enter, such as /tmp'],
];

const adviceIn = (log: string): string | undefined => ADVICE.find(([pattern]) => pattern.test(log))?.[1];

/** A Redis that is being started: where it listens, and what it was given. */
interface RedisPlan {
  readonly program: RedisProgram;
  readonly configuration: string;
  readonly data: string;
  /** With its password. */
  readonly url: string;
  readonly user: ProcessUser | null;
}

/**
 * The component `redis` of a system's stack, with these settings. It has a port and a data folder of its own, which it
 * keeps over faults: what a killed Redis has on its disk is what its settings say. Its address is
 * `redis://:PASSWORD@127.0.0.1:PORT/0`.
 */
export const redisComponent = (redis: RedisSettings = { settings: {} }): ComponentSpec => ({
  name: 'redis',
  faults: ['kill', 'stop', 'restart'],
  after: [],
  async start(context) {
    const { env, folder, signal, closing, password } = context;
    const program = await findRedis(env);
    signal.throwIfAborted();
    // An account that may not execute the program, such as one in a home folder, cannot run it.
    const user = context.user !== null && canReach(program.path, context.user) ? context.user : null;
    const data = await folder.folder('redis', user);
    const port = (await stablePort(HOST)) || (await anyPort());
    const configuration = join(data, 'redis.conf');
    await writeFile(
      configuration,
      redisConfiguration(redis.settings, { host: HOST, port, folder: data, password }),
      { mode: 0o600 },
    );
    if (user !== null) await chown(configuration, user.uid, user.gid);
    const url = `redis://:${password}@${HOST}:${port}/0`;
    const plan: RedisPlan = { program, configuration, data, url, user };
    const first = await startRedis(plan, context, signal);
    const component = openComponent(first, (aborted) => startRedis(plan, context, aborted), closing);
    try {
      const settings = await redisAnswer(url, ANSWER_MS, (client) =>
        appliedRedisSettings(redis, program, client),
      );
      return { component, addresses: { redis: url }, settings };
    } catch (error) {
      await component.close();
      throw stackFailed(
        `the settings in force cannot be read from Redis: ${messageOf(error)}`,
        'see logs/redis.log',
        error,
      );
    }
  },
});

/** Where no port below the ephemeral range is free. */
async function anyPort(): Promise<number> {
  const server = createServer().listen({ host: HOST, port: 0 });
  await once(server, 'listening');
  const at = server.address();
  server.close();
  await once(server, 'close');
  return typeof at === 'object' && at !== null ? at.port : 0;
}

/** Starts Redis on new data or on that of a killed one, and resolves when it answers: it has read its data then. */
async function startRedis(
  { program, configuration, data, url, user }: RedisPlan,
  { folder, watchdog, confine }: StartContext,
  aborted: AbortSignal,
): Promise<ComponentProcess> {
  const server = await startProcess({
    name: 'redis',
    command: program.path,
    args: [configuration],
    env: { LC_ALL: 'C' },
    cwd: data,
    log: folder.file('redis.log'),
    watchdog,
    user,
    lowPriority: true,
    confine,
  });
  const failure = watch(server);
  const answers = async (signal: AbortSignal): Promise<void> => {
    const left = new AbortController();
    try {
      await unlessAborted(
        Promise.race([
          pong(url, server, AbortSignal.any([signal, left.signal])),
          failure.then(({ message }) => Promise.reject(redisFailed(message, server.tail()))),
        ]),
        signal,
      );
    } finally {
      left.abort();
    }
  };
  try {
    await answers(aborted);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { process: server, failure, answers };
}

function watch(server: SupervisedProcess): Promise<StackFailure> {
  return new Promise((resolve) => {
    void server.exited.then((exit) => {
      if (server.stopping) return;
      const log = server.tail(50);
      resolve({
        component: 'redis',
        message: `Redis ended unexpectedly: ${describeExit(exit)}`,
        hint:
          adviceIn(log) ??
          (exit.signal === 'SIGKILL' || OUT_OF_MEMORY.test(log)
            ? 'check whether the host ran out of memory'
            : 'see logs/redis.log'),
      });
    });
  });
}

/** Redis did not start: what happened, the last lines of its log, and what to do. */
function redisFailed(happened: string, log: string, cause?: unknown): CapbenchError {
  const hint = adviceIn(log) ?? 'see the last lines of its log above';
  const tail = log.split('\n').slice(-LOG_LINES).join('\n');
  return stackFailed(tail === '' ? happened : `${happened}\n${tail.replace(/^/gm, '  | ')}`, hint, cause);
}

/** Resolves when Redis answers PONG. Rejects with exit code 93 when it does not within the limit, or refuses. */
async function pong(url: string, server: SupervisedProcess, signal: AbortSignal): Promise<void> {
  const until = performance.now() + START_LIMITS.answer;
  for (;;) {
    signal.throwIfAborted();
    try {
      await redisAnswer(url, ANSWER_MS, (client) => client.ping());
      return;
    } catch (error) {
      if (!NOT_YET.test(messageOf(error)))
        throw redisFailed(`Redis does not answer: ${messageOf(error)}`, server.tail(), error);
      if (performance.now() > until)
        throw redisFailed(`Redis was not ready ${within(START_LIMITS.answer)}`, server.tail(), error);
    }
    await pause(POLL_MS, signal);
  }
}
