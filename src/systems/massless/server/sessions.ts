import { randomUUID } from 'node:crypto';
import { RedisUnavailable, type RunCommands } from '../../../server/redis-client.ts';
import { SESSION_SECONDS, sessionKey } from '../keys.ts';

export interface Session {
  readonly token: string;
  readonly zone: number;
  /** From 0. */
  readonly server: number;
}

/** Sessions of players, which Redis keeps for a while after a connection is lost. */
export interface Sessions {
  /**
   * Begins a session, or continues the one with this token. Resolves to its token; null if another session has the player. Without
   * Redis every token is taken as it is.
   */
  open(player: number, given: string, zone: number): Promise<string | null>;
  /** Writes these again, before they expire; rejects with RedisUnavailable. */
  renew(sessions: Iterable<readonly [player: number, token: string, zone: number]>): Promise<void>;
}

export function openSessions(run: RunCommands, serverOfZone: (zone: number) => number): Sessions {
  const write = (player: number, token: string, zone: number) => {
    const session: Session = { token, zone, server: serverOfZone(zone) };
    return ['set', sessionKey(player), JSON.stringify(session), 'ex', SESSION_SECONDS] as const;
  };
  return {
    async open(player, given, zone) {
      const fresh = given === '' ? randomUUID() : given;
      try {
        const [stored] = await run([['get', sessionKey(player)]]);
        if (given !== '' && typeof stored === 'string' && (JSON.parse(stored) as Session).token !== given)
          return null;
        await run([write(player, fresh, zone)]);
      } catch (error) {
        if (!(error instanceof RedisUnavailable)) throw error;
      }
      return fresh;
    },
    async renew(sessions) {
      const commands = [...sessions].map((session) => write(...session));
      if (commands.length > 0) await run(commands);
    },
  };
}
