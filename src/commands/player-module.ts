import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { badInput } from '../errors.ts';
import type { PlayerModule } from '../load/fleet/messages.ts';
import { ScenarioError } from '../scenario/problem.ts';
import type { LoadedScenario } from './scenario-files.ts';

/** Of the flags of a run, what players of one's own depend on. */
interface ModuleFlags {
  readonly allowModule?: boolean;
  readonly engine: string;
}

/**
 * The module that a scenario's players are, as it stands beside the scenario; null where it names none. Throws exit
 * code 104 where it may not be loaded, or is not there. It is not loaded here: that is for the load's own processes.
 */
export async function playerModuleOf(
  loaded: LoadedScenario,
  { allowModule = false, engine }: ModuleFlags,
): Promise<PlayerModule | null> {
  const { players } = loaded.scenario;
  if (players !== undefined && engine !== 'native') {
    throw badInput(
      `players: of its own (${players.protocol}) are played by the native engine alone, and --engine ${engine} is given`,
      'leave --engine out',
    );
  }
  if (players?.protocol === 'module' && !allowModule) {
    throw badInput(
      `the scenario names a player module, ${players.module}: that is code, and it is not loaded unasked`,
      'read it, and if you trust it, say so: --allow-module',
    );
  }
  return findModule(loaded);
}

/** Where it is, whether or not it may be loaded; a mistake in the scenario (104) where it is not there. */
export async function findModule({ scenario, path, where }: LoadedScenario): Promise<PlayerModule | null> {
  const { players } = scenario;
  if (players?.protocol !== 'module') return null;
  const name = players.module;
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

/** What a run's own stack speaks: the flux world, and nothing else. */
export function refuseWithoutTarget({ scenario }: LoadedScenario, targets: number): void {
  const { players } = scenario;
  if (players === undefined || players.protocol === 'module' || targets > 0) return;
  throw badInput(
    `players: of the protocol ${players.protocol} need a server of yours, and no --target is given`,
    'the world that capbench starts speaks flux: start your server, and name it: --target http://127.0.0.1:8080',
  );
}
