import { EXIT, messageOf } from '../../../errors.ts';
import { openEnvironment } from '../../../server/environment.ts';
import { RedisClient } from '../../../server/redis-client.ts';
import type { FromWorker, ToWorker } from '../worker-messages.ts';
import { openMatchStore } from './match-store.ts';
import { openMatchWorker } from './match-worker.ts';

/**
 * A worker process of a quiz server: it holds some of the server's matches and writes them to Redis. It is started by the
 * server's first process, with its environment, and ends with it.
 */

const USAGE_MS = 1_000;
/** Between two comparisons of the matches with what Redis has. */
const COMPARE_MS = 1_000;

const log = (sentence: string): void => void process.stderr.write(`${sentence}\n`);
// After the server has ended nobody reads it: 'disconnect' follows.
const send = (message: FromWorker): void =>
  void process.send?.(message, undefined, undefined, () => undefined);

async function main(): Promise<void> {
  const env = openEnvironment(process.env);
  const server = env.integer('INSTANCE_ID', 1, 1_000);
  const ttlMs = env.integer('MATCH_TTL_MS', 1_000, 100_000_000);
  const redis = {
    url: env.text('REDIS_URL'),
    name: `quiz-${server}-${env.text('WORKER_ID')}`,
    timeout: env.integer('REDIS_TIMEOUT_MS', 10, 60_000),
  };
  const questions = env.integer('QUESTIONS', 1, 50);
  const acknowledge = env.choice('ACKNOWLEDGE', ['stored', 'early']);
  env.check('A worker is started by its quiz server.');

  const client = await RedisClient.open({
    ...redis,
    // A Redis that has come back may have lost what it had: the worker has it still.
    async beforeClosed(run) {
      await store.rewrite(worker.matches.values(), run);
      await store.remove(worker.doomed, run);
      worker.doomed.clear();
    },
    opened: (why) => log(`Redis is not used: ${why}`),
    closed: (millis) => log(`Redis is used again after ${Math.round(millis)} ms`),
  });
  const store = openMatchStore(server, ttlMs, client.run);
  const worker = openMatchWorker({ server, questions, acknowledge, store, send, log });

  process.on('message', (message: ToWorker) => {
    if (message.kind === 'close') void close();
    else worker.receive(message).catch(fail);
  });
  setInterval(() => void worker.compare(), COMPARE_MS);
  setInterval(() => {
    const usage = {
      heapBytes: process.memoryUsage().heapUsed,
      evicted: worker.evicted(),
      redisFailures: client.counts.failures,
    };
    send({ kind: 'usage', usage });
  }, USAGE_MS);

  async function close(): Promise<void> {
    await worker.flush();
    await client.close();
    process.exit(EXIT.pass);
  }
}

function fail(error: unknown): never {
  log(error instanceof Error ? (error.stack ?? error.message) : messageOf(error));
  process.exit(EXIT.bug);
}

process.on('disconnect', () => process.exit(EXIT.pass));
// Signals of the terminal and of a restart reach its server, which decides.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);

main().catch(fail);
