import type { HashedNumbers } from '../../hashed-numbers.ts';
import { isNumberRanges } from '../../number-ranges.ts';
import type { Spot } from './area.ts';
import { type EventDraft, tagOf } from './signed-event.ts';

/** The kind of events that keep an agent: addressed by author and `d` tag, the newest counts (NIP-78). */
export const AGENT_KIND = 30_078;

/** What a relay keeps of an agent. */
export interface StoredAgent extends HashedNumbers, Spot {
  /** The number of the move that brought it there; 0: it stands where it began. */
  readonly moved: number;
  /** Chats that it has said. */
  readonly chats: number;
}

export const agentDraft = (agent: number, created_at: number, stored: StoredAgent): EventDraft => ({
  ...{ created_at, kind: AGENT_KIND, tags: [['d', String(agent)]] },
  content: JSON.stringify(stored),
});

/** The agent that an event keeps, and its number; null for an event of something else. */
export function agentOf(event: EventDraft): readonly [agent: number, stored: StoredAgent] | null {
  const agent = tagOf(event, 'd') ?? '';
  if (event.kind !== AGENT_KIND || !/^\d{1,9}$/.test(agent)) return null;
  try {
    const stored: unknown = JSON.parse(event.content);
    return isStoredAgent(stored) ? [Number(agent), stored] : null;
  } catch {
    return null;
  }
}

/** Whether something that was read is an agent. */
export function isStoredAgent(value: unknown): value is StoredAgent {
  if (typeof value !== 'object' || value === null) return false;
  const { numbers, seqHash, x, z, moved, chats } = value as Record<string, unknown>;
  return (
    isNumberRanges(numbers) &&
    [x, z].every((coordinate) => typeof coordinate === 'number') &&
    [seqHash, moved, chats].every((number) => Number.isSafeInteger(number) && Number(number) >= 0)
  );
}
