import { connect, isIP } from 'node:net';
import type { Access, Reachable } from '../address/access.ts';
import { causeOfError } from '../address/connection-cause.ts';
import type { Target } from '../address/target-address.ts';
import { interrupted, stackFailed } from '../errors.ts';
import { onAbort } from '../supervision/time-limit.ts';
import type { StackFailure } from '../supervision/watchdog.ts';
import { isNobodyThere } from './health.ts';
import type { Attached, DatabaseEndpoint, Endpoints, Stack, WorldEndpoint } from './stack.ts';

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
type Look = (world: Reachable, signal: AbortSignal) => Promise<unknown>;

/**
 * Looks after every server while a run goes on. One that is slow, or answers badly, is under test: the
 * load tells. One whose port is closed is gone, and there is nothing to be measured any more.
 */
function keepVigil(worlds: readonly Reachable[], look: Look) {
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

const LIMIT_MS = 5_000;

/**
 * Attaches to servers of any kind, of which nothing is asked but that they listen. Rejects with exit code 93 when one
 * cannot be reached, 105 when aborted.
 */
export const attachAny = (targets: readonly Target[], options: AttachOptions): Promise<Stack> =>
  targetStack(findAll(targets, options), listens, options);

const findAll = async (targets: readonly Target[], { access = {}, signal }: AttachOptions) => ({
  worlds: await Promise.all(
    targets.map((target) =>
      firstThatAnswers(target, access, async (server): Promise<WorldEndpoint> => {
        await listens(server, signal);
        return { ...server, pid: null };
      }),
    ),
  ),
  unknown: true,
});

/** A name may have several addresses (`localhost`: IPv6 and IPv4). */
export const endpointsOf = ({ url, host, addresses }: Target, access: Access = {}): readonly Reachable[] =>
  addresses.map((address) => ({ url, ...access, ...(isIP(host) === 0 ? { address } : {}) }));

/** What is found at the first of a target's addresses that answers well. */
export async function firstThatAnswers<T>(
  target: Target,
  access: Access,
  ask: (server: Reachable) => Promise<T>,
): Promise<T> {
  const attempts = await Promise.allSettled(endpointsOf(target, access).map(ask));
  const reasons: unknown[] = [];
  for (const attempt of attempts) {
    if (attempt.status === 'fulfilled') return attempt.value;
    reasons.push(attempt.reason);
  }
  // Somebody who answers badly says more than nobody at the other address.
  throw reasons.find((reason) => !isNobodyThere(reason)) ?? reasons[0];
}

/** Resolves when somebody accepts a connection. */
function listens({ url, address }: Reachable, signal: AbortSignal): Promise<void> {
  const { hostname, port, protocol } = new URL(url);
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect({
      host: address ?? hostname.replace(/^\[|\]$/g, ''),
      port: Number(port) || (protocol === 'https:' ? 443 : 80),
    });
    const end = (then: () => void): void => {
      clearTimeout(timer);
      forget();
      socket.destroy();
      then();
    };
    // Node's own option `signal` leaves its listener behind, one more with every look.
    const forget = onAbort(signal, () => end(() => reject(signal.reason)));
    const hint = 'start the server, or correct the address';
    const timer = setTimeout(
      () => end(() => reject(stackFailed(`${url} accepts no connection within ${LIMIT_MS / 1e3} s`, hint))),
      LIMIT_MS,
    );
    socket.once('connect', () => end(resolve));
    socket.once('error', (error) =>
      end(() => {
        const cause = causeOfError(error);
        if (cause.kind === 'refused') reject(stackFailed(`nobody listens at ${url}`, hint, error));
        else reject(stackFailed(`${url} cannot be reached: ${cause.what}`, cause.hint ?? hint, error));
      }),
    );
  });
}
