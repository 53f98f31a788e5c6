import type { WorkerSetup } from '../../load/fleet/messages.ts';
import type { WorldContext, WorldModule } from '../../load/module/player-code.ts';
import { wrongFrames } from '../../load/module/wrong-frames.ts';
import type { SourceTools } from '../../load/source.ts';
import type { Operation, PlayerSocket, Session } from '../../player.d.ts';
import { fits, isHearable, isRepeated, speakerOf } from './answers.ts';
import { keyIn, lineOf, sayingOf, type Verb, verbOf } from './command-mix.ts';
import { homeOf, isResident, residentsOf } from './rooms.ts';
import { savedReports } from './saved-reports.ts';
import { decodeFrame, encodeCommand, type Frame } from './wire.ts';
import { mudWorkload, PLAY_PATH } from './workload.ts';

interface MudSession extends Session {
  readonly socket: PlayerSocket;
  /** Commands without an answer, by their ids. */
  readonly waiting: Map<string, Waiting>;
}

interface Waiting {
  readonly operation: Operation;
  readonly verb: Verb;
}

type Response = Extract<Frame, { readonly type: 'response' | 'error' }>;
type RoomMessage = Extract<Frame, { readonly type: 'room_message' }>;

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

  const wrong = wrongFrames();

  const settle = (context: WorldContext, waiting: MudSession['waiting'], frame: Response): void => {
    const { player } = context;
    const number = Number(frame.id);
    const asked = waiting.get(frame.id);
    waiting.delete(frame.id);
    if (asked === undefined) {
      wrong(context, 'an answer that no command waits for', frame);
      // Which the load counts, too, whatever a scenario's budgets are.
      context.settle({ number }, 'failed');
      return;
    }
    const { operation, verb } = asked;
    if (frame.type === 'error') {
      context.settle(operation, frame.code === 'rate_limited' ? 'rejected' : 'failed');
      return;
    }
    context.settle(operation, 'ok');
    if (!fits(verb, player, number, rooms, frame.messages))
      wrong(context, `no answer to ${lineOf(verb, player, number)}`, frame);
    // Known to be measured, even if nothing is ever wrong.
    context.measure('wrongFrames', 0);
    context.measure('repeatedAnswers', isRepeated(frame.messages) ? 1 : 0);
    if (verb === 'say' && isResident(player))
      context.expectDelivery(sayingOf(player, number), hearersOf(player), operation);
  };

  const hear = (context: WorldContext, frame: RoomMessage): void => {
    const { player } = context;
    if (!isHearable(player, rooms, frame)) {
      wrong(context, 'what the player cannot hear', frame);
      return;
    }
    if (frame.message_type !== 'chat' || !isResident(player)) return;
    const key = keyIn(frame.message);
    const speaker = speakerOf(frame.message);
    // Walkers pass by, and nobody knows what they hear; nor do residents expect what walkers say.
    if (!isResident(speaker)) return;
    if (key?.startsWith(`${speaker}:`)) context.delivered(key);
    else wrong(context, 'what this player did not say', frame);
  };

  return {
    name: 'mud',
    connect: (context) =>
      new Promise<MudSession>((resolve, reject) => {
        const { player } = context;
        const socket = context.openSocket(`${PLAY_PATH}?player=${player}`);
        const waiting: MudSession['waiting'] = new Map();
        const saved = savedReports((from, to) => ledger.saved(player, from, to));
        socket.on('message', (data) => {
          const text = data.toString();
          const frame = decodeFrame(text);
          if (frame === null) wrong(context, 'a frame that the protocol does not have', text);
          else if (frame.type === 'connected') resolve({ lastNumber: frame.last, socket, waiting });
          else if (frame.type === 'saved') saved.report(Number(frame.from), Number(frame.id));
          else if (frame.type === 'room_message') hear(context, frame);
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
      waiting.set(String(number), { operation, verb });
      socket.send(encodeCommand({ command: lineOf(verb, player, number), number }));
    },
    close({ socket }) {
      socket.close(1000);
    },
  };
}
