import type { Access, Reachable } from '../address/access.ts';
import { interrupted } from '../errors.ts';
import type { StackFailure } from '../supervision/watchdog.ts';
import { isNobodyThere } from './health.ts';
import type { Attached, DatabaseEndpoint, Endpoints, Stack } from './stack.ts';

export interface AttachOptions {
  readonly signal: AbortSignal;
  /** The authorities and the headers, the same for all of them. */
  readonly access?: Omit<Access, 'address'>;
  /** Their PostgreSQL, where its address was given. */
  readonly database?: Attached | null;
}

/**
 * The stack that somebody else started, once it is found: it is watched over, and left as it is. Rejects as the finding
 * does, with exit code 105 when aborted.
 */
export async function targetStack(
  finding: Promise<Omit<Endpoints, 'database'>>,
  look: Look,
  { signal, database = null }: AttachOptions,
): Promise<Stack> {
  try {
    const found = await finding;
    const vigil = keepVigil(found.worlds, look);
    return {
      kind: 'target',
      endpoints: { ...found, database: database === null ? null : attachedDatabase(database) },
      settings: [],
      disturb: null,
      failure: vigil.failure,
      logs: new Map(),
      close: async () => vigil.stop(),
    };
  } catch (error) {
    if (signal.aborted) throw interrupted('stopped while the targets were being asked');
    throw error;
  }
}

const attachedDatabase = (attached: Attached): DatabaseEndpoint => ({
  ...{ host: '', port: 0, user: '', password: '', database: '', pid: null },
  attached,
});

const EVERY_MS = 2_000;
/** So many refusals in a row, so that a server that is just restarted is not given up. */
const REFUSALS = 2;

/** Rejects where nobody is there (health.ts). */
export type Look = (world: Reachable, signal: AbortSignal) => Promise<unknown>;

/**
 * Looks after every server while a run goes on. One that is slow, or answers badly, is under test: the
 * load tells. One whose port is closed is gone, and there is nothing to be measured any more.
 */
export function keepVigil(worlds: readonly Reachable[], look: Look) {
  const ended = new AbortController();
  const refusals = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  const failure = new Promise<StackFailure>((resolve) => {
    const visit = async (world: Reachable): Promise<void> => {
      const { url } = world;
      const gone = await look(world, ended.signal).then(() => false, isNobodyThere);
      const count = gone ? (refusals.get(url) ?? 0) + 1 : 0;
      refusals.set(url, count);
      if (count < REFUSALS || ended.signal.aborted) return;
      resolve({
        component: url,
        message: 'nobody listens there any more: the target has gone away during the run',
        hint: 'see why it ended, start it again, and run again',
      });
    };
    const round = async (): Promise<void> => {
      await Promise.all(worlds.map(visit));
      if (!ended.signal.aborted) timer = setTimeout(round, EVERY_MS).unref();
    };
    timer = setTimeout(round, EVERY_MS).unref();
  });
  return {
    /** Settles (never rejects) when nobody listens at one of the addresses any more. */
    failure,
    stop() {
      ended.abort();
      clearTimeout(timer);
    },
  };
}
