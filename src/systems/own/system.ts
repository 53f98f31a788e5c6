import { dealEvenly } from '../../load/fleet/deal.ts';
import type { Kind } from '../../scenario/kinds.ts';
import { attachAny } from '../../stack/target-stack.ts';
import { bundleFile } from '../../supervision/bundle-file.ts';
import type { System } from '../system.ts';
import { deflateRemarks } from './deflate.ts';
import { idPathOf } from './names.ts';
import { ownWorkload } from './players.ts';
import type { JsonPlayers } from './players-schema.ts';
import { ownPlayersIn, ownScenario, playersOf } from './scenario.ts';
import { commandOf } from './stack.ts';

const ownWorker: Pick<System, 'workerModule' | 'nullServers' | 'remarks'> = {
  remarks: (scenario, servers, signal) => deflateRemarks(playersOf(scenario), servers, signal),
  workerModule: () => bundleFile('own-worker'),
  nullServers: (workload, servers, token, module) => {
    const { playing } = ownWorkload(workload);
    return Array.from({ length: servers }, (_, i) => ({
      name: `null-${i + 1}`,
      module: bundleFile('own-null'),
      env: {
        TOKEN: token,
        ...(playing.protocol === 'json' ? nullIds(playing) : {}),
        ...(playing.protocol !== 'http' && playing.deflate === true ? { DEFLATE: 'true' } : {}),
        ...(module === null ? {} : { MODULE_PATH: module.path, MODULE_NAME: module.name }),
      },
    }));
  },
};

/** Where an answer has its id, and where the frames of commands with bodies of their own have theirs. */
function nullIds({ idAt, commands }: JsonPlayers): Readonly<Record<string, string>> {
  const paths = commands.flatMap(({ body }) => (body === undefined ? [] : [idPathOf(body)]));
  return { ID_AT: idAt, ...(paths.length === 0 ? {} : { ID_IN: JSON.stringify(paths) }) };
}

/** The user's own server, loaded by the user's own players, with operations of these kinds (scenario/kinds.ts). */
export const ownOf = (kinds: readonly Kind[]): System => ({
  name: 'own',
  scenario: ownScenario(kinds),
  ...ownWorker,
  command: commandOf,
});

/** The same where no kinds are named. */
export const own = ownOf([]);

/**
 * The user's own players in a world of capbench, or on any target. A target that identifies itself as that world is attached as
 * such if a module plays, since only a module can speak the world's protocol.
 */
export const ownOn = ({ engines: _, ...world }: System, kinds: readonly Kind[]): System => ({
  ...world,
  scenario: ownPlayersIn(world.scenario, kinds),
  ...ownWorker,
  attach: async (targets, scenario, options) => {
    const { recognises, attach } = world;
    const isModule = playersOf(scenario)?.protocol === 'module';
    const isWorld = isModule && (await recognises?.(targets, options)) === true;
    return isWorld && attach !== undefined ? attach(targets, scenario, options) : attachAny(targets, options);
  },
  deal: (endpoints, workload, signal) => {
    const isWorld = endpoints.unknown !== true && workload.isCalibration !== true;
    return (isWorld && world.deal ? world.deal : dealEvenly)(endpoints, workload, signal);
  },
});
