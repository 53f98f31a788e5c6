import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Why a request is not served: its HTTP status, and the reason in words. */
export interface Refusal {
  readonly status: number;
  readonly why: string;
}

export const isRefusal = (value: object): value is Refusal => 'why' in value;

/** Checks a request that changes something: null when its token is right, else the refusal. */
export type TokenCheck = (request: IncomingMessage) => Refusal | null;

const REFUSED: Refusal = { status: 401, why: 'the token of the run is missing or wrong' };

/** Accepts requests with `authorization: Bearer <token>`, or all requests when the token is empty. Compares in constant time. */
export function openTokenCheck(token: string): TokenCheck {
  if (token === '') return () => null;
  const expected = Buffer.from(`Bearer ${token}`);
  return ({ headers }) => {
    const given = Buffer.from(headers.authorization ?? '');
    return given.length === expected.length && timingSafeEqual(given, expected) ? null : REFUSED;
  };
}
