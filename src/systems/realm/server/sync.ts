import { setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf } from '../../../errors.ts';
import { lastOf, united } from '../../../number-ranges.ts';
import { unlessAborted } from '../../../supervision/time-limit.ts';
import { type EventFilter, RelayAway } from '../relay-connection.ts';
import { faultOf, type SignedEvent, type SigningKey, signEvent, tagOf } from '../signed-event.ts';
import { AGENT_KIND, agentDraft, agentOf, type StoredAgent } from '../stored-agent.ts';
import { Agent } from './agent.ts';
import type { RelayLink } from './relay-link.ts';
import { every } from './steady-timer.ts';

interface SyncPlan {
  /** Milliseconds. */
  readonly interval: number;
  /** False: agents count as saved without the relay. */
  readonly isPublished: boolean;
  readonly link: RelayLink;
  readonly key: SigningKey;
  /** Public keys of the worlds whose agents may come into this one. */
  readonly authors: readonly string[];
  agents(): Iterable<Agent>;
  /** The relay has more of this agent. */
  saved(agent: Agent): void;
  log(sentence: string): void;
}

/** One agent of a batch. */
interface Entry {
  readonly agent: Agent;
  readonly event: SignedEvent;
  /** The state that the event has. */
  readonly state: StoredAgent;
}

/**
 * Brings the agents to the relay: every interval one batch with an event for each that changed. A batch ends when the relay has
 * all of its events, however long it is away, so that what waits is at most one event for each agent.
 */
export class Sync {
  readonly #plan: SyncPlan;
  readonly #ending = new AbortController();
  #stop: () => void = () => undefined;
  #underWay: Promise<void> | null = null;
  /** The batch under way takes longer than an interval: the next one begins with its end. */
  #isDue = false;
  readonly counts = {
    /** Batches that the relay has. */
    syncs: 0,
    /** Attempts at a batch that did not bring all of it there. */
    failures: 0,
    signed: 0,
    /** On the world's thread, seconds. */
    busy: 0,
    /** From the beginning of batches to the signature of their last event, seconds. */
    signing: 0,
  };

  constructor(plan: SyncPlan) {
    this.#plan = plan;
  }

  /** The agents of an earlier process. It asks until the relay answers; null: it was closed before that. */
  async recovered(): Promise<readonly Agent[] | null> {
    const events = await this.#found([this.#plan.key.pubkey]);
    return (
      events?.flatMap((event) => {
        const kept = agentOf(event);
        return kept === null ? [] : [Agent.restored(...kept, event.created_at)];
      }) ?? null
    );
  }

  /**
   * The state of an agent that has come farthest, in whichever world that was; undefined where the relay has none. It asks as
   * `recovered` does.
   */
  async farthest(id: number): Promise<StoredAgent | null | undefined> {
    const events = await this.#found(this.#plan.authors, { '#d': [String(id)] });
    if (events === null) return null;
    return events
      .flatMap((event) => agentOf(event)?.[1] ?? [])
      .toSorted((one, other) => lastOf(other.numbers) - lastOf(one.numbers))[0];
  }

  async #found(authors: readonly string[], more: EventFilter = {}): Promise<readonly SignedEvent[] | null> {
    const { link, log } = this.#plan;
    for (;;) {
      try {
        const relay = await link.connection(this.#ending.signal);
        const events = await relay.request({ kinds: [AGENT_KIND], authors, ...more });
        return events.filter((event) => this.#isSigned(event, authors));
      } catch (error) {
        if (this.#ending.signal.aborted) return null;
        if (!(error instanceof RelayAway)) throw error;
        log(`The relay cannot be asked for agents yet: ${messageOf(error)}`);
      }
    }
  }

  /** A relay is not to be believed: whatever was changed there, or is of somebody else, is no agent. */
  #isSigned(event: SignedEvent, authors: readonly string[]): boolean {
    const fault = faultOf(event, authors);
    if (fault !== null)
      this.#plan.log(`The relay's event of agent ${tagOf(event, 'd')} is left out: ${fault}`);
    return fault === null;
  }

  begin(): void {
    this.#stop = every(this.#plan.interval, () => this.soon());
  }

  /** A batch now, or after the one that is under way. */
  soon(): void {
    this.#isDue = this.#underWay !== null;
    void this.now();
  }

  /** A batch, unless one is under way: then that one. */
  now(): Promise<void> {
    this.#underWay ??= this.#batch().finally(() => {
      this.#underWay = null;
      if (this.#isDue) void this.now();
      this.#isDue = false;
    });
    return this.#underWay;
  }

