import type { WorkerSetup } from '../../load/fleet/messages.ts';
import type { WorldContext, WorldModule } from '../../load/module/player-code.ts';
import { wrongFrames } from '../../load/module/wrong-frames.ts';
import type { SourceTools } from '../../load/source.ts';
import type { Operation, PlayerSocket, Session } from '../../player.d.ts';
import { mulberry32, streamSeed } from '../../rng.ts';
import {
  checkAnswer,
  checkQuestion,
  checkResults,
  type MatchRecord,
  noteAnswer,
  openRecord,
  quizzesOf,
} from './match-record.ts';
import { choiceOf, quizOf } from './questions.ts';
import {
  encode,
  type MatchView,
  PLAY_PATH,
  type RequestFrame,
  readServerFrame,
  type ServerFrame,
} from './wire.ts';
import { type Kind, PAIR, QUIZ_STREAM, type QuizWorkload, quizWorkload } from './workload.ts';

/*
 * A pair of players plays one match after another. The first creates a match and passes its code on to the second, who joins;
 * both say that they are ready, and answer each question after they have thought about it. What a player does next follows
 * from where its match stands (`nextStep`), so that a player who has connected again goes on where it was.
 */

/** Where a player stands in its match. */
type Stand =
  /** In no match. */
  | { readonly at: 'outside' }
  /** Created, and nobody has joined. */
  | { readonly at: 'alone' }
  /** Both are there. */
  | { readonly at: 'seated'; readonly ready: boolean }
  /** `askedAt`: microseconds after GO. */
  | {
      readonly at: 'asked';
      readonly questionId: number;
      readonly index: number;
      readonly askedAt: number;
      readonly thinks: number;
    }
  /** It has answered, and waits for the other one, or for the end. */
  | { readonly at: 'answered' };

/** What is known of a player, also while it is not connected. */
interface PlayerState {
  stand: Stand;
  match: number | null;
  /** Questions that it was asked so far, in all matches. */
  asked: number;
  /** The first time at which it may create a match, or try again, in microseconds after GO. */
  notBefore: number;
  /** Its acknowledged operations in the match. */
  acked: number[];
  /** When it entered the match, in microseconds after GO. */
  enteredAt: number;
  /** What it knows of its match, or of the last one; null before the first. */
  record: MatchRecord | null;
  /** The current connection. */
  session: PlayerSession | null;
}

/** What two players tell each other. */
interface Pair {
  /** Of the match that waits for the second player; null if none does. */
  code: string | null;
  readonly states: readonly PlayerState[];
  /** The numbers of the creations since the last match ended. */
  creations: readonly number[];
  /** It was counted that their match does not go on. */
  isStalled: boolean;
}

interface PlayerSession extends Session {
  readonly context: WorldContext;
  readonly socket: PlayerSocket;
  readonly pair: Pair;
  /** 0: creates matches; 1: joins them. */
  readonly seat: number;
  readonly state: PlayerState;
  /** The operation that waits for its answer, and when it was sent. */
  pending: { readonly operation: Operation; readonly kind: Kind } | null;
  /** The number that was answered last over this connection; 0 before the first. */
  answered: number;
  timer: NodeJS.Timeout | null;
  /** What it waits for to change, and until when. */
  readonly watch: { stand: Stand | null; timer: NodeJS.Timeout | null };
}

/** What a player does next, and when it is due, in microseconds after GO. */
interface Step {
  readonly kind: Kind;
  readonly due: number;
}

/** Before an operation that failed is tried again, in microseconds. */
const TRY_AGAIN = 1_000_000;
/** Before asking again whether the connection is in use, in milliseconds. */
const ASK_AGAIN_MS = 50;
/** After this the load has dropped an operation that it was asked for, in milliseconds. */
const DROPPED_MS = 2_000;

