import { listen, serve } from '../../../supervision/server-process.ts';
import { NullWorld, type NullWorldPlan } from './server.ts';

/**
 * The process of one null server, which does no work and so measures the limit of the load generator itself. It reads the
 * variables of the flux world server that it needs: HOST, PORT, INSTANCE_ID, INSTANCES, PLAYERS, MONSTERS, TOKEN.
 */
function readPlan(env: Readonly<Record<string, string | undefined>>): NullWorldPlan {
  const integer = (name: string, fallback: number): number => {
    const value = Number(env[name] ?? fallback);
    if (Number.isSafeInteger(value) && value >= 0) return value;
    throw new Error(`${name} is "${env[name]}", expected a whole number of 0 or more`);
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
