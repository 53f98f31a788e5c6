import { type Cause, causeOfRefusals } from '../../address/connection-cause.ts';
import { type CapbenchError, stackFailed } from '../../errors.ts';

/** To a worker that threw. */
export const BROKEN_HINT = 'This is a bug in capbench: please report it with the bundle.';

/** Where nobody says why. */
export const CONNECT_HINT =
  'See whether the world servers still run (their logs are in the bundle); a lower --scale, or fewer connects a second (load.connectsPerSecond), is kinder to them.';

/** Of the players that connect: how many did, could not, and why the first of them could not. */
export interface Progress {
  connected: number;
  failed: number;
  refusal: Cause | null;
}

const withCause = (what: string, refusal: Cause | null): CapbenchError =>
  refusal === null
    ? stackFailed(what, CONNECT_HINT)
    : stackFailed(`${what}: ${refusal.what}`, refusal.hint ?? CONNECT_HINT);

/** More players could not connect than are tolerated. */
export const cannotConnect = (players: number, { connected, failed, refusal }: Progress): CapbenchError =>
  withCause(
    `${failed} of ${players} players could not connect`,
    refusal && causeOfRefusals(refusal, connected),
  );

/** It takes too long. */
export const notConnected = (
  players: number,
  limitMs: number,
  { connected, refusal }: Progress,
): CapbenchError =>
  withCause(
    `${players - connected} of ${players} players are not connected after ${Math.round(limitMs / 1e3)} s`,
    refusal,
  );
