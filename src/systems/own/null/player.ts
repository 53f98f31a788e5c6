import type { LoadedModule } from '../../../load/module/module-file.ts';
import type { Operation, PlayerSocket, Session } from '../../../player.d.ts';

interface NullSession extends Session {
  readonly socket: PlayerSocket;
}

/**
 * Replaces a module without a null server in the calibration: exercises capbench's own code for such players, with one WebSocket
 * round trip per operation (server.ts).
 */
export const nullPlayer = (name: string): LoadedModule => ({
  name,
  nullServer: null,
  prepare: null,
  connect: (context) =>
    new Promise<NullSession>((resolve, reject) => {
      const socket = context.openSocket('/');
      socket.once('open', () => resolve({ socket }));
      socket.once('error', reject);
      socket.on('close', (code) => context.lost(`the null server closed the connection (${code})`));
      socket.on('message', (data) => {
        const number = Number(data.toString('latin1', '{"id":'.length, data.length - 1));
        context.settle({ number }, 'ok');
      });
    }),
  perform: (session, { number }: Operation) => {
    (session as NullSession).socket.send(`{"type":"command","command":"nothing","id":${number}}`);
  },
  close: (session) => (session as NullSession).socket.close(),
});
