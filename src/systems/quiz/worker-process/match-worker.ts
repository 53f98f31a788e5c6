import { messageOf } from '../../../errors.ts';
import { RedisUnavailable } from '../../../server/redis-client.ts';
import {
  applyChange,
  type Change,
  checkChange,
  currentQuestion,
  isEnded,
  isStarted,
  type Match,
  openMatch,
  scoreOf,
  seatOf,
} from '../match.ts';
import { POINTS, pointsOf, questionOf } from '../questions.ts';
import { type Fields, fieldOf, matchIn } from '../stored-match.ts';
import { encode, type MatchView, type RequestFrame, type ServerFrame } from '../wire.ts';
import type { FromWorker, LoadedMatch, ToWorker } from '../worker-messages.ts';
import type { Acknowledge } from '../workload.ts';
import type { MatchStore } from './match-store.ts';

export interface MatchWorkerPlan {
  /** From 1. */
  readonly server: number;
  readonly questions: number;
  readonly acknowledge: Acknowledge;
  readonly store: MatchStore;
  send(message: FromWorker): void;
  log(sentence: string): void;
}

/** A worker's matches: what players ask for is written to the store, then done, then acknowledged. */
export interface MatchWorker {
  readonly matches: ReadonlyMap<number, Match>;
  /** Matches whose creation was not acknowledged, and which may be in the store. */
  readonly doomed: Set<Pick<Match, 'id' | 'code'>>;
  receive(message: Exclude<ToWorker, { readonly kind: 'close' }>): Promise<void>;
  /** Writes the matches again that Redis no longer has, and forgets those that another server has taken over. */
  compare(): Promise<void>;
  /** Times that Redis no longer had a match that is played. */
  evicted(): number;
  /** Writes what was acknowledged early. */
  flush(): Promise<void>;
}

type Request = Extract<ToWorker, { readonly kind: 'request' }>;
type Frames = (readonly [player: number, frame: ServerFrame])[];

const LOAD_AGAIN_MS = 100;
/** How much later an answer that was acknowledged early is written. */
const LATER_MS = 1_000;

