import type { Changes } from './changes.ts';
import { type Entities, viewOf } from './entities.ts';
import { argumentOf, KIND, kindOf, MAX_WORDS, MOVES } from './intent.ts';
import type { Metrics } from './metrics.ts';
import type { OperationQueue } from './operation-queue.ts';
import type { Outbox } from './outbox.ts';
import { DIRECTIONS, NOWHERE, type Places } from './places.ts';
import type { Posts } from './posts.ts';
import type { Unsettled } from './unsettled.ts';

const DAMAGE = 10;
const MAX_QUOTED = 60;

/** Why an operation was rejected; ACCEPTED when it was not. */
const ACCEPTED = 0;
const NO_EXIT = 1;
const NOT_HERE = 2;
const ONESELF = 3;
const UNKNOWN = 4;
const SAID_TOO_MUCH = 5;
type Result =
  | typeof ACCEPTED
  | typeof NO_EXIT
  | typeof NOT_HERE
  | typeof ONESELF
  | typeof UNKNOWN
  | typeof SAID_TOO_MUCH;

/** The rules: validates operations in the order of their arrival and applies them to the entities in memory. */
export class Game {
  readonly #entities: Entities;
  readonly #places: Places;
  readonly #changes: Changes;
  readonly #outbox: Outbox;
  readonly #posts: Posts;
  readonly #unsettled: Unsettled;
  readonly #metrics: Metrics;

  constructor(world: {
    entities: Entities;
    places: Places;
    changes: Changes;
    outbox: Outbox;
    posts: Posts;
    unsettled: Unsettled;
    metrics: Metrics;
  }) {
    this.#entities = world.entities;
    this.#places = world.places;
    this.#changes = world.changes;
    this.#outbox = world.outbox;
    this.#posts = world.posts;
    this.#unsettled = world.unsettled;
    this.#metrics = world.metrics;
  }

  /** Applies the `count` oldest operations; what they change and whom they concern is gathered, not yet told. */
  apply(queue: OperationQueue, count: number): void {
    const { players } = this.#entities;
    this.#changes.clear();
    for (let i = 0; i < count; i++) {
      const slot = queue.slot(i);
      if (queue.actor[slot]! < players) this.#applyIntent(queue, slot);
      else this.#applyCommand(queue, slot);
    }
    this.#metrics.operations += count;
  }

  #applyCommand(queue: OperationQueue, slot: number): void {
    const actor = queue.actor[slot]!;
    const command = queue.command[slot]!;
    const isNew = this.#take(actor, queue.seq[slot]!);
    const accepted = isNew && this.#perform(actor, command) === ACCEPTED;
    if (!accepted) this.#metrics.rejected++;
    this.#posts.settle(queue.origin[slot]!, accepted);
  }

  #applyIntent(queue: OperationQueue, slot: number): void {
    const actor = queue.actor[slot]!;
    const command = queue.command[slot]!;
    const seq = queue.seq[slot]!;
    const kind = kindOf(command);
    const quoted = kind === KIND.say || kind === KIND.unknown ? queue.takeQuoted(slot) : '';
    const from = this.#entities.place[actor]!;
    let ack: string;
    if (!this.#take(actor, seq)) {
      ack = this.#refused(seq, 'sequence already used');
    } else {
      const result = this.#perform(actor, command);
      if (result === ACCEPTED) {
        this.#announce(actor, command, from, quoted);
        ack =
          kind < MOVES || kind === KIND.look
            ? `{"seq":${seq},"ok":true,${viewOf(this.#entities, this.#places, actor)}}`
            : `{"seq":${seq},"ok":true}`;
      } else {
        ack = this.#refused(seq, whyNot(result, command, quoted));
      }
    }
    this.#unsettled.applied(actor);
    this.#outbox.answer(actor, queue.origin[slot]!, ack);
  }

  /** False for a number that was used before: that operation is neither applied nor recorded. */
  #take(actor: number, seq: number): boolean {
    if (seq <= this.#entities.lastSeq[actor]!) return false;
    this.#entities.lastSeq[actor] = seq;
    // From here on the number is used up, also when the rules reject what it asks for.
    this.#changes.record(actor, seq);
    return true;
  }

  #perform(actor: number, command: number): Result {
    const entities = this.#entities;
    const kind = kindOf(command);
    if (kind < MOVES) {
      const to = this.#places.neighbour(entities.place[actor]!, kind);
      if (to === NOWHERE) return NO_EXIT;
      entities.move(actor, to);
      return ACCEPTED;
    }
    if (kind === KIND.attack) {
      const target = entities.indexOf(argumentOf(command));
      if (target === actor) return ONESELF;
      if (target === -1 || entities.place[target] !== entities.place[actor]) return NOT_HERE;
      // Added, never set: the damage does not depend on the order of the attackers.
      entities.damage[target]! += DAMAGE;
      this.#changes.touch(target);
      return ACCEPTED;
    }
    if (kind === KIND.unknown) return UNKNOWN;
    return kind === KIND.saidTooMuch ? SAID_TOO_MUCH : ACCEPTED;
  }

  /** Tells those present what a player did; the entities already stand where it led. */
  #announce(actor: number, command: number, from: number, words: string): void {
    const id = this.#entities.idOf(actor);
    const here = this.#entities.place[actor]!;
    const kind = kindOf(command);
    if (kind < MOVES) {
      this.#outbox.tell(from, actor, `{"actor":${id},"did":"left","to":"${DIRECTIONS[kind]}"}`);
      this.#outbox.tell(here, actor, `{"actor":${id},"did":"arrived"}`);
    } else if (kind === KIND.attack) {
      this.#outbox.tell(here, actor, `{"actor":${id},"did":"attacked","target":${argumentOf(command)}}`);
    } else if (kind === KIND.say) {
      this.#outbox.tell(here, actor, `{"actor":${id},"did":"said","words":${JSON.stringify(words)}}`);
    }
  }

  #refused(seq: number, why: string): string {
    this.#metrics.rejected++;
    return `{"seq":${seq},"ok":false,"why":${JSON.stringify(why)}}`;
  }
}

function whyNot(result: Exclude<Result, typeof ACCEPTED>, command: number, quoted: string): string {
  switch (result) {
    case NO_EXIT:
      return `there is no exit to the ${DIRECTIONS[kindOf(command)]}`;
    case NOT_HERE:
      return `${argumentOf(command)} is not here`;
    case ONESELF:
      return 'you cannot attack yourself';
    case UNKNOWN:
      return `I do not understand "${quoted.trim().slice(0, MAX_QUOTED)}"`;
    case SAID_TOO_MUCH:
      return `that is too much to say at once: at most ${MAX_WORDS} characters`;
  }
}
