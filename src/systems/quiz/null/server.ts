import type { WebSocket } from 'ws';
import { scoreOf, winnerOf } from '../match.ts';
import { encode, readPlayerFrame, type ServerFrame } from '../wire.ts';
import type { MatchStore } from '../worker-process/match-store.ts';
import { openMatchWorker } from '../worker-process/match-worker.ts';

const NOWHERE: MatchStore = {
  create: async () => undefined,
  write: async () => 'here',
  whereabouts: async (ids) => ids.map(() => 'here'),
  take: async () => ({}),
  left: async () => [],
  leave: async () => undefined,
  rewrite: async () => undefined,
  remove: async () => undefined,
  load: async () => [],
};

/** One worker's matches without a store and without workers: what a match costs the players, and nothing else. */
export function nullWorld(questions: number): { readonly play: (socket: WebSocket) => void } {
  const sockets = new Map<number, WebSocket>();
  const codes = new Map<string, number>();
  let matches = 0;
  const send = (player: number, frame: ServerFrame): void => sockets.get(player)?.send(encode(frame));
  const worker = openMatchWorker({
    ...{ server: 1, questions, acknowledge: 'stored', store: NOWHERE, log: () => undefined },
    send(message) {
      if (message.kind === 'did') for (const [player, text] of message.sends) sockets.get(player)?.send(text);
      if (message.kind !== 'ended') return;
      const { match } = message;
      const results = match.seats.map((seat) => ({ player: seat.player, score: scoreOf(match, seat) }));
      const data = { matchId: match.id, results, winner: winnerOf(results) };
      void worker.receive({ kind: 'saved', match: match.id });
      for (const { player } of results) send(player, { event: 'match_completed', data });
    },
  });
  function play(socket: WebSocket): void {
    let player = -1;
    socket.on('message', (text) => {
      const frame = readPlayerFrame(String(text));
      if (frame === null) return socket.close(1008);
      if (frame.event === 'authenticate') {
        ({ player } = frame.data);
        sockets.set(player, socket);
        return send(player, { event: 'authenticated', data: { player } });
      }
      const match =
        frame.event === 'create_friend_match'
          ? created()
          : frame.event === 'join_match'
            ? { id: codes.get(frame.data.joinCode) ?? 0, code: frame.data.joinCode }
            : { id: frame.data.matchId, code: '' };
      void worker.receive({ kind: 'request', player, match, frame });
    });
    socket.on('close', () => sockets.delete(player));
  }
  function created() {
    matches += 1;
    codes.set(String(matches), matches);
    return { id: matches, code: String(matches) };
  }
  return { play };
}
