import { worldPlayers } from '../../../src/load/module/world-players.ts';
import type { WorkerModule } from '../../../src/load/source.ts';
import type { Session } from '../../../src/player.d.ts';

/** Each round was planned so long before its player begins it, in microseconds. */
export const LATE = 50_000;

interface Rounds extends Session {
  readonly say: (text: string) => void;
}

/** Players of a world who begin everything themselves: a round, once the load has started, and the next 20 ms after its answer. */
export const openProtocol: WorkerModule['openProtocol'] = (setup, tools, ids) =>
  worldPlayers<Rounds>(setup, tools, ids, {
    name: 'rounds',
    async connect(context) {
      const socket = context.openSocket('/');
      await new Promise<void>((opened, failed) => void socket.once('open', opened).once('error', failed));
      socket.on('close', () => context.lost('closed'));
      const begin = (): boolean => context.start('round', Math.max(0, context.now() - LATE));
      socket.on('message', (data) => {
        const [player, number] = data.toString().split(' ');
        context.delivered(data.toString());
        if (Number(player) !== context.player) return;
        context.settle({ number: Number(number) }, 'ok');
        setTimeout(begin, 20 / context.pace);
      });
      void context.loadStarted().then(() => {
        context.measure('began', 1);
        if (!begin()) context.log('too early');
      });
      return { say: (text) => socket.send(text) };
    },
    perform({ say }, operation, context) {
      const key = `${context.player} ${operation.number}`;
      context.expectDelivery(key, 'all');
      say(key);
    },
  });
