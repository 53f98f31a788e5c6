import { EXIT, messageOf } from '../../../errors.ts';
import { NullWorld, type NullWorldPlan } from './server.ts';

/**
 * The process of one server of the null world, against which a generator shows what it can do itself. It takes
 * the environment of the reference world as far as it needs it: HOST, PORT, INSTANCE_ID, INSTANCES, PLAYERS,
 * MONSTERS, TOKEN. Nothing that it is told is kept, so it ends at once.
 */

/** Players connect by the thousand when a run begins. */
const BACKLOG = 4_096;

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

function fail(error: unknown): never {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(EXIT.stackFailed);
}

function main(): void {
  const world = new NullWorld(readPlan(process.env));
  for (const end of ['disconnect', 'SIGTERM'] as const) process.on(end, () => process.exit(EXIT.pass));
  // Ctrl-C reaches every process of the terminal: a parent that is there says itself when to stop.
  process.on('SIGINT', () => {
    if (process.channel === undefined) process.exit(EXIT.pass);
  });
  world.http.on('error', fail);
  const { HOST: host = '127.0.0.1', PORT: port = '0' } = process.env;
  world.http.listen({ host, port: Number(port), backlog: BACKLOG }, () => {
    const address = world.http.address();
    if (typeof address !== 'object' || address === null) return;
    process.stderr.write(`A null world listens at http://${host}:${address.port}.\n`);
    // The parent may be gone by now: its 'disconnect' follows.
    process.send?.({ type: 'ready', port: address.port }, undefined, undefined, () => undefined);
  });
}

try {
  main();
} catch (error) {
  fail(error);
}
