import { unitedNumbers, withNumber } from '../../../hashed-numbers.ts';
import { contains, hasNumber, NO_NUMBERS, type NumberRanges, united } from '../../../number-ranges.ts';
import { startOf } from '../area.ts';
import type { StoredAgent } from '../stored-agent.ts';
import type { Client } from './client.ts';

/** An agent, which the world keeps whether it is connected or not. */
export class Agent {
  readonly id: number;
  #state: StoredAgent;
  /** What the relay is known to have. */
  saved: NumberRanges = NO_NUMBERS;
  /** The time of its last event in the relay, seconds since 1970. */
  savedAt = 0;
  /** The relay does not have its state. */
  isUnsaved = false;
  /** Null: it is not in the world now. */
  client: Client | null = null;
  /** The result of what it thought last. */
  thought = 0;

  constructor(id: number) {
    this.id = id;
    this.#state = { ...startOf(id), numbers: NO_NUMBERS, seqHash: 0, moved: 0, chats: 0 };
  }

  static restored(id: number, state: StoredAgent, savedAt: number): Agent {
    const agent = new Agent(id);
    agent.#state = state;
    agent.saved = state.numbers;
    agent.savedAt = savedAt;
    return agent;
  }

  /** It has come farther in another world: what this one had of it as well is kept, and still has to be saved. */
  goOnFrom(elsewhere: StoredAgent): void {
    const both = unitedNumbers(elsewhere, this.#state);
    this.#state = { ...elsewhere, ...both };
    this.saved = united(this.saved, elsewhere.numbers);
    this.isUnsaved = !contains(this.saved, both.numbers);
  }

  get state(): StoredAgent {
    return this.#state;
  }
  get x(): number {
    return this.#state.x;
  }
  get z(): number {
    return this.#state.z;
  }

  has(number: number): boolean {
    return hasNumber(this.#state.numbers, number);
  }

  /** The command with this number is taken, and changes this: nothing where it is refused. */
  apply(number: number, change: Partial<StoredAgent>): void {
    this.#state = { ...this.#state, ...withNumber(this.#state, number), ...change };
    this.isUnsaved = true;
  }
}
