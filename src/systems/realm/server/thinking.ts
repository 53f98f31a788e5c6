import { isInSight } from '../area.ts';
import type { Agent } from './agent.ts';
import { every } from './steady-timer.ts';

interface ThinkingPlan {
  /** Milliseconds between two thoughts of an agent. */
  readonly interval: number;
  /** CPU time of a thought, microseconds. */
  readonly work: number;
  /** Whom it thinks about. */
  present(): Iterable<Agent>;
}

/** The golden ratio's part after the point: its multiples are spread evenly over an interval. */
const SPREAD = 0.618_033_988_75;

/** The thoughts of agents, on the world's only thread. */
export class Thinking {
  readonly #plan: ThinkingPlan;
  thoughts = 0;
  seconds = 0;

  constructor(plan: ThinkingPlan) {
    this.#plan = plan;
  }

  /** The agent thinks once in each interval, at a time of its own. Returns a function that ends it. */
  begin(agent: Agent): () => void {
    const { interval } = this.#plan;
    const phase = ((agent.id * SPREAD) % 1) * interval;
    const first = (phase - (performance.now() % interval) + interval) % interval;
    return every(interval, () => this.#think(agent), first);
  }

  /**
   * The document says how often agents think and what share of a core that takes, and not what they do. Here a thought is whom the
   * agent sees, asked again until the time is over.
   */
  #think(agent: Agent): void {
    const began = performance.now();
    const until = began + this.#plan.work / 1_000;
    let seen = 0;
    while (performance.now() < until) {
      for (const other of this.#plan.present()) if (isInSight(agent, other)) seen += 1;
    }
    agent.thought = seen;
    this.thoughts += 1;
    this.seconds += (performance.now() - began) / 1_000;
  }
}
