import { routesOf } from '../../src/load/fleet/deal.ts';
import { OUTCOME } from '../../src/load/outcome.ts';
import type { Listener } from '../../src/load/player/connection.ts';
import { type PlayerCodec, SocketProtocol } from '../../src/load/player/socket-protocol.ts';
import type { WorkerModule } from '../../src/load/source.ts';

/** `{"n":7,"operation":"add"}` up, `{"n":7}` down. */
const codecOf = (operations: readonly string[]): PlayerCodec => ({
  mostPayload: 1_000,
  path: (id) => `/player/${id}`,
  encode: (_player, operation, n) => `{"n":${n},"operation":"${operations[operation]}"}`,
  decode(player: number, frame: string, listener: Listener) {
    const [, n] = /^\{"n":(\d+)\}$/.exec(frame) ?? [];
    if (n !== undefined) listener.answered(player, Number(n), OUTCOME.ok);
    return n !== undefined;
  },
});

/** A load worker's players of the counter. */
export const openProtocol: WorkerModule['openProtocol'] = (setup, { errors }, ids) => {
  const codec = codecOf(setup.workload.operations.map(({ id }) => id));
  return new SocketProtocol({ ids, codec, route: routesOf(setup, ids), errors });
};
