import type { DownMessages, DownType, UpMessages } from '../wire.ts';
import type { Character } from './character.ts';
import type { Client } from './colyseus.ts';

/** A player in a zone. */
export interface Member {
  readonly player: number;
  readonly zone: number;
  /** Of its session. */
  readonly token: string;
  readonly client: Client;
  readonly character: Character;
  /** Inputs that the next tick applies, in order of arrival. */
  inputs: UpMessages['input'][];
  /** Messages that wait until the player is welcome; null from then on. */
  held: (() => void)[] | null;
}

export function send<Type extends DownType>(member: Member, type: Type, message: DownMessages[Type]): void {
  if (member.held === null) member.client.send(type, message);
  else member.held.push(() => member.client.send(type, message));
}

/** Sends the first message, and what had to wait for it. */
export function welcome(member: Member, message: DownMessages['welcome']): void {
  const { held, client } = member;
  member.held = null;
  client.send('welcome', message);
  for (const sendIt of held ?? []) sendIt();
}
