import type { UpMessages } from '../wire.ts';

/** What a player sent, after its shape was checked; null where it is wrong. */

/** Numbers of operations (sequence-hash.ts). */
const MOST_SEQ = 2 ** 31 - 1;

export function readInput(message: unknown): UpMessages['input'] | null {
  const { seq, x, z } = fieldsOf(message);
  return isSeq(seq) && isStep(x) && isStep(z) ? { seq, x, z } : null;
}

export function readTrade(message: unknown): UpMessages['trade'] | null {
  const { seq, to, item } = fieldsOf(message);
  return isSeq(seq) && isWhole(to) && isWhole(item) ? { seq, to, item } : null;
}

export function readZone(message: unknown): UpMessages['zone'] | null {
  const { seq, to } = fieldsOf(message);
  return isSeq(seq) && isWhole(to) ? { seq, to } : null;
}

/** Of a message that is wrong otherwise; null where it has none. */
export function seqOf(message: unknown): number | null {
  const { seq } = fieldsOf(message);
  return isSeq(seq) ? seq : null;
}

export function readJoin(options: unknown): { readonly player: number; readonly token: string } | null {
  const { player, token } = fieldsOf(options);
  return isWhole(player) && typeof token === 'string' ? { player, token } : null;
}

/** Of a request for a seat; whatever it has there. */
export const zoneIn = (options: unknown): unknown => fieldsOf(options).zone;

const fieldsOf = (message: unknown): Readonly<Record<string, unknown>> =>
  typeof message === 'object' && message !== null ? (message as Record<string, unknown>) : {};
export const isWhole = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;
const isSeq = (value: unknown): value is number => isWhole(value) && value >= 1 && value <= MOST_SEQ;
const isStep = (value: unknown): value is number => typeof value === 'number' && value >= -1 && value <= 1;