export function quizPlayers(setup: WorkerSetup, tools: SourceTools): WorldModule<PlayerSession> {
  const { workload } = setup;
  const { seed } = workload;
  const { end } = workload.timeline;
  const { questions } = quizWorkload(workload);
  const pace = paceOf(quizWorkload(workload), workload.pace ?? 1);
  /** Nothing in a match takes longer, in microseconds. */
  const longestStep = pace.gap + pace.think[1] + workload.timeout;

  const thinks = (player: number, asked: number): number => {
    const [least, most] = pace.think;
    return least + (most - least) * mulberry32(streamSeed(seed, QUIZ_STREAM.think, player, asked));
  };

  /** What the player does next; null while it waits for others. */
  function nextStep({ state: { stand, notBefore }, pair, seat }: PlayerSession, now: number): Step | null {
    switch (stand.at) {
      case 'outside':
        if (seat === 0) return { kind: 'create', due: notBefore };
        return pair.code === null ? null : { kind: 'join', due: Math.max(notBefore, now) };
      case 'seated':
        return stand.ready ? null : { kind: 'ready', due: Math.max(notBefore, now) };
      case 'asked':
        return { kind: 'answer', due: Math.max(notBefore, stand.askedAt + pace.gap + stand.thinks) };
      default:
        return null;
    }
  }

  /** Waits until the next step is due, unless the player waits for an answer, or for a step already. */
  function plan(session: PlayerSession): void {
    const { context, state } = session;
    if (session.pending !== null || session.timer !== null || state.session !== session) return;
    const now = context.now();
    if (now >= end) return;
    const step = nextStep(session, now);
    if (step === null) return;
    const again = (ms: number): void => {
      session.timer = setTimeout(() => {
        session.timer = null;
        plan(session);
      }, ms);
    };
    session.timer = setTimeout(
      () => {
        session.timer = null;
        const due = Math.min(step.due, context.now());
        // The load calls `perform` in a moment, unless it drops the operation.
        again(context.start(step.kind, due) ? DROPPED_MS : ASK_AGAIN_MS);
      },
      Math.max(0, step.due - now) / 1e3,
    );
  }

  /** Counts a match that does not go on: once, whichever of its players notices. */
  function watch(session: PlayerSession): void {
    const { watch: watched, state, pair, context } = session;
    if (watched.stand === state.stand) return;
    stopWatching(session);
    watched.stand = state.stand;
    const now = context.now();
    watched.timer = setTimeout(
      () => {
        if (state.session !== session || pair.isStalled || context.now() >= end) return;
        pair.isStalled = true;
        context.measure('stalledMatches', 1);
        context.log(`its match does not go on: ${state.stand.at}`);
      },
      (Math.max(now, state.notBefore) - now + longestStep) / 1e3,
    );
  }

  function stopWatching({ watch: watched }: PlayerSession): void {
    if (watched.timer !== null) clearTimeout(watched.timer);
    watched.timer = null;
  }

  const countWrong = wrongFrames();
  /** Counts a frame that says what cannot be. */
  function judge({ context }: PlayerSession, frame: ServerFrame, wrong: string | null): void {
    if (wrong !== null) countWrong(context, wrong, frame);
  }

  /** Forgets a planned step that no longer fits. */
  function replan(session: PlayerSession | null): void {
    if (session === null) return;
    watch(session);
    if (session.timer !== null) clearTimeout(session.timer);
    session.timer = null;
    plan(session);
  }

  function leaveMatch({ state, pair, seat, context }: PlayerSession): void {
    state.stand = { at: 'outside' };
    state.match = null;
    state.acked = [];
    state.notBefore = context.now();
    pair.isStalled = false;
    if (seat === 0) pair.creations = [];
  }

  const creatorOf = ({ context, seat }: PlayerSession): number => context.player - seat;

  function ask(session: PlayerSession, questionId: number, index: number): void {
    const { state, context } = session;
    const { player } = context;
    state.stand = {
      ...{ at: 'asked', questionId, index },
      ...{ askedAt: context.now(), thinks: thinks(player, state.asked) },
    };
    state.asked += 1;
  }

  /** The frame of an operation; null where it does not fit any more. */
  function frameOf(session: PlayerSession, kind: Kind, id: number): RequestFrame | null {
    const { pair, state, context } = session;
    const { stand, match } = state;
    switch (kind) {
      case 'create':
        if (stand.at !== 'outside') return null;
        pair.creations = [...pair.creations, id];
        return { event: 'create_friend_match', id, data: { quiz: quizOf(seed, context.player, id) } };
      case 'join':
        if (stand.at !== 'outside' || pair.code === null) return null;
        return { event: 'join_match', id, data: { joinCode: pair.code } };
      case 'ready':
        if (stand.at !== 'seated' || stand.ready || match === null) return null;
        return { event: 'player_ready', id, data: { matchId: match } };
      case 'answer': {
        if (stand.at !== 'asked' || match === null) return null;
        const { questionId, index: questionIndex, askedAt } = stand;
        const selectedOptions = [choiceOf(seed, context.player, id)];
        if (state.record !== null) noteAnswer(state.record, questionIndex, id);
        const timeSpent = Math.max(0, Math.round((context.now() - askedAt) / 1e3));
        return {
          ...{ event: 'submit_answer', id },
          data: { matchId: match, questionId, questionIndex, selectedOptions, timeSpent },
        };
      }
    }
  }

  /** The answer to the pending operation, if it is its answer. */
  function settle(session: PlayerSession, id: number, isOk: boolean): boolean {
    const { pending, state, context } = session;
    if (pending?.operation.number !== id) {
      // Answered twice, which the load counts; answers to what an earlier connection asked may come, too.
      if (id === session.answered) context.settle({ number: id }, 'failed');
      return false;
    }
    session.pending = null;
    session.answered = id;
    if (isOk) state.acked.push(id);
    // So that none is told from not counted.
    for (const name of ['abandonedMatches', 'stalledMatches', 'wrongFrames']) context.measure(name, 0);
    context.settle(pending.operation, isOk ? 'ok' : 'failed');
    return true;
  }

  function receive(session: PlayerSession, frame: ServerFrame): void {
    const { state, pair, seat, context } = session;
    switch (frame.event) {
      case 'friend_match_created':
        // The list of players may have come first.
        if (!settle(session, frame.id, true)) return;
        enter(session, frame.data.matchId);
        state.stand = { at: 'alone' };
        pair.code = frame.data.joinCode;
        replan(pair.states[1]?.session ?? null);
        break;
      case 'match_joined':
        if (!settle(session, frame.id, true)) return;
        enter(session, frame.data.matchId);
        pair.code = null;
        state.stand = { at: 'seated', ready: false };
        break;
      case 'player_list_updated':
        if (frame.data.matchId !== state.match || frame.data.players.length < PAIR) return;
        if (state.stand.at === 'alone') state.stand = { at: 'seated', ready: false };
        break;
      case 'player_ready':
        if (!settle(session, frame.id, true)) return;
        if (state.stand.at === 'seated') state.stand = { at: 'seated', ready: true };
        break;
      case 'match_started':
      case 'next_question':
        if (frame.data.matchId !== state.match) return;
        if (state.record !== null) {
          const quizzes = quizzesOf(seed, creatorOf(session), pair.creations);
          judge(session, frame, checkQuestion(state.record, frame.data, { quizzes, questions }));
        }
        ask(session, frame.data.question.questionId, frame.data.questionIndex);
        break;
      case 'answer_result':
        if (!settle(session, frame.id, true)) return;
        if (state.record !== null)
          judge(session, frame, checkAnswer(state.record, frame.id, frame.data, seed));
        if (state.stand.at === 'asked') state.stand = { at: 'answered' };
        break;
      case 'match_completed':
        if (frame.data.matchId !== state.match) return;
        judge(
          session,
          frame,
          checkResults(
            frame.data,
            pair.states.flatMap(({ record }) => record ?? []),
            { pair: creatorOf(session) / PAIR, questions, seed },
          ),
        );
        for (const number of state.acked) tools.ledger.saved(context.player, number, number);
        if (seat === 0) context.measure('matchSeconds', (context.now() - state.enteredAt) / 1e6, 's');
        leaveMatch(session);
        break;
      case 'match_unknown':
        if (frame.data.matchId !== state.match) return;
        context.measure('abandonedMatches', seat === 0 ? 1 : 0);
        leaveMatch(session);
        break;
      case 'match_reconnected':
        goOn(session, frame.data);
        break;
      case 'error':
        if (frame.id === undefined || !settle(session, frame.id, false)) return;
        state.notBefore = context.now() + TRY_AGAIN;
        break;
      case 'authenticated':
      case 'player_disconnected':
        return;
    }
    replan(session);
  }

  function enter({ state, context }: PlayerSession, match: number): void {
    if (state.match === match) return;
    state.match = match;
    state.enteredAt = context.now();
    state.record = openRecord(match, context.player);
  }

  /** Where the match stands, as the server says. */
  function goOn(session: PlayerSession, view: MatchView): void {
    const { state, pair, seat } = session;
    enter(session, view.matchId);
    if (state.record !== null) state.record.next = view.questionIndex + (view.answered ? 1 : 0);
    pair.code = view.players.length < PAIR ? view.joinCode : null;
    if (view.players.length < PAIR) state.stand = { at: 'alone' };
    else if (!view.started) state.stand = { at: 'seated', ready: view.ready };
    else if (view.question === null || view.answered) state.stand = { at: 'answered' };
    else if (state.stand.at !== 'asked' || state.stand.index !== view.questionIndex)
      ask(session, view.question.questionId, view.questionIndex);
    replan(pair.states[1 - seat]?.session ?? null);
  }

  const firstMatchAt = (pair: number): number => Math.round((pair * 1e6) / pace.createsPerSecond);

  return {
    name: 'quiz',
    connect: (context) =>
      new Promise((resolve, reject) => {
        const { player, group, signal } = context;
        const pair = pairOf(group.shared, firstMatchAt(group.index));
        const seat = player % PAIR;
        const state = pair.states[seat]!;
        const socket = context.openSocket(PLAY_PATH);
        const session: PlayerSession = {
          ...{ context, socket, pair, seat, state, pending: null, answered: 0, timer: null },
          watch: { stand: null, timer: null },
        };
        let isIn = false;
        socket.on('open', () =>
          socket.send(encode({ event: 'authenticate', data: { player, match: state.match } })),
        );
        socket.on('message', (data) => {
          if (signal.aborted) return;
          const frame = readServerFrame(String(data));
          if (frame === null) return context.lost('the server sent what is no frame');
          if (isIn || frame.event === 'match_reconnected') receive(session, frame);
          else if (frame.event === 'authenticated') {
            isIn = true;
            state.session = session;
            context.loggedIn();
            resolve(session);
            // Plans nothing if the connection was lost meanwhile.
            void context.loadStarted().then(() => replan(session));
          } else if (frame.event === 'error') reject(new Error(frame.data.message));
          else receive(session, frame);
        });
        socket.on('error', reject);
        socket.on('close', (code, reason) => {
          reject(new Error(`the server closed the connection with ${code} ${reason}`));
          if (isIn) context.lost(`closed with ${code} ${reason}`);
        });
      }),
    perform(session, operation) {
      const kind = operation.kind as Kind;
      // It was begun by a connection before this one, or the match has gone on.
      const frame = session.pending === null ? frameOf(session, kind, operation.number) : null;
      if (frame === null) return 'idle';
      if (session.timer !== null) clearTimeout(session.timer);
      session.timer = null;
      session.pending = { operation, kind };
      session.socket.send(encode(frame));
      return;
    },
    close(session) {
      if (session.timer !== null) clearTimeout(session.timer);
      session.timer = null;
      stopWatching(session);
      if (session.state.session === session) session.state.session = null;
      session.socket.close(1000);
    },
  };
}

/** The pace of the players, in microseconds; in the calibration they are faster. */
function paceOf({ think: [least, most], gap, createsPerSecond }: QuizWorkload, speed: number) {
  return {
    think: [least / speed, most / speed] as const,
    gap: gap / speed,
    createsPerSecond: createsPerSecond * speed,
  };
}

/** The pair that a group's players share; made by the first of them. */
function pairOf(shared: Record<string, unknown>, firstMatchAt: number): Pair {
  const state = (): PlayerState => ({
    ...{ stand: { at: 'outside' }, match: null, asked: 0, notBefore: firstMatchAt, acked: [], enteredAt: 0 },
    ...{ session: null, record: null },
  });
  shared.pair ??= {
    ...{ code: null, states: [state(), state()], creations: [], isStalled: false },
  } satisfies Pair;
  return shared.pair as Pair;
}
