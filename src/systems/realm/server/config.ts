import { openEnvironment } from '../../../server/environment.ts';
import { MOST_AGENTS } from '../area.ts';

/** The configuration of one world, from its environment variables. */
export type RealmConfig = Readonly<ReturnType<typeof readConfig>>;

/** @throws CapbenchError (104) that names every missing or wrong variable */
export function readConfig(env: Readonly<Record<string, string | undefined>>) {
  const { text, integer, choice, check } = openEnvironment(env);
  const config = {
    host: text('HOST', '127.0.0.1'),
    /** 1-based; it has a key of its own, and so agents of its own. */
    instance: integer('INSTANCE_ID', 1, 1_000, 1),
    /** Of the run: with others, an agent may come from one of them. */
    worlds: integer('WORLDS', 1, 1_000, 1),
    /** Agents have the numbers from 0 to this, exclusive. */
    agents: integer('AGENTS', 1, MOST_AGENTS),
    updateMillis: integer('UPDATE_MS', 5, 60_000, 100),
    thinkMillis: integer('THINK_MS', 10, 600_000, 1_000),
    /** Of one thought, microseconds. */
    thinkWork: integer('THINK_WORK_MICROS', 0, 1_000_000, 300),
    syncMillis: integer('SYNC_MS', 50, 600_000, 5_000),
    /** Clients are asked this often whether they are still there. */
    keepAliveMillis: integer('KEEP_ALIVE_MS', 10, 600_000, 15_000),
    commandsPerSecond: integer('COMMANDS_PER_SECOND', 1, 10_000, 20),
    sync: choice('SYNC', ['on', 'off']),
    recover: choice('RECOVER', ['on', 'off']),
    broadcast: choice('BROADCAST', ['all', 'lossy']),
    interest: choice('INTEREST', ['on', 'off']),
    /** The bearer token of players and of the relay; empty: none. The world's key follows from it. */
    token: text('TOKEN', ''),
    /** `http://127.0.0.1:7777` */
    relay: text('RELAY_URL'),
  };
  check('src/systems/realm/README.md lists every variable.');
  return config;
}
