import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** A request that is not served: its HTTP status, and why in words. */
export interface Refusal {
  readonly status: number;
  readonly why: string;
}

export const isRefusal = (value: object): value is Refusal => 'why' in value;

/** Why a request that changes something is not taken; null where it may come in. */
export type Door = (request: IncomingMessage) => Refusal | null;

const REFUSED: Refusal = { status: 401, why: 'the token of the run is missing, or another one' };

/** Lets in who sends `authorization: Bearer <token>`; everybody where there is no token. Compared in constant time. */
export function openDoor(token: string): Door {
  if (token === '') return () => null;
  const expected = Buffer.from(`Bearer ${token}`);
  return ({ headers }) => {
    const given = Buffer.from(headers.authorization ?? '');
    return given.length === expected.length && timingSafeEqual(given, expected) ? null : REFUSED;
  };
}
