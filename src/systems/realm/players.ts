import type { WorkerSetup } from '../../load/fleet/messages.ts';
import type { WorldContext, WorldModule } from '../../load/module/player-code.ts';
import { wrongFrames } from '../../load/module/wrong-frames.ts';
import type { SourceTools } from '../../load/source.ts';
import type { Operation, PlayerSocket, Session } from '../../player.d.ts';
import { isInside, isSame, SIZE, type Spot } from './area.ts';
import { CommonSight, type Seer } from './common-sight.ts';
import { LONGEST_STEP, openSight, type Sight } from './sight.ts';
import { Trail } from './trail.ts';
import { type Command, decodeFrame, encodeCommand, type Frame } from './wire.ts';
import { emoteOf, lineOf, sayingOf } from './words.ts';
import { PLAY_PATH, realmWorkload } from './workload.ts';

interface AgentSession extends Session {
  readonly socket: PlayerSocket;
  /** Commands without an answer, by their numbers. */
  readonly waiting: Map<number, Waiting>;
  readonly sight: Sight;
  readonly seer: Seer;
  /** The number of its world. */
  readonly world: number;
  /** Whether there may be such another agent in it. */
  readonly isOther: (agent: number) => boolean;
  /** Where it stands, after the moves that were acknowledged; and after those that it has sent. */
  here: Spot;
  goal: Spot;
}

interface Waiting {
  readonly operation: Operation;
  readonly command: Command;
}

type Said = Extract<Frame, { readonly type: 'chat' | 'emote' }>;

/**
 * Agents of the realm. What one says or shows has to reach every other agent of its world once: these deliveries are expected
 * once the world says that they were sent, since a refused command reaches nobody. Behind a proxy that deals agents to
 * several worlds only their welcomes say who meets whom: there they are expected of the agents of the same load worker.
 */
