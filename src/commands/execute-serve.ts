import { ownedHosts, resolveTargets, surroundings } from '../address/target-address.ts';
import { badInput, stackFailed } from '../errors.ts';
import type { Host } from '../host.ts';
import { openWatchdog } from '../supervision/watchdog.ts';
import { readGivenRedis, resolveGivenRedis } from './given-redis.ts';
import type { GivenFlags, ScenarioFlags } from './options.ts';
import { loadScenario } from './scenario-files.ts';
import { endpointsJson, endpointsText } from './served-endpoints.ts';
import {
  checkTemporaryFolder,
  newPassword,
  openOwnStack,
  openStarted,
  refuseTooManyCpus,
  refuseWithoutMemory,
  refuseWithoutPackages,
} from './stack-opener.ts';
import { readVariables, requirePermission, type StartFlags } from './start-permission.ts';
import { stopSignals } from './stop-signals.ts';
import { redisLine } from './targets.ts';

/** The options of `capbench serve`, as given. */
export interface ServeFlags extends ScenarioFlags, StartFlags, GivenFlags {
  readonly iOwn: readonly string[];
  readonly port?: string;
  readonly json?: boolean;
}

function portOf(flag: string | undefined, servers: number): number | null {
  if (flag === undefined) return null;
  const port = Number(flag);
  const last = 65_535 - servers + 1;
  if (!Number.isInteger(port) || port < 1 || port > last) {
    throw badInput(`--port: got ${flag}, expected a whole number of 1 to ${last}`);
  }
  return port;
}

/** Opens the stack, prints its endpoints, and keeps it until a signal, or until a part of it ends. */
export async function executeServe(host: Host, reference: string, flags: ServeFlags): Promise<void> {
  const loaded = await loadScenario(host, reference, flags);
  const { scenario, system } = loaded;
  const command = system.command?.(scenario) ?? null;
  if (system.components === undefined && command === null) {
    throw badInput(
      `system: ${system.name} has no server that capbench could start, and the scenario names no stack.start`,
      'start your server, and name it with --target',
    );
  }
  requirePermission(command, flags);
  readVariables(host, loaded, command);
  if (command !== null && flags.port !== undefined)
    throw badInput('--port: the start command decides where its server listens', 'leave --port out');
  await checkTemporaryFolder(host);
  refuseTooManyCpus(host, loaded);
  if (command === null) {
    refuseWithoutPackages(loaded);
    refuseWithoutMemory(loaded);
  }
  const basePort = portOf(flags.port, scenario.world.servers);
  const targets = command === null ? [] : await resolveTargets(command.targets, []);
  const given = readGivenRedis(host, loaded, flags, false);
  const owned = ownedHosts(flags.iOwn, new Set(given?.host == null ? [] : [given.host]));
  const redis = given === null ? null : await resolveGivenRedis(given, owned, surroundings());
  if (redis !== null) host.stderr.write(`${redisLine(redis)}\n`);
  const signals = stopSignals(host, { say: (text) => host.stderr.write(`${text}\n`) });
  const watchdog = await openWatchdog(host.env);
  try {
    // Not a secret here: the user needs it, and gets it on stdout.
    const password = newPassword();
    const options = { watchdog, signal: signals.stop, token: '', password, basePort };
    const stack =
      command === null
        ? await openOwnStack(host, { scenario, system }, { ...options, redis })
        : await openStarted(host, loaded, command, { targets }, options);
    try {
      const { endpoints } = stack;
      host.stdout.write(
        flags.json === true ? `${endpointsJson(endpoints)}\n` : endpointsText(reference, scenario, endpoints),
      );
      const interrupted = new Promise<null>((resolve) => {
        if (signals.stop.aborted) resolve(null);
        signals.stop.addEventListener('abort', () => resolve(null), { once: true });
      });
      const failure = await Promise.race([stack.failure, interrupted]);
      if (failure !== null) throw stackFailed(`${failure.component}: ${failure.message}`, failure.hint);
    } finally {
      await stack.close();
    }
  } finally {
    const warning = await watchdog.close();
    if (warning !== null) host.stderr.write(`warning: ${warning}\n`);
    signals.dispose();
  }
}
