import type { Scenario } from '../../scenario/scenario.ts';
import type { ComponentSpec, StartContext } from '../../stack/component-spec.ts';
import { databaseEnvironment } from '../../stack/database-environment.ts';
import { edgeComponents } from '../../stack/edge-component.ts';
import { askWorld } from '../../stack/health.ts';
import { postgresComponent } from '../../stack/postgres-component.ts';
import { redisComponent } from '../../stack/redis-component.ts';
import { serverComponent } from '../../stack/server.ts';
import { shownSetting } from '../../stack/settings.ts';
import type { AppliedSetting } from '../../stack/stack.ts';
import { bundleFile } from '../../supervision/bundle-file.ts';
import { formatDuration, toMillis } from '../../units.ts';

import { mudWorld, roomsOf } from './scenario.ts';

/** Redis, PostgreSQL, the instances, and the proxy in front of them if the scenario has one. */
export function mudComponents(scenario: Scenario): readonly ComponentSpec[] {
  const { postgres, redis, world, edge } = scenario;
  const servers = Array.from({ length: world.servers }, (_, i) => {
    const instance = i + 1;
    return serverComponent({
      ...{ name: `world-${instance}`, instance, after: ['redis', 'postgres'], heap: world.heap },
      module: bundleFile('mud-server'),
      env: (context) => environmentOf(scenario, instance, context),
      health: (server, signal) => askWorld(server, 'mud', signal),
    });
  });
  return [redisComponent(redis), postgresComponent(postgres), ...servers, ...edgeComponents(edge, servers)];
}

function environmentOf(scenario: Scenario, instance: number, { token, started }: StartContext) {
  const world = mudWorld(scenario);
  return {
    INSTANCE_ID: String(instance),
    INSTANCES: String(world.servers),
    PLAYERS: String(scenario.load.players),
    ROOMS: String(roomsOf(scenario)),
    TTL_SECONDS: String(Math.round(world.ttl / 1e6)),
    SAVE_MS: String(Math.round(toMillis(world.saveInterval))),
    SPACING_MS: String(Math.round(1_000 / world.commandsPerUserPerSecond)),
    COMPRESS_ABOVE: String(world.compressAbove),
    BREAKER: world.breaker,
    DEGRADE: world.degrade,
    PUBLISH: world.publish,
    ACKNOWLEDGE: world.acknowledge,
    TOKEN: token,
    REDIS_URL: started('redis').addresses?.redis ?? '',
    ...databaseEnvironment(started('postgres')),
  };
}

/** The world's settings, for the report. */
export function mudSettings(scenario: Scenario): readonly AppliedSetting[] {
  const world = mudWorld(scenario);
  return [
    shownSetting('worldRooms', roomsOf(scenario)),
    shownSetting('worldSaveInterval', formatDuration(world.saveInterval)),
    shownSetting('worldTtl', formatDuration(world.ttl)),
    shownSetting('worldCommandsPerUserPerSecond', world.commandsPerUserPerSecond),
    shownSetting('worldCompressAbove', world.compressAbove),
    ...(['breaker', 'degrade', 'publish', 'acknowledge'] as const).map((key) =>
      shownSetting(`world${key[0]?.toUpperCase()}${key.slice(1)}`, world[key]),
    ),
  ];
}
