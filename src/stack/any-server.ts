import { connect, isIP } from 'node:net';
import type { Access, Reachable } from '../address/access.ts';
import { causeOfError } from '../address/connection-cause.ts';
import type { Target } from '../address/target-address.ts';
import { stackFailed } from '../errors.ts';
import { onAbort } from '../supervision/time-limit.ts';
import { isNobodyThere } from './health.ts';
import type { Stack, WorldEndpoint } from './stack.ts';
import { type AttachOptions, targetStack } from './target-stack.ts';

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
        if (cause.kind === 'nobody') reject(stackFailed(`nobody listens at ${url}`, hint, error));
        else reject(stackFailed(`${url} cannot be reached: ${cause.what}`, cause.hint ?? hint, error));
      }),
    );
  });
}
