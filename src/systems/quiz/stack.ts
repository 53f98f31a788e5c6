import type { Scenario } from '../../scenario/scenario.ts';
import type { ComponentSpec, StartContext } from '../../stack/component-spec.ts';
import { edgeComponent } from '../../stack/edge-component.ts';
import { askWorld } from '../../stack/health.ts';
import { postgresComponent } from '../../stack/postgres-component.ts';
import { redisComponent } from '../../stack/redis-component.ts';
import { serverComponent } from '../../stack/server.ts';
import { shownSetting } from '../../stack/settings.ts';
import type { AppliedSetting } from '../../stack/stack.ts';
import { bundleFile } from '../../supervision/bundle-file.ts';
import { formatDuration, toMillis } from '../../units.ts';
import { quizWorld } from './scenario.ts';

/** A server waits so long for Redis to answer. */
const REDIS_TIMEOUT_MS = 1_000;
/** A server is ready once all of its workers are: so long for each of them, and for the server itself. */
const READY_MS = { server: 30_000, worker: 1_000 };

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
  const proxy =
    edge === undefined
      ? []
      : [
          edgeComponent(
            edge,
            servers.map(({ name }) => name),
          ),
        ];
  return [postgresComponent(postgres), redisComponent(redis), ...servers, ...proxy];
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
  const { workers, matchesPerWorker, questions, think, gap, matchTtl, acknowledge, recover } =
    quizWorld(scenario);
  return [
    shownSetting('worldWorkers', workers),
    shownSetting('worldMatchesPerWorker', matchesPerWorker),
    shownSetting('worldQuestions', questions),
    shownSetting('worldThink', think.map(formatDuration).join(' to ')),
    shownSetting('worldGap', formatDuration(gap)),
    shownSetting('worldMatchTtl', formatDuration(matchTtl)),
    shownSetting('worldAcknowledge', acknowledge),
    shownSetting('worldRecover', recover),
  ];
}
