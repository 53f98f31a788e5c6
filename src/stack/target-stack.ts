import { connect, isIP } from 'node:net';
import type { Access, Reachable } from '../address/access.ts';
import { causeOfError } from '../address/connection-cause.ts';
import { hostOf, portOf, type Target } from '../address/target-address.ts';
import { monotonic } from '../clock.ts';
import { interrupted, stackFailed } from '../errors.ts';
import { onAbort } from '../supervision/time-limit.ts';
import type { StackFailure } from '../supervision/watchdog.ts';
import { isRefused } from './health.ts';
import type { Attached, DatabaseEndpoint, Endpoints, Stack, WorldEndpoint } from './stack.ts';

export interface AttachOptions {
  readonly signal: AbortSignal;
  /** CA certificates and headers, the same for all targets. */
  readonly access?: Omit<Access, 'address'>;
  /** The targets' PostgreSQL, where its address was given. */
  readonly database?: Attached | null;
}

/**
 * The stack of a target, which is watched and never changed. Rejects as `finding` does, and with exit code 105 when
 * aborted.
 */
export async function targetStack(
  finding: Promise<Omit<Endpoints, 'database'>>,
  ping: Ping,
  { signal, database = null }: AttachOptions,
): Promise<Stack> {
  try {
    const found = await finding;
    const monitor = openMonitor(found.worlds, ping);
    return {
      kind: 'target',
      endpoints: { ...found, database: database === null ? null : attachedDatabase(database) },
      settings: [],
      disturb: null,
      failure: monitor.failure,
      answered: monitor.answered,
      logs: new Map(),
      close: async () => monitor.stop(),
    };
  } catch (error) {
    if (signal.aborted) throw interrupted('stopped while connecting to the targets');
    throw error;
  }
}

export const attachedDatabase = (attached: Attached): DatabaseEndpoint => ({
  ...{ host: '', port: 0, user: '', password: '', database: '', pid: null },
  attached,
});

const EVERY_MS = 2_000;
/** Consecutive refusals until a server counts as gone, so that a restart is tolerated. */
const REFUSALS = 2;

/** Rejects where the connection is refused (health.ts). */
type Ping = (world: Reachable, signal: AbortSignal) => Promise<unknown>;

/**
 * Monitors every server during a run. The load measures a server that is slow or answers with errors. A server whose
 * port is closed has ended, and there is nothing to measure any more.
 */
function openMonitor(worlds: readonly Reachable[], ping: Ping) {
  const ended = new AbortController();
  const refusals = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let answeredAt = Number.NEGATIVE_INFINITY;
  const failure = new Promise<StackFailure>((resolve) => {
    const check = async (world: Reachable): Promise<void> => {
      const { url } = world;
      const gone = await ping(world, ended.signal).then(() => false, isRefused);
      const count = gone ? (refusals.get(url) ?? 0) + 1 : 0;
      refusals.set(url, count);
      if (count < REFUSALS || ended.signal.aborted) return;
      resolve({
        component: url,
        message: 'connection refused: the target has ended during the run',
        hint: 'find out why it ended, start it again, and repeat the run',
      });
    };
    const round = async (): Promise<void> => {
      if (monotonic() - answeredAt > EVERY_MS * 1e3) await Promise.all(worlds.map(check));
      if (!ended.signal.aborted) timer = setTimeout(round, EVERY_MS).unref();
    };
    timer = setTimeout(round, EVERY_MS).unref();
  });
  return {
    /** Settles (never rejects) when one of the servers has ended. */
    failure,
    answered() {
      answeredAt = monotonic();
    },
    stop() {
      ended.abort();
      clearTimeout(timer);
    },
  };
}

const LIMIT_MS = 5_000;

/**
 * Attaches to servers of any kind, which only have to accept connections. Rejects with exit code 93 when one cannot be
 * reached, 105 when aborted.
 */
export const attachAny = (targets: readonly Target[], options: AttachOptions): Promise<Stack> =>
  targetStack(findAll(targets, options), listens, options);

/** The endpoints of servers of any kind. Rejects as `attachAny` does. */
export const findAll = async (targets: readonly Target[], { access = {}, signal }: AttachOptions) => ({
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

/** The result of `ask` at the first of a target's addresses where it succeeds. */
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
  // A bad answer at one address says more than a refusal at another.
  throw reasons.find((reason) => !isRefused(reason)) ?? reasons[0];
}

/** Resolves when the server accepts a connection. */
function listens({ url, address }: Reachable, signal: AbortSignal): Promise<void> {
  const at = new URL(url);
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect({
      host: address ?? hostOf(at),
      port: portOf(at),
    });
    const end = (then: () => void): void => {
      clearTimeout(timer);
      forget();
      socket.destroy();
      then();
    };
    // Node's own option `signal` would leave one more listener behind with every check.
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
        if (cause.kind === 'refused') reject(stackFailed(`connection refused at ${url}`, hint, error));
        else reject(stackFailed(`${url} cannot be reached: ${cause.what}`, cause.hint ?? hint, error));
      }),
    );
  });
}
