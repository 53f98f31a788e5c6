import { type Redis, ReplyError } from 'ioredis';

/** A command as Redis documents it: `['set', key, value, 'ex', 600]`. */
export type RedisCommand = readonly [name: string, ...args: readonly (string | number | Buffer)[]];

export interface RunOptions {
  /** All or nothing, and nothing in between: MULTI .. EXEC. */
  readonly atomic?: boolean;
  /** Replies are Buffers where they would be strings. */
  readonly binary?: boolean;
}

/** One `run`: commands that are sent together, and what waits for their replies. */
export interface Run extends RunOptions {
  readonly commands: readonly RedisCommand[];
  resolve(replies: unknown[]): void;
  reject(error: Error): void;
}

type Reply = readonly [error: Error | null, value?: unknown];

/** Sends the commands of all runs in one write; resolves when all have been answered, or the connection was lost. */
export async function sendRuns(redis: Redis, runs: readonly Run[]): Promise<readonly Reply[]> {
  const pipeline = redis.pipeline();
  for (const { commands, atomic, binary } of runs) {
    const call = binary ? ('callBuffer' as const) : ('call' as const);
    if (atomic) pipeline.call('multi');
    for (const [name, ...args] of commands) pipeline[call](name, ...args);
    if (atomic) pipeline[call]('exec');
  }
  return (await pipeline.exec()) ?? [];
}

/** Why Redis did not answer one of them; null when it answered all, even with an error. */
export function lossOf(replies: readonly Reply[]): Error | null {
  const lost = replies.find(([error]) => error !== null && !isReply(error));
  return lost?.[0] ?? null;
}

const isReply = (error: Error): boolean => error instanceof ReplyError;

/** Settles each run with the replies to its own commands. `failed` makes the error of a run that was not answered. */
export function settleRuns(
  runs: readonly Run[],
  replies: readonly Reply[],
  failed: (error: Error) => Error,
): void {
  let from = 0;
  for (const run of runs) {
    const count = run.commands.length + (run.atomic ? 2 : 0);
    settle(run, replies.slice(from, from + count), failed);
    from += count;
  }
}

function settle(run: Run, replies: readonly Reply[], failed: (error: Error) => Error): void {
  const values = run.atomic ? repliesOfExec(replies) : replies.map(([, value]) => value);
  const bad =
    replies.find(([error]) => error !== null)?.[0] ?? values.find((value) => value instanceof Error);
  if (!bad) run.resolve(values);
  else run.reject(isReply(bad) ? bad : failed(bad));
}

/** The reply to EXEC has the replies to all commands, errors among them. */
function repliesOfExec(replies: readonly Reply[]): unknown[] {
  const values = replies.at(-1)?.[1];
  return Array.isArray(values) ? values : [new Error('Redis discarded the transaction')];
}
