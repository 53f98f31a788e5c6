import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { badInput } from '../errors.ts';
import type { PlayerModule } from '../load/fleet/messages.ts';
import { ScenarioError } from '../scenario/problem.ts';
import type { LoadedScenario } from './scenario-files.ts';

/**
 * The module of the user's that plays, as it stands beside the scenario; null where it names none. Throws exit code 104
 * where it may not be loaded, or is not there. It is not loaded here: that is for the load's own processes.
 */
export async function playerModuleOf(
  loaded: LoadedScenario,
  { allowModule = false }: { readonly allowModule?: boolean },
): Promise<PlayerModule | null> {
  const { playerCode } = loaded.scenario.traits;
  if (playerCode !== null && !allowModule) {
    throw badInput(
      `the scenario names a player module, ${playerCode}: that is code, and it is not loaded unasked`,
      'read it, and if you trust it, say so: --allow-module',
    );
  }
  return findModule(loaded);
}

/** Where it is, whether or not it may be loaded; a mistake in the scenario (104) where it is not there. */
export async function findModule({ scenario, path, where }: LoadedScenario): Promise<PlayerModule | null> {
  const { playerCode: name } = scenario.traits;
  if (name === null) return null;
  const file = resolve(dirname(path), name);
  const found = await stat(file).catch(() => null);
  if (found?.isFile() === true) return { path: file, name };
  throw new ScenarioError([
    {
      where: where(['players', 'module']),
      path: 'players.module',
      message: `there is no file ${name}, expected a JavaScript module`,
      hint: 'the path is looked up from the folder of the scenario file on; capbench init writes a module to begin with',
    },
  ]);
}

/** Where nothing that capbench starts speaks with the players. */
export function refuseWithoutTarget({ scenario }: LoadedScenario, targets: number): void {
  if (!scenario.traits.needsTarget || targets > 0) return;
  throw badInput(
    `the players of this scenario (system: ${scenario.system}) need a server of yours, and no --target is given`,
    'nothing that capbench starts speaks with them: start your server, and name it: --target http://127.0.0.1:8080',
  );
}
