import { worldPlayers } from '../../load/module/world-players.ts';
import type { WorkerModule } from '../../load/source.ts';
import { quizPlayers } from './players.ts';

/** The protocol of a load worker's players. */
export const openProtocol: WorkerModule['openProtocol'] = (setup, tools, ids) =>
  worldPlayers(setup, tools, ids, quizPlayers(setup, tools));
