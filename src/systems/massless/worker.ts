import { worldPlayers } from '../../load/module/world-players.ts';
import type { WorkerModule } from '../../load/source.ts';
import { openColyseus } from './colyseus.ts';
import { masslessPlayers } from './players.ts';

/** The protocol of a load worker's players. */
export const openProtocol: WorkerModule['openProtocol'] = async (setup, tools, ids) =>
  worldPlayers(setup, tools, ids, masslessPlayers(setup, tools, await openColyseus()));