export function realmPlayers(
  { workload, worlds }: WorkerSetup,
  { ledger }: SourceTools,
): WorldModule<AgentSession> {
  const { isDealt } = realmWorkload(workload);
  /** The agents that may be in the same world as this one, itself included. */
  const rangeOf = (agent: number): { readonly from: number; readonly to: number } =>
    worlds.find(({ players: { from, to } }) => agent >= from && agent < to)?.players ?? {
      from: 0,
      to: workload.players,
    };
  /** Those that are connected. */
  const present = new Map<number, AgentSession>();
  /** Whether another one is known to be in an agent's own world now. */
  const isBeside =
    (agent: number, own: number) =>
    (other: number): boolean =>
      other !== agent && present.get(other)?.world === own;
  const othersOf = (agent: number, own: number): 'others' | readonly number[] => {
    if (!isDealt) return [...present.keys()].filter(isBeside(agent, own));
    const { from, to } = rangeOf(agent);
    if (to - from === workload.players) return 'others';
    return Array.from({ length: to - from }, (_, i) => from + i).filter((one) => one !== agent);
  };
  const isOtherOf = (agent: number): ((other: number) => boolean) => {
    const { from, to } = rangeOf(agent);
    return (other) => other !== agent && other >= from && other < to;
  };

  const wrong = wrongFrames();
  const commonSight = new CommonSight();
  const trails = new Map<number, Trail>();
  const trailOf = (agent: number): Trail => {
    const trail = trails.get(agent) ?? new Trail();
    trails.set(agent, trail);
    return trail;
  };

  /** The command that is answered; undefined where none of this kind waits. */
  const settle = (
    context: WorldContext,
    { waiting }: AgentSession,
    number: number,
    {
      result,
      isOfKind,
      frame,
    }: { result: 'ok' | 'rejected'; isOfKind: (command: Command) => boolean; frame: Frame },
  ): Waiting | undefined => {
    const asked = waiting.get(number);
    waiting.delete(number);
    if (asked === undefined) {
      wrong(context, 'an answer that no command waits for', frame);
      // Which the load counts, too, whatever a scenario's budgets are.
      context.settle({ number }, 'failed');
      return undefined;
    }
    context.settle(asked.operation, result);
    // Known to be measured, even if nothing is ever wrong.
    context.measure('wrongFrames', 0);
    if (!isOfKind(asked.command)) wrong(context, `no answer to a ${asked.command.type}`, frame);
    return asked;
  };

  const receive = (context: WorldContext, session: AgentSession, frame: Frame): void => {
    const { player } = context;
    switch (frame.type) {
      case 'snapshot':
        for (const problem of session.sight.snapshot(session.here, frame.agents))
          wrong(context, problem, frame);
        session.seer.snapshot(frame, context.now());
        break;
      case 'update':
        for (const number of frame.acks) {
          const asked = settle(context, session, number, {
            ...{ result: 'ok', isOfKind: ({ type }) => type === 'move', frame },
          });
          if (asked?.command.type !== 'move') continue;
          session.here = { x: asked.command.x, z: asked.command.z };
          trailOf(player).applied(number);
        }
        for (const problem of session.sight.update(session.here, frame)) wrong(context, problem, frame);
        for (const problem of session.seer.update(frame, session.here, context.now()))
          wrong(context, problem, 'an update before this one');
        break;
      case 'ack': {
        const asked = settle(context, session, frame.seq, {
          ...{ result: 'ok', isOfKind: ({ type }) => type !== 'move', frame },
        });
        if (asked !== undefined)
          context.expectDelivery(
            sayingOf(player, frame.seq),
            othersOf(player, session.world),
            asked.operation,
          );
        break;
      }
      case 'refused': {
        const { reason } = frame;
        const asked = settle(context, session, frame.seq, {
          ...{ result: 'rejected', frame },
          // It never asks for a spot outside.
          isOfKind: ({ type }) => reason === 'rate_limited' || (type === 'move' && reason === 'collision'),
        });
        if (asked?.command.type === 'move') trailOf(player).refused(frame.seq);
        // It goes on from where it stands, unless it is on its way to somewhere else.
        if (asked?.command.type === 'move' && isSame(asked.command, session.goal))
          session.goal = session.here;
        break;
      }
      case 'chat':
      case 'emote':
        hear(context, session, frame);
        break;
      case 'saved':
        for (const [from, to] of frame.numbers) {
          if (from > to) wrong(context, 'no range of numbers', frame);
          else ledger.saved(player, from, to);
        }
        break;
      default:
        wrong(context, 'a second welcome', frame);
    }
  };

  const hear = (context: WorldContext, { isOther }: AgentSession, frame: Said): void => {
    const { from, seq } = frame;
    const isRight =
      isOther(from) &&
      (frame.type === 'chat' ? frame.text === lineOf(from, seq) : frame.emote === emoteOf(from, seq));
    if (!isRight) wrong(context, 'what no other agent says', frame);
    // Behind a proxy, what agents of other load workers say is expected by nobody.
    else if (isDealt || trails.has(from)) context.delivered(sayingOf(from, seq));
  };

  /** The command of an operation. */
  const commandOf = (
    session: AgentSession,
    { kind, number: seq }: Operation,
    context: WorldContext,
  ): Command => {
    const { player, random } = context;
    if (kind === 'chat') return { type: 'chat', seq, text: lineOf(player, seq) };
    if (kind === 'emote') return { type: 'emote', seq, emote: emoteOf(player, seq) };
    session.goal = { x: stepFrom(session.goal.x, random()), z: stepFrom(session.goal.z, random()) };
    return { type: 'move', seq, ...session.goal };
  };

  return {
    name: 'realm',
    connect: (context) =>
      new Promise<AgentSession>((resolve, reject) => {
        const { player } = context;
        const socket = context.openSocket(`${PLAY_PATH}?agent=${player}`);
        let session: AgentSession | null = null;
        socket.on('message', (data) => {
          const text = data.toString();
          const frame = decodeFrame(text);
          if (frame === null) wrong(context, 'a frame that the protocol does not have', text);
          else if (session !== null) receive(context, session, frame);
          else if (frame.type !== 'welcome') wrong(context, 'a frame before the welcome', frame);
          else {
            const { world, agent, last, x, z } = frame;
            if (agent !== player || !isInside({ x, z }))
              wrong(context, 'the welcome of another agent', frame);
            const astray = trailOf(player).welcomed(last, { x, z });
            if (astray !== null) wrong(context, astray, frame);
            const isOther = isOtherOf(player);
            const isTogether = isDealt ? isOther : isBeside(player, world);
            session = {
              ...{ lastNumber: last, socket, waiting: new Map(), sight: openSight(isOther) },
              ...{ here: { x, z }, goal: { x, z }, world, isOther },
              seer: commonSight.came(player, { x, z }, isTogether, context.now()),
            };
            present.set(player, session);
            resolve(session);
          }
        });
        socket.once('error', reject);
        socket.on('close', (code, reason) => {
          const why = `the world closed the connection (${code}${reason.length > 0 ? `, ${reason}` : ''})`;
          reject(new Error(why));
          session?.seer.left();
          if (present.get(player) === session) present.delete(player);
          context.lost(why);
        });
      }),
    perform(session, operation, context) {
      const command = commandOf(session, operation, context);
      session.waiting.set(operation.number, { operation, command });
      if (command.type === 'move') trailOf(context.player).sent(command.seq, command);
      session.socket.send(encodeCommand(command));
    },
    close({ socket }) {
      socket.close(1000);
    },
  };
}

/** A multiple of 1/2 at most LONGEST_STEP away, and inside of the world. `chance`: from 0 to 1. */
function stepFrom(at: number, chance: number): number {
  const steps = 4 * LONGEST_STEP + 1;
  const to = at + Math.floor(chance * steps) / 2 - LONGEST_STEP;
  return Math.min(SIZE, Math.max(0, to));
}
