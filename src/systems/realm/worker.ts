import { worldPlayers } from '../../load/module/world-players.ts';
import type { WorkerModule } from '../../load/source.ts';
import { realmPlayers } from './players.ts';

/** The protocol of a load worker's players. */
export const openProtocol: WorkerModule['openProtocol'] = (setup, tools, ids) =>
  worldPlayers(setup, tools, ids, realmPlayers(setup, tools));
