import type { Scenario } from '../../scenario/scenario.ts';
import type { ComponentSpec, StartContext } from '../../stack/component-spec.ts';
import { edgeComponents } from '../../stack/edge-component.ts';
import { askWorld } from '../../stack/health.ts';
import type { MemoryNeed } from '../../stack/memory-need.ts';
import { postgresComponent } from '../../stack/postgres-component.ts';
import { redisComponent } from '../../stack/redis-component.ts';
import { serverComponent } from '../../stack/server.ts';
import { shownSetting } from '../../stack/settings.ts';
import type { AppliedSetting } from '../../stack/stack.ts';
import { bundleFile } from '../../supervision/bundle-file.ts';
import { formatDuration, grouped, toMillis } from '../../units.ts';
import { quizWorld } from './scenario.ts';

/** A server waits so long for Redis to answer. */
const REDIS_TIMEOUT_MS = 1_000;
/** A server is ready once all of its workers are: so long for each of them, and for the server itself. */
const READY_MS = { server: 30_000, worker: 3_000 };

/** Memory of a process that no other process shares, once it has connected, in bytes: measured on Node 20. */
const PRIVATE_BYTES = { server: 60e6, worker: 30e6 };
/** Of everything else: PostgreSQL, Redis, the load and the probes. */
const REST_BYTES = 1e9;

/** The memory of the worker processes, which is most of what the stack needs. */
export function quizNeeds(scenario: Scenario): MemoryNeed {
  const { servers, workers } = quizWorld(scenario);
  const processes = servers * workers;
  return {
    memoryBytes: processes * PRIVATE_BYTES.worker + servers * PRIVATE_BYTES.server + REST_BYTES,
    because: `${grouped(processes)} worker processes of ${PRIVATE_BYTES.worker / 1e6} MB, ${servers === 1 ? 'one server' : `${grouped(servers)} servers`} of ${PRIVATE_BYTES.server / 1e6} MB, and ${REST_BYTES / 1e9} GB for all else`,
    less: 'run it with fewer players and --set world.workers, of which each holds world.matchesPerWorker matches',
  };
}

/** PostgreSQL, Redis, the quiz servers, and the proxy in front of them. */
export function quizComponents(scenario: Scenario): readonly ComponentSpec[] {
  const { postgres, redis, world, edge } = scenario;
  const { workers } = quizWorld(scenario);
  const servers = Array.from({ length: world.servers }, (_, i) => {
    const instance = i + 1;
    return serverComponent({
      ...{ name: `world-${instance}`, instance, after: ['postgres', 'redis'], heap: world.heap },
      module: bundleFile('quiz-server'),
      env: (context) => environmentOf(scenario, instance, context),
      health: (server, signal) => askWorld(server, 'quiz', signal),
      readyLimit: READY_MS.server + READY_MS.worker * workers,
    });
  });
  return [postgresComponent(postgres), redisComponent(redis), ...servers, ...edgeComponents(edge, servers)];
}

function environmentOf(scenario: Scenario, instance: number, { token, started }: StartContext) {
  const world = quizWorld(scenario);
  const { database } = started('postgres');
  return {
    INSTANCE_ID: String(instance),
    WORKERS: String(world.workers),
    MATCHES_PER_WORKER: String(world.matchesPerWorker),
    QUESTIONS: String(world.questions),
    MATCH_TTL_MS: String(toMillis(world.matchTtl)),
    ACKNOWLEDGE: world.acknowledge,
    COMPLETE: world.complete,
    RECOVER: world.recover,
    TOKEN: token,
    DB_SOCKET_PATH: database?.host ?? '',
    DB_PORT: String(database?.port),
    DB_USER: database?.user ?? '',
    DB_PASSWORD: database?.password ?? '',
    DB_NAME: database?.database ?? '',
    REDIS_URL: started('redis').addresses?.redis ?? '',
    REDIS_TIMEOUT_MS: String(REDIS_TIMEOUT_MS),
  };
}

/** The world's settings, for the report. */
export function quizSettings(scenario: Scenario): readonly AppliedSetting[] {
  const { workers, matchesPerWorker, questions, think, gap, matchTtl, acknowledge, complete, recover } =
    quizWorld(scenario);
  return [
    shownSetting('worldWorkers', workers),
    shownSetting('worldMatchesPerWorker', matchesPerWorker),
    shownSetting('worldQuestions', questions),
    shownSetting('worldThink', think.map(formatDuration).join(' to ')),
    shownSetting('worldGap', formatDuration(gap)),
    shownSetting('worldMatchTtl', formatDuration(matchTtl)),
    shownSetting('worldAcknowledge', acknowledge),
    shownSetting('worldComplete', complete),
    shownSetting('worldRecover', recover),
  ];
}
