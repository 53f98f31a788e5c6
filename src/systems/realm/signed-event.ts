import { createHash } from 'node:crypto';
import { schnorr } from '@noble/curves/secp256k1.js';

/** Events as relays keep them: NIP-01 of Nostr, https://github.com/nostr-protocol/nips/blob/master/01.md. */

/** What an author says, before it is signed. */
export interface EventDraft {
  /** Seconds since 1970. Of two replaceable events the later one counts. */
  readonly created_at: number;
  readonly kind: number;
  readonly tags: readonly (readonly string[])[];
  readonly content: string;
}

export interface SignedEvent extends EventDraft {
  /** The SHA-256 of all but itself and the signature, in hex. */
  readonly id: string;
  /** The author, in hex. */
  readonly pubkey: string;
  /** A Schnorr signature of the id over secp256k1 (BIP 340), in hex. */
  readonly sig: string;
}

export interface SigningKey {
  readonly secret: Uint8Array;
  /** In hex. */
  readonly pubkey: string;
}

/** The key of one world of a run. It is the same after a restart, and another one in another run. */
export function worldKey(token: string, instance: number): SigningKey {
  // No key of the curve with a probability of 2^-128.
  const secret = createHash('sha256').update(`capbench realm world ${instance} ${token}`).digest();
  return { secret, pubkey: hexOf(schnorr.getPublicKey(secret)) };
}

/** The public keys of a run's worlds. */
export const authorsOf = (token: string, worlds: number): readonly string[] =>
  Array.from({ length: worlds }, (_, i) => worldKey(token, i + 1).pubkey);

/** 2 to 3 milliseconds of CPU time. */
export function signEvent({ secret, pubkey }: SigningKey, draft: EventDraft): SignedEvent {
  const hash = hashOf(pubkey, draft);
  return { ...draft, pubkey, id: hash.toString('hex'), sig: hexOf(schnorr.sign(hash, secret)) };
}

/** Whether something that was received has the form of an event; its hash and signature may be wrong. */
export function isEvent(value: unknown): value is SignedEvent {
  if (typeof value !== 'object' || value === null) return false;
  const { id, pubkey, sig, created_at, kind, tags, content } = value as Record<string, unknown>;
  return (
    isHex(id, 64) &&
    isHex(pubkey, 64) &&
    isHex(sig, 128) &&
    [created_at, kind].every((number) => Number.isSafeInteger(number) && Number(number) >= 0) &&
    typeof content === 'string' &&
    Array.isArray(tags) &&
    tags.every((tag) => Array.isArray(tag) && tag.every((text) => typeof text === 'string'))
  );
}

/** What is wrong with an event, in words; null for one that its author has signed, who is one of `authors` where they are given. */
export function faultOf(event: SignedEvent, authors?: readonly string[]): string | null {
  const { id, pubkey, sig } = event;
  if (authors?.includes(pubkey) === false) return 'its author is none of the worlds';
  const hash = hashOf(pubkey, event);
  if (hash.toString('hex') !== id) return 'the id is not the hash of the event';
  const isSigned = schnorr.verify(Buffer.from(sig, 'hex'), hash, Buffer.from(pubkey, 'hex'));
  return isSigned ? null : 'the signature is not of the author';
}

/** The value of the first tag with this name. */
export const tagOf = ({ tags }: EventDraft, name: string): string | undefined =>
  tags.find(([key]) => key === name)?.[1];

const hashOf = (pubkey: string, { created_at, kind, tags, content }: EventDraft): Buffer =>
  createHash('sha256')
    .update(JSON.stringify([0, pubkey, created_at, kind, tags, content]))
    .digest();

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const isHex = (value: unknown, length: number): boolean =>
  typeof value === 'string' && value.length === length && /^[0-9a-f]*$/.test(value);
