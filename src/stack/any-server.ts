import { connect, isIP } from 'node:net';
import type { Access, Reachable } from '../address/access.ts';
import { causeOfError } from '../address/connection-cause.ts';
import type { Target } from '../address/target-address.ts';
import { stackFailed } from '../errors.ts';
import { onAbort } from '../supervision/time-limit.ts';
import { askHealth, isNobodyThere } from './health.ts';
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
  worlds: await Promise.all(targets.map((target) => find(target, access, signal))),
  unknown: true,
});

/** Whether any of them says of itself that it is a server of the flux world. */
export async function isFluxWorld(
  targets: readonly Target[],
  access: AttachOptions['access'],
  signal: AbortSignal,
): Promise<boolean> {
  const asked = targets.flatMap((target) =>
    endpointsOf(target, access).map((world) =>
      askHealth(world, signal).then(
        () => true,
        () => false,
      ),
    ),
  );
  return (await Promise.all(asked)).includes(true);
}

/** A name may have several addresses: the first that listens is taken. */
async function find(target: Target, access: Access, signal: AbortSignal): Promise<WorldEndpoint> {
  const reasons: unknown[] = [];
  for (const world of endpointsOf(target, access)) {
    try {
      await listens(world, signal);
      return { ...world, pid: null };
    } catch (error) {
      reasons.push(error);
    }
  }
  throw reasons.find((reason) => !isNobodyThere(reason)) ?? reasons[0];
}

const endpointsOf = ({ url, host, addresses }: Target, access: Access = {}): Reachable[] =>
  addresses.map((address) => ({ url, ...access, ...(isIP(host) === 0 ? { address } : {}) }));

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
