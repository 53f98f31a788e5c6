import { platform, tmpdir, totalmem } from 'node:os';
import { constrainedMemory, versions } from 'node:process';
import { interrupted, stackFailed } from '../errors.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { keepBehind, prioritySetting } from '../supervision/priority.ts';
import { openRunFolder } from '../supervision/run-folder.ts';
import { pause } from '../supervision/time-limit.ts';
import { unprivilegedUser } from '../supervision/unprivileged-user.ts';
import type { Watchdog } from '../supervision/watchdog.ts';
import { settingsInForce } from './applied-settings.ts';
import type { Component } from './component.ts';
import { startPostgres } from './postgres.ts';
import { preparePostgres } from './postgres-build.ts';
import { applySettings } from './settings.ts';
import type { Disturbance, Stack, StackFailure } from './stack.ts';
import { startWorldServer, type WorldServer } from './world-server.ts';

export interface LocalStackOptions {
  /** The run's; it outlives the stack, and whoever opened it closes it. */
  readonly watchdog: Watchdog;
  /** Aborts a start in progress. */
  readonly signal: AbortSignal;
  /** A folder with `initdb` and `postgres` instead of the embedded ones. */
  readonly postgresBin: string | null;
  /** World server i listens at basePort + i - 1; null: wherever a port is free. */
  readonly basePort?: number | null;
  /** Of the database's superuser; one is made when none is given. */
  readonly password?: string;
  /** What the world servers want of whoever changes something; without one they are open. */
  readonly token?: string;
}

/** Where run folders may go; the second for a TMPDIR that is too long, or closed to PostgreSQL's account. */
const temporaryFolders = () => [tmpdir(), '/tmp'];

/**
 * Starts PostgreSQL and the scenario's world servers in a folder of their own, and resolves when all of them
 * answer. Rejects with exit code 93 when something does not start, and 105 when aborted; in both cases all
 * that was started is gone by then.
 */
export async function openLocalStack(scenario: Scenario, options: LocalStackOptions): Promise<Stack> {
  const closers: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return await open(scenario, options, closers, closeAll);
  } catch (error) {
    await closeAll();
    if (options.signal.aborted) throw interrupted('stopped while the stack was starting');
    throw error;
  }
}

async function open(
  scenario: Scenario,
  { watchdog, signal, postgresBin, basePort = null, password, token }: LocalStackOptions,
  closers: (() => Promise<void>)[],
  closeAll: () => Promise<void>,
): Promise<Stack> {
  signal.throwIfAborted();
  const user = unprivilegedUser();
  const folder = await openRunFolder(watchdog, temporaryFolders(), user);
  closers.push(folder.remove);
  const { version } = scenario.postgres;
  const build = await preparePostgres(version, postgresBin, user, folder, watchdog, signal);
  signal.throwIfAborted();
  const { settings: intended, configuration } = applySettings(scenario, {
    memoryBytes: usableMemory(),
    platform: platform(),
    nodeMajor: Number.parseInt(versions.node, 10),
    postgresVersion: build.version,
    libraries: build.libraries,
  });
  const closing = new AbortController();
  const postgres = await startPostgres({
    ...{ build, configuration, folder, watchdog, user, signal, password, closing: closing.signal },
  });
  closers.push(() => postgres.component.close(postgres.component.disturbed));
  const broken = new AbortController();
  void postgres.failure.then(() => broken.abort());
  const start = async () => {
    const settings = await settingsInForce(postgres.endpoint, intended, configuration);
    signal.throwIfAborted();
    const worlds = await startAll(scenario.world.servers, (instance, siblings) =>
      startWorldServer({
        ...{ scenario, instance, folder, watchdog },
        signal: AbortSignal.any([signal, siblings, broken.signal]),
        port: basePort === null ? 0 : basePort + instance - 1,
        ...(token === undefined ? {} : { token }),
        database: postgres.endpoint,
        closing: closing.signal,
      }),
    );
    return { settings, worlds };
  };
  const { settings, worlds } = await start().catch(async (thrown) => {
    // What does not start on a PostgreSQL that has just ended is not the cause.
    const cause = signal.aborted ? undefined : await Promise.race([postgres.failure, pause(SAME_MOMENT_MS)]);
    throw cause === undefined ? thrown : stackFailed(`${cause.component}: ${cause.message}`, cause.hint);
  });
  const components = [postgres.component, ...worlds.map(({ component }) => component)];
  closers.push(async () => {
    // A world server that waits for a PostgreSQL that is away would not end before its time is up.
    const abruptly = components.some(({ disturbed }) => disturbed);
    closing.abort();
    await Promise.all(worlds.map(({ component }) => component.close(abruptly)));
  });
  signal.throwIfAborted();
  const pids = () => components.map(({ pid }) => pid);
  const letGo = keepBehind(pids);
  closers.push(async () => letGo());
  let closed: Promise<void> | undefined;
  return {
    kind: 'local',
    endpoints: { worlds: worlds.map(({ endpoint }) => endpoint), database: postgres.endpoint },
    settings: [...settings, prioritySetting(pids())],
    disturb: disturbanceOf(components),
    failure: firstFailure(components, watchdog),
    logs: new Map([...postgres.logs, ...worlds.map(({ component: { name, log } }) => [name, log] as const)]),
    close() {
      closed ??= closeAll();
      return closed;
    },
  };
}

/** All at once; when one fails the others are ended, and the first reason is the one that is told. */
async function startAll(
  count: number,
  start: (instance: number, siblings: AbortSignal) => Promise<WorldServer>,
): Promise<readonly WorldServer[]> {
  const siblings = new AbortController();
  const failures: unknown[] = [];
  const attempts = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      try {
        return [await start(index + 1, siblings.signal)];
      } catch (error) {
        failures.push(error);
        siblings.abort();
        return [];
      }
    }),
  );
  const worlds = attempts.flat();
  if (failures.length === 0) return worlds;
  await Promise.all(worlds.map(({ component }) => component.close()));
  throw failures[0];
}

function disturbanceOf(components: readonly Component[]): Disturbance {
  const named = (name: string): Component => {
    const component = components.find((each) => each.name === name);
    if (component !== undefined) return component;
    const known = components.map((each) => each.name).join(', ');
    throw stackFailed(`the stack has no component "${name}"`, `it has ${known}`);
  };
  return {
    kill: async (component, lasting) => named(component).kill(lasting),
    stop: async (component, lasting) => named(component).stop(lasting),
  };
}

/** A container's limit where there is one, else the host's memory. */
function usableMemory(): number {
  const limit = constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** A world server that lost its database says so a moment before or after PostgreSQL's end is seen. */
const SAME_MOMENT_MS = 300;

async function firstFailure(components: readonly Component[], watchdog: Watchdog): Promise<StackFailure> {
  const postgres = components.find(({ name }) => name === 'postgres');
  const first = await Promise.race([watchdog.lost, ...components.map(({ failure }) => failure)]);
  if (postgres === undefined || first.component === postgres.name) return first;
  const cause = await Promise.race([postgres.failure, pause(SAME_MOMENT_MS)]);
  return cause ?? first;
}
