import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { badInput } from '../errors.ts';
import type { PlayerModule } from '../load/fleet/messages.ts';
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
  { scenario, path }: LoadedScenario,
  { allowModule = false, engine }: ModuleFlags,
): Promise<PlayerModule | null> {
  const { players } = scenario;
  if (players !== undefined && engine !== 'native') {
    throw badInput(
      `players: of its own (${players.protocol}) are played by the native engine alone, and --engine ${engine} is given`,
      'leave --engine out',
    );
  }
  if (players?.protocol !== 'module') return null;
  const name = players.module;
  if (!allowModule) {
    throw badInput(
      `the scenario names a player module, ${name}: that is code, and it is not loaded unasked`,
      'read it, and if you trust it, say so: --allow-module',
    );
  }
  const file = resolve(dirname(path), name);
  const found = await stat(file).catch(() => null);
  if (found?.isFile() !== true) {
    throw badInput(
      `players.module: there is no file ${name}`,
      'the path is looked up from the folder of the scenario file on',
    );
  }
  return { path: file, name };
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
