import type { Scenario } from '../../scenario/scenario.ts';
import type { ComponentSpec, StartContext } from '../../stack/component-spec.ts';
import { databaseEnvironment } from '../../stack/database-environment.ts';
import { edgeComponents } from '../../stack/edge-component.ts';
import { postgresComponent } from '../../stack/postgres-component.ts';
import { serverComponent } from '../../stack/server.ts';
import { shownSetting } from '../../stack/settings.ts';
import type { AppliedSetting } from '../../stack/stack.ts';
import { bundleFile } from '../../supervision/bundle-file.ts';
import { toMillis } from '../../units.ts';
import { askHealth } from './health.ts';
import { fluxLoad, fluxWorld } from './scenario.ts';

/** How long a world server tries to reconnect to PostgreSQL after a planned fault. */
const RECONNECT_SECONDS = 30;

/** PostgreSQL, the world servers, and the proxy in front of them. */
export function fluxComponents(scenario: Scenario): readonly ComponentSpec[] {
  const { postgres, world, edge } = scenario;
  const servers = Array.from({ length: world.servers }, (_, i) => {
    const instance = i + 1;
    return serverComponent({
      ...{ name: `world-${instance}`, instance, after: ['postgres'], heap: world.heap },
      module: bundleFile('flux-server'),
      env: (context) => environmentOf(scenario, instance, context),
      health: askHealth,
    });
  });
  return [postgresComponent(postgres), ...servers, ...edgeComponents(edge, servers)];
}

function environmentOf(scenario: Scenario, instance: number, { token, mayRestart, started }: StartContext) {
  const { players, monsters } = fluxLoad(scenario);
  const { servers, playersPerPlace, batch, rowShape } = fluxWorld(scenario);
  return {
    INSTANCE_ID: String(instance),
    INSTANCES: String(servers),
    PLAYERS: String(players),
    MONSTERS: String(monsters),
    PLAYERS_PER_PLACE: String(playersPerPlace),
    BATCH_SIZE_LIMIT: String(batch.operations),
    BATCH_TIME_LIMIT_MS: String(toMillis(batch.interval)),
    TOKEN: token,
    ROW_SHAPE: rowShape,
    ...databaseEnvironment(started('postgres')),
    // Without planned faults, the loss of PostgreSQL ends the run.
    RECONNECT_SECONDS: String(mayRestart ? RECONNECT_SECONDS : 0),
  };
}

/** The world's settings, for the report. */
export function fluxSettings(scenario: Scenario): readonly AppliedSetting[] {
  const world = fluxWorld(scenario);
  return [
    shownSetting('worldPlayersPerPlace', world.playersPerPlace),
    shownSetting('worldBatchOperations', world.batch.operations),
    shownSetting('worldBatchInterval', `${toMillis(world.batch.interval)}ms`),
    shownSetting('worldRowShape', world.rowShape),
  ];
}
