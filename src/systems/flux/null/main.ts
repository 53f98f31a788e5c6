import { listen, serve } from '../../../supervision/server-process.ts';
import { NullWorld, type NullWorldPlan } from './server.ts';

/**
 * The process of one server of the null world, against which a generator shows what it can do itself. It takes
 * the environment of the reference world as far as it needs it: HOST, PORT, INSTANCE_ID, INSTANCES, PLAYERS,
 * MONSTERS, TOKEN. Nothing that it is told is kept, so it ends at once.
 */
function readPlan(env: Readonly<Record<string, string | undefined>>): NullWorldPlan {
  const integer = (name: string, fallback: number): number => {
    const value = Number(env[name] ?? fallback);
    if (Number.isSafeInteger(value) && value >= 0) return value;
    throw new Error(`${name} is "${env[name]}", and must be a whole number of 0 or more`);
  };
  return {
    instance: integer('INSTANCE_ID', 1),
    instances: integer('INSTANCES', 1),
    players: integer('PLAYERS', 0),
    monsters: integer('MONSTERS', 0),
    token: env.TOKEN ?? '',
  };
}

await serve(async (host) => ({ port: await listen(new NullWorld(readPlan(process.env)).http, host) }));
