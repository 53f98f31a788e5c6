import type { Changes } from './changes.ts';
import type { DeferredReplies } from './deferred-replies.ts';
import { type Entities, viewOf } from './entities.ts';
import { argumentOf, KIND, kindOf, MAX_WORDS, MOVES } from './intent.ts';
import type { Metrics } from './metrics.ts';
import type { OperationQueue } from './operation-queue.ts';
import { DIRECTIONS, NOWHERE, type Places } from './places.ts';
import type { Posts } from './posts.ts';
import type { Uncommitted } from './uncommitted.ts';

const DAMAGE = 10;
const MAX_QUOTED = 60;

/** The result of an operation: accepted, or the reason for its rejection. */
const ACCEPTED = 0;
const NO_EXIT = 1;
const NOT_HERE = 2;
const SELF_ATTACK = 3;
const UNKNOWN = 4;
const TOO_LONG = 5;
type Result = 0 | 1 | 2 | 3 | 4 | 5;

/** The parts of a world. */
export interface WorldParts {
  readonly queue: OperationQueue;
  readonly entities: Entities;
  readonly places: Places;
  readonly changes: Changes;
  readonly replies: DeferredReplies;
  readonly posts: Posts;
  readonly uncommitted: Uncommitted;
  readonly metrics: Metrics;
}

/** The rules of the game: validates operations in the order of arrival, and applies them to the entities in memory. HOT. */
export function openGame(world: WorldParts): (count: number) => void {
  const { queue, entities, places, changes, replies, posts, uncommitted, metrics } = world;

  function applyCommand(slot: number): void {
    const actor = queue.actor[slot]!;
    const command = queue.command[slot]!;
    const isNew = take(actor, queue.seq[slot]!);
    const accepted = isNew && perform(actor, command) === ACCEPTED;
    if (!accepted) metrics.rejected++;
    posts.settle(queue.origin[slot]!, accepted);
  }

  function applyIntent(slot: number): void {
    const actor = queue.actor[slot]!;
    const command = queue.command[slot]!;
    const seq = queue.seq[slot]!;
    const kind = kindOf(command);
    const quoted = kind === KIND.say || kind === KIND.unknown ? queue.takeQuoted(slot) : '';
    const from = entities.place[actor]!;
    let ack: string;
    if (!take(actor, seq)) {
      ack = refused(seq, 'sequence already used');
    } else {
      const result = perform(actor, command);
      if (result === ACCEPTED) {
        announce(actor, command, from, quoted);
        ack =
          kind < MOVES || kind === KIND.look
            ? `{"seq":${seq},"ok":true,${viewOf(entities, places, actor)}}`
            : `{"seq":${seq},"ok":true}`;
      } else {
        ack = refused(seq, whyNot(result, command, quoted));
      }
    }
    uncommitted.applied(actor);
    replies.ack(actor, queue.origin[slot]!, ack);
  }

  /** False for a sequence number that was used before: such an operation is neither applied nor recorded. */
  function take(actor: number, seq: number): boolean {
    if (seq <= entities.lastSeq[actor]!) return false;
    entities.lastSeq[actor] = seq;
    // Recorded even if the rules then reject the operation: its number is used up.
    changes.record(actor, seq);
    return true;
  }

  function perform(actor: number, command: number): Result {
    const kind = kindOf(command);
    if (kind < MOVES) {
      const to = places.neighbour(entities.place[actor]!, kind);
      if (to === NOWHERE) return NO_EXIT;
      entities.move(actor, to);
      return ACCEPTED;
    }
    if (kind === KIND.attack) {
      const target = entities.indexOf(argumentOf(command));
      if (target === actor) return SELF_ATTACK;
      if (target === -1 || entities.place[target] !== entities.place[actor]) return NOT_HERE;
      // Added, so that the damage does not depend on the order of the attacks.
      entities.damage[target]! += DAMAGE;
      changes.touch(target);
      return ACCEPTED;
    }
    if (kind === KIND.unknown) return UNKNOWN;
    return kind === KIND.tooLong ? TOO_LONG : ACCEPTED;
  }

  /** Sends what a player did to the players present; the entities have already moved. */
  function announce(actor: number, command: number, from: number, words: string): void {
    const id = entities.idOf(actor);
    const here = entities.place[actor]!;
    const kind = kindOf(command);
    if (kind < MOVES) {
      replies.broadcast(from, actor, `{"actor":${id},"did":"left","to":"${DIRECTIONS[kind]}"}`);
      replies.broadcast(here, actor, `{"actor":${id},"did":"arrived"}`);
    } else if (kind === KIND.attack) {
      replies.broadcast(here, actor, `{"actor":${id},"did":"attacked","target":${argumentOf(command)}}`);
    } else if (kind === KIND.say) {
      replies.broadcast(here, actor, `{"actor":${id},"did":"said","words":${JSON.stringify(words)}}`);
    }
  }

  function refused(seq: number, why: string): string {
    metrics.rejected++;
    return `{"seq":${seq},"ok":false,"why":${JSON.stringify(why)}}`;
  }

  /** Applies the `count` oldest operations; changes and replies are collected, and sent after the commit. */
  return function apply(count: number): void {
    const { players } = entities;
    changes.clear();
    for (let i = 0; i < count; i++) {
      const slot = queue.slot(i);
      if (queue.actor[slot]! < players) applyIntent(slot);
      else applyCommand(slot);
    }
    metrics.operations += count;
  };
}

function whyNot(result: Exclude<Result, typeof ACCEPTED>, command: number, quoted: string): string {
  switch (result) {
    case NO_EXIT:
      return `there is no exit to the ${DIRECTIONS[kindOf(command)]}`;
    case NOT_HERE:
      return `${argumentOf(command)} is not here`;
    case SELF_ATTACK:
      return 'you cannot attack yourself';
    case UNKNOWN:
      return `I do not understand "${quoted.trim().slice(0, MAX_QUOTED)}"`;
    case TOO_LONG:
      return `the words are too long: at most ${MAX_WORDS} characters`;
  }
}
