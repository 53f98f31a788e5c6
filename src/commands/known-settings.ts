import type { Host } from '../host.ts';
import { limitSetting, limitsOf, WHOLE_STACK } from '../scenario/component-limits.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { boxedHeap } from '../stack/boxed-heap.ts';
import { redisSettingNames } from '../stack/redis-configuration.ts';
import { applyPostgresSettings, deviationsBeside, edgeSettings, serverSettings } from '../stack/settings.ts';
import type { AppliedSetting } from '../stack/stack.ts';
import type { System } from '../systems/system.ts';

/** The settings that a started stack reports beside those of its components. */
export const stackSettings = (host: Host, system: System, scenario: Scenario): readonly AppliedSetting[] => [
  ...serverSettings(
    scenario.world,
    Number.parseInt(host.machine.node.replace(/^v/, ''), 10),
    boxedHeap(scenario, system.scenario.components(scenario)),
  ),
  ...(system.settings?.(scenario) ?? []),
];

/** The names of the settings that a stack of this scenario will report as `stack.applied.<name>`. */
export async function knownSettings(host: Host, scenario: Scenario): Promise<readonly string[]> {
  const system = (await host.systems()).systemOf(scenario);
  const { version, settings: postgres } = scenario.postgres;
  const libraries = (postgres.shared_preload_libraries ?? '').split(',').map((name) => name.trim());
  const components = new Set(system.scenario.components(scenario).map(({ name }) => name));
  const hasPostgres = components.has('postgres');
  const ofPostgres = applyPostgresSettings(
    { version, settings: hasPostgres ? postgres : {} },
    {
      memoryBytes: host.machine.memoryBytes,
      platform: host.machine.platform,
      postgresVersion: String(version),
      libraries: new Set(libraries),
    },
  ).settings;
  const ofRedis = components.has('redis') ? redisSettingNames(scenario.redis ?? { settings: {} }) : [];
  const ofEdge = scenario.edge === undefined ? [] : edgeSettings(scenario.edge, '', null);
  const ofLimits = [WHOLE_STACK, ...components].flatMap((name) =>
    limitsOf(scenario, name) === null ? [] : [limitSetting(name)],
  );
  const told = [...(hasPostgres ? ofPostgres : []), ...ofEdge, ...stackSettings(host, system, scenario)];
  const settings = [...told, ...deviationsBeside(scenario.deviations, told)].map(({ setting }) => setting);
  return [...new Set([...settings, ...ofRedis, ...ofLimits])];
}
