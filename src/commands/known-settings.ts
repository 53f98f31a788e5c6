import type { Host } from '../host.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { applySettings } from '../stack/settings.ts';

/** The names of the settings that a stack of this scenario will tell, as `stack.applied.<name>`. */
export function knownSettings({ machine }: Host, scenario: Scenario): readonly string[] {
  const { version, settings } = scenario.postgres;
  const libraries = (settings.shared_preload_libraries ?? '').split(',').map((name) => name.trim());
  const applied = applySettings(scenario, {
    memoryBytes: machine.memoryBytes,
    platform: machine.platform,
    nodeMajor: Number.parseInt(machine.node.replace(/^v/, ''), 10),
    postgresVersion: String(version),
    libraries: new Set(libraries),
  });
  return applied.settings.map(({ setting }) => setting);
}
