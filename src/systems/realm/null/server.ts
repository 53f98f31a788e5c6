import type { Server } from 'node:http';
import type { Admit } from '../../../server/http-frame.ts';
import { openHttpFrame } from '../../../server/http-frame.ts';
import type { Refusal } from '../../../server/token-check.ts';
import { startOf } from '../area.ts';
import { decodeCommand, encodeFrame } from '../wire.ts';
import { PLAY_PATH } from '../workload.ts';

/** More than the commands of an agent in a calibration. */
const TICKS_OF_AN_AGENT = 200_000;

/**
 * The realm without a world: everybody is alone in it, and every command is acknowledged at once. With an empty token, it accepts
 * everybody. Each agent has ticks of its own, so that nobody is missed by another one in any of them.
 */
export function nullRealm({ token }: { readonly token: string }): Server {
  const admit = (url: URL): Admit | Refusal => {
    const agent = Number(url.searchParams.get('agent') ?? Number.NaN);
    if (!Number.isInteger(agent) || agent < 0)
      return { status: 400, why: 'agent=<number> is missing or malformed' };
    return (socket) => {
      socket.on('message', (data) => {
        const command = decodeCommand(String(data));
        if (command === null) return;
        const { type, seq } = command;
        socket.send(
          encodeFrame(
            type === 'move'
              ? { type: 'update', tick: agent * TICKS_OF_AN_AGENT + seq, acks: [seq], agents: [], gone: [] }
              : { type: 'ack', seq },
          ),
        );
      });
      socket.send(encodeFrame({ type: 'welcome', world: 1, agent, last: 0, ...startOf(agent) }));
      socket.send(encodeFrame({ type: 'snapshot', agents: [] }));
    };
  };
  return openHttpFrame({
    token,
    state: () => 'open',
    health: () => ({ status: 'ok', world: 'realm' }),
    metrics: () => '',
    sockets: { [PLAY_PATH]: admit },
  });
}
