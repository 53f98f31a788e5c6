import type { Context, Operation, Perform, PlayerSocket, Session } from '../../player.d.ts';
import type { LoadedModule } from './module-file.ts';

/** What the context of a reference world's player has beside that of a user's. */
export interface WorldPart {
  /**
   * Resolves at the start of the load, before which nothing can be begun; at once for a player who connects later. Players whose
   * operations all follow from answers wait for it with the first.
   */
  loadStarted(): Promise<void>;
  /** Think times are divided by it: 1 in a run, more in the calibration of the generator. */
  readonly pace: number;
}

/** The context of a player of a reference world. */
export interface WorldContext extends Context, WorldPart {
  /**
   * As `Context.start`. `due`: when the operation was planned, in microseconds after the start of the load and not later than
   * now; absent: now. A player whose think time ends in a timer passes the planned end, so that a timer that is late counts as
   * the generator's own lag.
   */
  start(kind: string, due?: number): boolean;
  /** As `Context.openSocket`, to another of the servers: `url` is one of `Context.urls`. They all accept the same headers. */
  openSocketAt(url: string, path: string): PlayerSocket;
}

/** The players of a reference world, written like a player module. */
export interface WorldModule<S extends Session = Session> {
  /** The world's name: `mud`. */
  readonly name: string;
  connect(context: WorldContext): Promise<S> | S;
  perform(session: S, operation: Operation, context: WorldContext): ReturnType<Perform>;
  close?(session: S): Promise<void> | void;
}

/** The code of a worker's players, and how errors name it. */
export interface PlayerCode {
  /** At the beginning of a sentence about what it did. */
  readonly subject: string;
  /** Before the reason why a player could not connect; and what to do where the error is none of the network. */
  readonly label: string;
  readonly connectHint: string;
  connect(context: WorldContext): Promise<Session> | Session;
  perform(session: Session, operation: Operation, context: WorldContext): ReturnType<Perform>;
  readonly close: ((session: Session) => Promise<void> | void) | null;
}

/** The code of a user's module. */
export const codeOfModule = ({ name, connect, perform, close }: LoadedModule): PlayerCode => ({
  ...{ subject: `the player module ${name}`, label: name },
  connectHint:
    "see in the module's connect where that comes from, and what the server answered it; lines of context.log are in logs/ of the bundle",
  ...{ connect, perform, close },
});

/** The code of a reference world's players. */
export function codeOfWorld<S extends Session>(module: WorldModule<S>): PlayerCode {
  const { name } = module;
  return {
    ...{ subject: `a ${name} player`, label: `a ${name} player` },
    connectHint: 'see the logs of the servers and of the load workers in logs/ of the bundle',
    connect: (context) => module.connect(context),
    // The sessions of these players are those that its `connect` returned.
    perform: (session, operation, context) => module.perform(session as S, operation, context),
    close: (session) => module.close?.(session as S),
  };
}
