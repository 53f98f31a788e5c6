import type { Scenario } from '../../scenario/scenario.ts';
import type { ComponentSpec, StartContext } from '../../stack/component-spec.ts';
import { databaseEnvironment } from '../../stack/database-environment.ts';
import { askWorld } from '../../stack/health.ts';
import { postgresComponent } from '../../stack/postgres-component.ts';
import { redisComponent } from '../../stack/redis-component.ts';
import { serverComponent } from '../../stack/server.ts';
import { shownSetting } from '../../stack/settings.ts';
import type { AppliedSetting } from '../../stack/stack.ts';
import { bundleFile } from '../../supervision/bundle-file.ts';
import { formatDuration, toMillis } from '../../units.ts';
import { masslessLoad, masslessWorld, zonesOf } from './scenario.ts';

/** PostgreSQL, Redis and the servers of the zones. */
export function masslessComponents(scenario: Scenario): readonly ComponentSpec[] {
  const { postgres, redis, world } = scenario;
  const servers = Array.from({ length: world.servers }, (_, i) => {
    const instance = i + 1;
    return serverComponent({
      ...{ name: `world-${instance}`, instance, after: ['postgres', 'redis'], heap: world.heap },
      module: bundleFile('massless-server'),
      env: (context) => environmentOf(scenario, instance, context),
      health: (server, signal) => askWorld(server, 'massless', signal),
    });
  });
  return [postgresComponent(postgres), redisComponent(redis), ...servers];
}

function environmentOf(scenario: Scenario, instance: number, { token, started }: StartContext) {
  const world = masslessWorld(scenario);
  return {
    INSTANCE_ID: String(instance),
    INSTANCES: String(world.servers),
    PLAYERS: String(scenario.load.players),
    ZONES: String(zonesOf(scenario)),
    ZONE_SIZE: String(world.zoneSize),
    ITEMS_PER_CHARACTER: String(world.itemsPerCharacter),
    TICK_RATE: String(world.tickRate),
    SAVE_MS: String(Math.round(toMillis(world.saveInterval))),
    SAVE_ON_EXIT: world.saveOnExit,
    TRADE: world.trade,
    INTEREST: world.interest,
    TOKEN: token,
    REDIS_URL: started('redis').addresses?.redis ?? '',
    ...databaseEnvironment(started('postgres')),
  };
}

/** The world's settings, for the report. */
export function masslessSettings(scenario: Scenario): readonly AppliedSetting[] {
  const { zoneSize, itemsPerCharacter, tickRate, saveInterval, interest, saveOnExit, trade } =
    masslessWorld(scenario);
  return [
    shownSetting('worldZones', zonesOf(scenario)),
    shownSetting('worldZoneSize', zoneSize),
    shownSetting('worldItemsPerCharacter', itemsPerCharacter),
    shownSetting('worldTickRate', tickRate),
    shownSetting('worldSaveInterval', formatDuration(saveInterval)),
    shownSetting('worldInterest', interest),
    shownSetting('worldSaveOnExit', saveOnExit),
    shownSetting('worldTrade', trade),
    shownSetting('loadDecodesOneOf', masslessLoad(scenario).decodesOneOf),
  ];
}