export function openMatchWorker({ store, send, log, ...plan }: MatchWorkerPlan): MatchWorker {
  const matches = new Map<number, Match>();
  const doomed = new Set<Pick<Match, 'id' | 'code'>>();
  /** Acknowledged and not written yet; only with `acknowledge: early`. */
  let unwritten: { readonly id: number; readonly change: Change }[] = [];
  let isWritingLater = false;
  let evicted = 0;
  /** Redis refuses, and that was logged. */
  let isRefused = false;

  const did = (frames: Frames, more: Omit<Extract<FromWorker, { kind: 'did' }>, 'kind' | 'sends'> = {}) =>
    send({ kind: 'did', sends: frames.map(([player, frame]) => [player, encode(frame)]), ...more });

  const refuse = ({ player, frame: { id }, match }: Request, message: string, retry: boolean): void => {
    const frames: Frames = [[player, { event: 'error', id, data: { message, retry } }]];
    const own = matches.get(match.id);
    // Who asks for what is not possible has missed something.
    if (!retry && own !== undefined && seatOf(own, player) >= 0)
      frames.push([player, { event: 'match_reconnected', data: viewOf(own, player) }]);
    did(frames, { answers: { player, id, isOk: false } });
  };

  const toBoth = ({ seats }: Match, frame: ServerFrame): Frames => seats.map(({ player }) => [player, frame]);

  function ended(match: Match): void {
    const { id, quiz, questions, seats } = match;
    send({ kind: 'ended', match: { id, quiz, questions, seats, server: plan.server } });
  }

  async function create(request: Request, quiz: number): Promise<void> {
    const { player, frame, match: own } = request;
    const match =
      matches.get(own.id) ??
      openMatch({ ...own, quiz, questions: plan.questions }, { player, entry: frame.id });
    try {
      await store.create(match);
    } catch (error) {
      if (error instanceof RedisUnavailable && error.mayHaveRun) doomed.add(match);
      did([[player, { event: 'error', id: frame.id, data: { message: messageOf(error), retry: true } }]], {
        ...{ answers: { player, id: frame.id, isOk: false }, dropped: own.id },
      });
      return;
    }
    matches.set(match.id, match);
    const data = { matchId: match.id, joinCode: match.code };
    did([[player, { event: 'friend_match_created', id: frame.id, data }]], {
      ...{
        answers: { player, id: frame.id, isOk: true },
        created: { id: match.id, code: match.code, player },
      },
    });
  }

  async function change(request: Request, match: Match, wanted: Change): Promise<void> {
    const before = checkChange(match, wanted);
    if (typeof before === 'object') return refuse(request, before.refused, false);
    if (before === 'possible') {
      if (plan.acknowledge === 'early' && wanted.kind === 'answer') writeLater(match.id, wanted);
      else {
        try {
          const joiner = wanted.kind === 'join' ? wanted.player : undefined;
          const found = await store.write(match.id, fieldOf(wanted), joiner);
          if (found === 'elsewhere') {
            refuse(request, 'the match is played at another server', false);
            return moved(match);
          }
          if (found === 'nowhere') await writeAgain(match, fieldOf(wanted));
        } catch (error) {
          return refuse(request, messageOf(error), true);
        }
      }
    }
    // Another request may have changed the match meanwhile.
    const now = checkChange(match, wanted);
    if (typeof now === 'object') return refuse(request, now.refused, false);
    const question = currentQuestion(match);
    const wasStarted = isStarted(match);
    if (now === 'possible') applyChange(match, wanted);
    const { player, number: id } = wanted;
    const answers = { answers: { player, id, isOk: true } };
    const matchId = match.id;
    switch (wanted.kind) {
      case 'join': {
        const players = match.seats.map((seat) => seat.player);
        const list: ServerFrame = { event: 'player_list_updated', data: { matchId, players } };
        const frames: Frames = [[player, { event: 'match_joined', id, data: { matchId, players } }]];
        for (const one of players) if (one !== player) frames.push([one, list]);
        return did(frames, { ...answers, joined: { match: matchId, player } });
      }
      case 'ready': {
        const frames: Frames = [[player, { event: 'player_ready', id, data: { matchId } }]];
        if (!wasStarted && isStarted(match)) frames.push(...toBoth(match, asked(match, 'match_started')));
        return did(frames, answers);
      }
      case 'answer': {
        const points = pointsOf(match.quiz, wanted.question, wanted.choice);
        const totalScore = scoreOf(match, match.seats[seatOf(match, player)]!);
        const result = { isCorrect: points === POINTS, points, totalScore };
        const frames: Frames = [[player, { event: 'answer_result', id, data: result }]];
        const isNext = currentQuestion(match) > question;
        if (isNext && !isEnded(match)) frames.push(...toBoth(match, asked(match, 'next_question')));
        did(frames, answers);
        if (isNext && isEnded(match)) ended(match);
        return;
      }
    }
  }

  /** Redis has evicted the match: writes all that is known of it, and what is to be acknowledged. */
  function writeAgain(match: Match, fields: Fields = {}): Promise<void> {
    evicted += 1;
    return store.rewrite([match], undefined, fields);
  }

  function moved({ id }: Match): void {
    unwritten = unwritten.filter((one) => one.id !== id);
    if (matches.delete(id)) send({ kind: 'moved', id });
  }

  async function compare(): Promise<void> {
    const own = [...matches.values()];
    try {
      const whereabouts = await store.whereabouts(own.map(({ id }) => id));
      for (const [i, match] of own.entries()) {
        // It may have ended meanwhile.
        if (matches.get(match.id) !== match) continue;
        if (whereabouts[i] === 'elsewhere') moved(match);
        else if (whereabouts[i] === 'nowhere') await writeAgain(match);
      }
      isRefused = false;
    } catch (error) {
      // Without Redis there is nothing to compare with. What it refuses, as it is full, is tried again.
      if (error instanceof RedisUnavailable || isRefused) return;
      isRefused = true;
      log(`Matches cannot be written again: ${messageOf(error)}`);
    }
  }

  async function take(id: number): Promise<void> {
    const match =
      matches.get(id) ??
      (await store.take(id).then(
        (fields) => matchIn(id, fields),
        () => null,
      ));
    if (match !== null) matches.set(id, match);
    send({ kind: 'taken', id, match: match === null ? null : loadedOf(match) });
    if (match !== null && isEnded(match)) ended(match);
  }

  const asked = (match: Match, event: 'match_started' | 'next_question'): ServerFrame => {
    const questionIndex = currentQuestion(match);
    return {
      event,
      data: {
        ...{ matchId: match.id, questionIndex, totalQuestions: match.questions },
        question: questionOf(match.quiz, questionIndex),
      },
    };
  };

  function writeLater(id: number, wanted: Change): void {
    unwritten.push({ id, change: wanted });
    if (!isWritingLater) setTimeout(() => void flush(), LATER_MS);
    isWritingLater = true;
  }

  async function flush(): Promise<void> {
    isWritingLater = false;
    const now = unwritten;
    unwritten = [];
    const written = await Promise.allSettled(now.map(({ id, change: one }) => store.write(id, fieldOf(one))));
    const failed = written.filter(({ status }) => status === 'rejected').length;
    if (failed > 0) log(`${failed} acknowledged answers could not be written`);
  }

  function request(message: Request): Promise<void> {
    const { player, frame, match: own } = message;
    const number = frame.id;
    if (frame.event === 'create_friend_match') return create(message, frame.data.quiz);
    const match = matches.get(own.id);
    if (match === undefined) return Promise.resolve(refuse(message, 'there is no such match', false));
    return change(message, match, changeOf(frame, player, number));
  }

  async function recover(ids: readonly number[]): Promise<void> {
    for (;;) {
      try {
        const loaded = await store.load(ids);
        const found = ids.flatMap((id, i) => matchIn(id, loaded[i] ?? {}) ?? []);
        const lost = ids.length - found.length;
        evicted += lost;
        if (lost > 0) log(`${lost} of ${ids.length} matches are not in Redis as a whole, and are given up`);
        // While this server was away its players may have begun another match at another one.
        const left = await Promise.all(found.map((match) => store.left(match)));
        const rest = found.filter((_, i) => left[i]?.length === 0);
        await Promise.all(found.flatMap((match) => (rest.includes(match) ? [] : [store.leave(match.id)])));
        for (const match of rest) matches.set(match.id, match);
        send({ kind: 'ready', matches: rest.map(loadedOf) });
        for (const match of rest) if (isEnded(match)) ended(match);
        return;
      } catch (error) {
        log(`The matches cannot be read: ${messageOf(error)}`);
        await new Promise((resolve) => setTimeout(resolve, LOAD_AGAIN_MS));
      }
    }
  }

  async function forget(id: number): Promise<void> {
    const match = matches.get(id);
    if (match === undefined) return;
    matches.delete(id);
    unwritten = unwritten.filter((one) => one.id !== id);
    // What cannot be removed now is removed when Redis is back.
    await store.remove([match]).catch(() => doomed.add(match));
  }

  function view(player: number, id: number, first: boolean): void {
    const match = matches.get(id);
    const frames: Frames = [
      match === undefined
        ? [player, { event: 'match_unknown', data: { matchId: id } }]
        : [player, { event: 'match_reconnected', data: viewOf(match, player) }],
    ];
    if (first) frames.push([player, { event: 'authenticated', data: { player } }]);
    did(frames);
  }

  return {
    matches,
    doomed,
    flush,
    compare,
    evicted: () => evicted,
    async receive(message) {
      switch (message.kind) {
        case 'recover':
          return recover(message.matches);
        case 'request':
          return request(message);
        case 'view':
          return view(message.player, message.match, message.first);
        case 'take':
          return take(message.match);
        case 'leave':
          matches.delete(message.match);
          // Otherwise it is left by the next process of this server.
          return store.leave(message.match).catch(() => undefined);
        case 'saved':
        case 'forget':
          return forget(message.match);
      }
    },
  };
}

