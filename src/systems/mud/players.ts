import type { WorkerSetup } from '../../load/fleet/messages.ts';
import type { WorldContext, WorldModule } from '../../load/module/player-code.ts';
import type { SourceTools } from '../../load/source.ts';
import type { Operation, PlayerSocket, Session } from '../../player.d.ts';
import { keyIn, lineOf, sayingOf, verbOf } from './command-mix.ts';
import { homeOf, isResident, residentsOf } from './rooms.ts';
import { decodeFrame, encodeCommand, type Frame } from './wire.ts';
import { mudWorkload, PLAY_PATH } from './workload.ts';

interface MudSession extends Session {
  readonly socket: PlayerSocket;
  /** Commands without an answer, by their ids. */
  readonly waiting: Map<string, Waiting>;
}

interface Waiting {
  readonly operation: Operation;
  /** Others have to hear of it. */
  readonly isHeard: boolean;
}

/** Frames by what is wrong with them; each is a counter of `player.*`. */
const CHECKS = ['wrongResponses', 'wrongRoomMessages', 'wrongFrames'] as const;

/**
 * Players of the text game. What a resident says has to reach the other residents of its room, at whatever server they are:
 * these deliveries are expected once the command is answered, since a refused one reaches nobody.
 */
export function mudPlayers({ workload }: WorkerSetup, { ledger }: SourceTools): WorldModule<MudSession> {
  const { rooms } = mudWorkload(workload);
  const residents = new Map<number, readonly number[]>();
  const hearersOf = (player: number): readonly number[] => {
    const room = homeOf(player, rooms);
    const all = residents.get(room) ?? residentsOf(room, workload.players, rooms);
    residents.set(room, all);
    return all.filter((one) => one !== player);
  };

  const settle = (context: WorldContext, waiting: MudSession['waiting'], frame: Frame): void => {
    if (frame.type !== 'response' && frame.type !== 'error') return;
    const asked = waiting.get(frame.id);
    context.measure('wrongResponses', asked === undefined ? 1 : 0);
    if (asked === undefined) return;
    waiting.delete(frame.id);
    const { operation, isHeard } = asked;
    if (frame.type === 'error') {
      context.settle(operation, frame.code === 'rate_limited' ? 'rejected' : 'failed');
      return;
    }
    context.settle(operation, 'ok');
    if (isHeard)
      context.expectDelivery(
        sayingOf(context.player, operation.number),
        hearersOf(context.player),
        operation,
      );
  };

  const hear = (context: WorldContext, frame: Frame): void => {
    if (frame.type !== 'room_message' || frame.message_type !== 'chat') return;
    const key = isResident(context.player) ? keyIn(frame.message) : null;
    // Walkers pass by, and nobody knows what they hear; nor do residents expect what walkers say.
    if (key !== null && isResident(Number(key.split(':')[0]))) context.delivered(key);
  };

  return {
    name: 'mud',
    connect: (context) =>
      new Promise<MudSession>((resolve, reject) => {
        const { player } = context;
        const socket = context.openSocket(`${PLAY_PATH}?player=${player}`);
        const waiting: MudSession['waiting'] = new Map();
        let savedUpTo = 0;
        socket.on('message', (data) => {
          const text = data.toString();
          const frame = decodeFrame(text);
          check(context, text, frame);
          if (frame === null) return;
          if (frame.type === 'connected') resolve({ lastNumber: frame.last, socket, waiting });
          else if (frame.type === 'saved') {
            const [from, to] = [Number(frame.from), Number(frame.id)];
            // What was reported before need not be recorded again.
            if (to > savedUpTo) ledger.saved(player, Math.max(from, savedUpTo + 1), to);
            savedUpTo = Math.max(savedUpTo, to);
          } else if (frame.type === 'room_message') hear(context, frame);
          else settle(context, waiting, frame);
        });
        socket.once('error', reject);
        socket.on('close', (code, reason) => {
          const why = `the server closed the connection (${code}${reason.length > 0 ? `, ${reason}` : ''})`;
          reject(new Error(why));
          context.lost(why);
        });
      }),
    perform({ socket, waiting }, operation, { player, random }) {
      const { number } = operation;
      const verb = verbOf(player, random());
      waiting.set(String(number), { operation, isHeard: verb === 'say' && isResident(player) });
      socket.send(encodeCommand({ command: lineOf(verb, player, number), number }));
    },
    close({ socket }) {
      socket.close(1000);
    },
  };
}

/** Counts a frame whose shape is not that of the protocol, by the type that it says it is. */
function check(context: WorldContext, text: string, frame: Frame | null): void {
  const type = frame?.type ?? /"type":"(\w+)"/.exec(text)?.[1];
  const wrong = frame === null ? 1 : 0;
  if (type === 'room_message') context.measure(CHECKS[1], wrong);
  else if (type === 'response') context.measure(CHECKS[0], wrong);
  else context.measure(CHECKS[2], wrong);
  if (frame === null) context.log(`a frame that the protocol does not have: ${text.slice(0, 200)}`);
}
