import { routesOf } from '../../load/fleet/deal.ts';
import { SocketProtocol } from '../../load/player/socket-protocol.ts';
import type { WorkerModule } from '../../load/source.ts';
import { Monsters } from './monsters/monsters.ts';
import { openUndiciTransport } from './monsters/post-transport.ts';
import { FluxCodec } from './player.ts';

/** The protocol of a load worker's players. */
export const openProtocol: WorkerModule['openProtocol'] = (setup, { errors }, ids) =>
  new SocketProtocol({
    ids,
    codec: new FluxCodec(setup.workload.seed, ids),
    route: routesOf(setup, ids),
    errors,
  });

/** A load worker's monsters. Autocannon is loaded only if needed. */
export const openSources: WorkerModule['openSources'] = async (setup, tools) => {
  const openTransport =
    setup.engine === 'autocannon'
      ? (await import('./autocannon/transport.ts')).openAutocannonTransport
      : openUndiciTransport;
  return [new Monsters(setup, tools, openTransport)];
};