const loadedOf = ({ id, code, seats }: Match): LoadedMatch => ({
  ...{ id, code },
  players: seats.map(({ player, entry }) => ({ player, entry })),
});

function changeOf(
  frame: Exclude<RequestFrame, { readonly event: 'create_friend_match' }>,
  player: number,
  number: number,
): Change {
  switch (frame.event) {
    case 'join_match':
      return { kind: 'join', player, number };
    case 'player_ready':
      return { kind: 'ready', player, number };
    case 'submit_answer': {
      const { questionIndex: question, selectedOptions, timeSpent } = frame.data;
      return { kind: 'answer', player, number, question, choice: selectedOptions[0] ?? 0, timeSpent };
    }
  }
}

/** Where a match stands for one of its players. */
function viewOf(match: Match, player: number): MatchView {
  const started = isStarted(match);
  const questionIndex = currentQuestion(match);
  const seat = match.seats[seatOf(match, player)];
  const isOpen = started && questionIndex < match.questions;
  return {
    matchId: match.id,
    joinCode: match.code,
    players: match.seats.map((one) => one.player),
    ready: seat !== undefined && seat.ready !== null,
    started,
    question: isOpen ? questionOf(match.quiz, questionIndex) : null,
    questionIndex,
    answered: isOpen && seat !== undefined && seat.answers[questionIndex] !== null,
  };
}