  /** What has not been brought to the relay within so many milliseconds stays unsaved. */
  async close(limit: number): Promise<void> {
    this.#stop();
    const { signal } = this.#ending;
    const late = setTimeout(() => this.#ending.abort(), limit);
    // One that is under way may have begun before the last command.
    await unlessAborted(
      this.now().then(() => this.now()),
      signal,
    ).catch(() => undefined);
    clearTimeout(late);
    this.#ending.abort();
  }

  async #batch(): Promise<void> {
    const began = performance.now();
    const unsaved = [...this.#plan.agents()].filter(({ isUnsaved }) => isUnsaved);
    if (unsaved.length === 0) return;
    if (!this.#plan.isPublished) {
      for (const agent of unsaved) this.#saved(agent, agent.state);
      return;
    }
    try {
      const entries = await this.#signed(unsaved);
      await this.#publish(entries);
      this.counts.syncs += 1;
      const millis = Math.round(performance.now() - began);
      this.#plan.log(`synced ${entries.length} agents to the relay in ${millis} ms`);
    } catch (error) {
      if (!this.#ending.signal.aborted) this.#plan.log(`A sync failed: ${messageOf(error)}`);
    }
  }

  /** Between two events the world has its thread back: a signature takes milliseconds. */
  async #signed(agents: readonly Agent[]): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    const began = performance.now();
    for (const agent of agents) {
      const { state } = agent;
      entries.push(
        this.#timed(() => {
          // Replaceable events are told apart by the second only.
          const at = Math.max(Math.floor(Date.now() / 1_000), agent.savedAt + 1);
          agent.savedAt = at;
          const event = signEvent(this.#plan.key, agentDraft(agent.id, at, state));
          this.counts.signed += 1;
          return { agent, event, state };
        }),
      );
      await nextTurn();
    }
    this.counts.signing += (performance.now() - began) / 1_000;
    return entries;
  }

  /** Until the relay has them all, or has refused some. */
  async #publish(entries: readonly Entry[]): Promise<void> {
    let rest = entries;
    while (rest.length > 0) {
      const relay = await this.#plan.link.connection(this.#ending.signal);
      const outcomes = await Promise.all(
        rest.map(async ({ agent, event, state }) => {
          try {
            await this.#timed(() => relay.publish(event));
            this.#timed(() => this.#saved(agent, state));
            return 'saved';
          } catch (error) {
            if (error instanceof RelayAway) return 'away';
            // The next batch has the agent again, with a later event.
            this.#plan.log(`The relay refuses agent ${agent.id}: ${messageOf(error)}`);
            return 'refused';
          }
        }),
      );
      rest = rest.filter((_, i) => outcomes[i] === 'away');
      if (outcomes.some((one) => one !== 'saved')) this.counts.failures += 1;
    }
  }

  #saved(agent: Agent, state: StoredAgent): void {
    agent.saved = united(agent.saved, state.numbers);
    if (agent.state === state) agent.isUnsaved = false;
    this.#plan.saved(agent);
  }

  #timed<T>(work: () => T): T {
    const began = performance.now();
    try {
      return work();
    } finally {
      this.counts.busy += (performance.now() - began) / 1_000;
    }
  }
}
