import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { namedHost } from '../address/target-address.ts';
import { badInput, messageOf, stackFailed } from '../errors.ts';
import type { Host } from '../host.ts';
import { type AgentFile, type AgentPlan, openAgent } from '../load/agent/agent.ts';
import { aborted } from '../supervision/time-limit.ts';
import { openWatchdog } from '../supervision/watchdog.ts';
import { addressOf, isLoopbackHost, readToken } from './agent-access.ts';
import { checkTemporaryFolder } from './stack-opener.ts';
import { stopSignals } from './stop-signals.ts';

/** The options of `capbench agent`, as given. */
export interface AgentCommandFlags {
  readonly listen: string;
  readonly tokenFile: string;
  readonly allow: readonly string[];
  readonly file: readonly string[];
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** Serves runs of other machines, until a signal. */
export async function executeAgent(host: Host, flags: AgentCommandFlags): Promise<void> {
  const { host: name, port } = addressOf('--listen', flags.listen);
  const tls = await readTls(host, flags);
  if (tls === null && !(await isLoopbackHost('--listen', name)))
    throw badInput(
      `--listen: ${name} is not loopback, and there is no --tls-cert: others could read the token`,
      'give --tls-cert and --tls-key, or listen at 127.0.0.1 and let ssh -L carry the connection',
    );
  if (flags.allow.length === 0)
    throw badInput(
      '--allow is not given: nothing could be loaded from here',
      'name the host of your --target',
    );
  const allowed = flags.allow.map((text) => namedHost('--allow', text));
  const files = await Promise.all(flags.file.map((file) => readAllowed(host, file)));
  const token = await readToken(host, '--token-file', flags.tokenFile);
  await checkTemporaryFolder(host);
  const say = (line: string): void => host.stderr.write(`${line}\n`);
  const signals = stopSignals(host, { say: () => {} });
  const watchdog = await openWatchdog(host.env);
  try {
    const plan = { host: name, port, tls, token, version: host.version, allowed, files, watchdog, say };
    const agent = await openAgent(plan);
    try {
      const shown = name.includes(':') ? `[${name}]` : name;
      host.stdout.write(
        `agent at ${shown}:${agent.port}${tls === null ? '' : ' (TLS)'}, for load against ${allowed.join(', ')}\n`,
      );
      const failure = await Promise.race([watchdog.lost, aborted(signals.stop)]);
      if (failure !== null) throw stackFailed(`${failure.component}: ${failure.message}`, failure.hint);
    } finally {
      await agent.close();
    }
  } finally {
    const warning = await watchdog.close();
    if (warning !== null) say(`warning: ${warning}`);
    signals.dispose();
  }
}

const readGiven = ({ cwd }: Pick<Host, 'cwd'>, source: string, file: string): Promise<Buffer> =>
  readFile(resolve(cwd, file)).catch((error: unknown) => {
    throw badInput(`${source}: ${file} cannot be read: ${messageOf(error)}`);
  });

async function readAllowed(host: Pick<Host, 'cwd'>, file: string): Promise<AgentFile> {
  const content = await readGiven(host, '--file', file);
  return { path: resolve(host.cwd, file), sha256: createHash('sha256').update(content).digest('hex') };
}

async function readTls(host: Host, { tlsCert, tlsKey }: AgentCommandFlags): Promise<AgentPlan['tls']> {
  if (tlsCert === undefined && tlsKey === undefined) return null;
  if (tlsCert === undefined || tlsKey === undefined)
    throw badInput(
      `${tlsCert === undefined ? '--tls-key' : '--tls-cert'} is given alone`,
      'a certificate and its key belong together: --tls-cert FILE --tls-key FILE',
    );
  const cert = (await readGiven(host, '--tls-cert', tlsCert)).toString('utf8');
  const key = (await readGiven(host, '--tls-key', tlsKey)).toString('utf8');
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw badInput(`--tls-cert, --tls-key: they cannot be used: ${messageOf(error)}`, 'both as PEM');
  }
  return { cert, key };
}
