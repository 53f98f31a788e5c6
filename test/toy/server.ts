import { createServer, type IncomingMessage } from 'node:http';
import pg from 'pg';
import { type WebSocket, WebSocketServer } from 'ws';
import { listen, serve } from '../../src/supervision/server-process.ts';
import { EFFECTS, TABLE } from './operations.ts';

/**
 * The counter's server. Without PGHOST it keeps nothing and answers at once: that is the null server. With BROKEN it
 * answers as if it had written.
 */
const { PGHOST, BROKEN, TOKEN = '' } = process.env;
const pool = PGHOST === undefined ? null : new pg.Pool({ max: 1 });
let writes = 0;

interface Asked {
  readonly player: number;
  readonly n: number;
  readonly by: number;
  readonly socket: WebSocket;
}
let queue: Asked[] = [];
let isWriting = false;

const answer = ({ n, socket }: Asked): void => socket.send(`{"n":${n}}`);

/** Writes everything that waits in one statement, answers it, and continues with what arrived meanwhile. */
async function write(): Promise<void> {
  if (isWriting || queue.length === 0) return;
  isWriting = true;
  const batch = queue;
  queue = [];
  const column = (of: (one: Asked) => number): number[] => batch.map(of);
  if (BROKEN === undefined) {
    const { rowCount } = await pool!.query(
      `insert into ${TABLE} as counter
       select id, max(n), count(*), sum(n), sum(change) from unnest($1::int[], $2::int[], $3::int[]) as asked (id, n, change)
       group by id on conflict (id) do update set last_seq = excluded.last_seq, applied_n = counter.applied_n + excluded.applied_n,
       seq_sum = counter.seq_sum + excluded.seq_sum, value = counter.value + excluded.value`,
      [column(({ player }) => player), column(({ n }) => n), column(({ by }) => by)],
    );
    writes += rowCount ?? 0;
  }
  batch.forEach(answer);
  isWriting = false;
  await write();
}

await serve(async (host) => {
  await pool?.query(
    `create table if not exists ${TABLE} (id int primary key, last_seq int, applied_n int, seq_sum bigint, value bigint)`,
  );
  const server = createServer(async (_request, response) => {
    // capbench compares both counts, and PostgreSQL publishes its own with a delay.
    await pool?.query('select pg_stat_force_next_flush()');
    response.end(String(writes));
  });
  const sockets = new WebSocketServer({
    server,
    verifyClient: ({ req }: { req: IncomingMessage }) => req.headers.authorization === `Bearer ${TOKEN}`,
  });
  sockets.on('connection', (socket, { url = '' }) => {
    const player = Number(url.slice('/player/'.length));
    socket.on('message', (frame) => {
      const { n, operation } = JSON.parse(String(frame));
      const asked = { player, n, by: EFFECTS[operation] ?? 0, socket };
      if (pool === null) return answer(asked);
      queue.push(asked);
      void write();
    });
  });
  return { port: await listen(server, host) };
});
