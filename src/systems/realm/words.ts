import { mulberry32, streamSeed } from '../../rng.ts';
import { EMOTES, type Emote } from './wire.ts';

/** What agents say and show: it follows from who says it and the number, so that everybody who hears it can check it. */

/** The key of what an agent said with this number, which nothing else that is said has. */
export const sayingOf = (agent: number, number: number): string => `${agent}:${number}`;

const LINES = [
  'Peace to whoever walks here.',
  'The relay was quiet this morning.',
  'Has anybody seen the gate?',
  'I am going north, and then home.',
  'It is a fine day for a long walk over the plain, and for company.',
];

const drawOf = (agent: number, number: number): number => mulberry32(streamSeed(agent, number));

/** The text of a chat, which ends with its key. */
export function lineOf(agent: number, number: number): string {
  const line = LINES[Math.floor(drawOf(agent, number) * LINES.length)] ?? '';
  return `${line} ${sayingOf(agent, number)}`;
}

export const emoteOf = (agent: number, number: number): Emote =>
  EMOTES[Math.floor(drawOf(agent, number) * EMOTES.length)] ?? 'wave';
