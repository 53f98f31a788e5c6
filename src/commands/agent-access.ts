import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { isLoopback, surroundings } from '../address/target-address.ts';
import { badInput, messageOf, stackFailed } from '../errors.ts';
import type { Host } from '../host.ts';
import type { AgentAccess, AgentAddress } from '../load/agent/remote-agent.ts';
import type { EngineName } from '../load/engine.ts';
import type { EmulatedTier } from '../measurement/emulated-tier.ts';
import type { AgentFlags } from './options.ts';
import { readCertificates } from './target-access.ts';
import type { RunTargets } from './targets.ts';

/** Beyond a few machines, Kubernetes is the way: capbench export k8s. */
const MOST_AGENTS = 16;
const [SHORTEST_TOKEN, LONGEST_TOKEN] = [16, 1_000];
const ADDRESS = /^(?:\[([^\]\s]+)\]|([^\s:@/?#,[\]]+)):(\d{1,5})$/;

export const UNCALIBRATED = 'the load comes from agents, and there are no null servers beside them';

/** A line about the machines that make the load; null where this one does. */
export const agentsLine = (access: AgentAccess | null): string | null =>
  access === null ? null : `the load comes from ${access.agents.map(({ shown }) => shown).join(' and ')}`;

/** The host, without brackets, and the port of `10.0.0.5:7400` or `[::1]:7400`. @throws CapbenchError (104) */
export function addressOf(source: string, text: string): Pick<AgentAddress, 'host' | 'port'> {
  const [, six, name, port] = ADDRESS.exec(text) ?? [];
  const host = six ?? name;
  if (host === undefined || Number(port) > 65_535 || (six !== undefined && isIP(six) !== 6))
    throw badInput(`${source}: got "${text}", expected HOST:PORT`, 'such as 10.0.0.5:7400 or [::1]:7400');
  return { host, port: Number(port) };
}

/** Whether all that the host's name stands for is loopback. @throws CapbenchError (93) where it has no address */
export async function isLoopbackHost(source: string, host: string): Promise<boolean> {
  if (isIP(host) !== 0) return isLoopback(host);
  try {
    return (await surroundings().resolve(host)).every(isLoopback);
  } catch (error) {
    throw stackFailed(
      `${source}: the name ${host} cannot be resolved: ${messageOf(error)}`,
      'use its address',
      error,
    );
  }
}

/** The token in a file. It is a secret, and no message repeats it. @throws CapbenchError (104) */
export async function readToken(
  host: Pick<Host, 'cwd' | 'redaction'>,
  source: string,
  file: string,
): Promise<string> {
  const text = await readFile(resolve(host.cwd, file), 'utf8').catch((error: unknown) => {
    throw badInput(`${source}: ${file} cannot be read: ${messageOf(error)}`, MAKE_TOKEN);
  });
  const token = text.trim();
  if (token.length < SHORTEST_TOKEN || token.length > LONGEST_TOKEN || /\s/.test(token))
    throw badInput(
      `${source}: ${file} holds ${token.length} characters, expected one word of ${SHORTEST_TOKEN} to ${LONGEST_TOKEN}`,
      MAKE_TOKEN,
    );
  host.redaction.add(token, 'the token of the agents');
  return token;
}
const MAKE_TOKEN = 'make one with `openssl rand -hex 32 > token`, and copy the file to both machines';

/**
 * The agents that make the load; null where this host does.
 * @param tier the machine as which the stack runs on CPUs of its own; absent: as this host
 * @throws CapbenchError (104) where they cannot, (93) where the name of one cannot be resolved
 */
export async function readAgents(
  host: Pick<Host, 'cwd' | 'redaction' | 'version'>,
  flags: AgentFlags,
  engine: EngineName,
  { targets }: Pick<RunTargets, 'targets'>,
  tier?: EmulatedTier,
): Promise<AgentAccess | null> {
  const { agents: given, agentTokenFile, agentCa } = flags;
  if (given === undefined) {
    const idle = agentTokenFile !== undefined ? '--agent-token-file' : '--agent-ca';
    if (agentTokenFile === undefined && agentCa === undefined) return null;
    throw badInput(`${idle} is given without --agents`, 'name the agents: --agents 10.0.0.5:7400');
  }
  if (tier !== undefined)
    throw badInput(
      `--agents with --tier ${tier.id}: the servers are started here, on loopback, so the agents would be on this host, and nothing would keep their load processes off the CPUs of the box`,
      'leave out --agents: the load processes of this host are kept off those CPUs',
    );
  if (engine !== 'native')
    throw badInput(`--agents: --engine ${engine} runs on this machine only`, 'use --engine native');
  if (agentTokenFile === undefined)
    throw badInput('--agents is given without --agent-token-file', MAKE_TOKEN);
  const texts = given.split(',').map((text) => text.trim());
  const twice = texts.find((text, i) => texts.indexOf(text) < i);
  if (twice !== undefined) throw badInput(`--agents: ${twice} is given twice, expected once`);
  if (texts.length > MOST_AGENTS)
    throw badInput(
      `--agents: got ${texts.length}, expected ${MOST_AGENTS} at most`,
      'for more machines: capbench export k8s',
    );
  const agents: AgentAddress[] = [];
  for (const text of texts) {
    const { host: name, port } = addressOf('--agents', text);
    const isNear = await isLoopbackHost('--agents', name);
    // Off loopback, the token and the values of headers would be read by others.
    agents.push({ host: name, port, shown: text, tls: !isNear || agentCa !== undefined });
    if (isNear) continue;
    const near = targets.find(({ addresses }) => addresses.every(isLoopback));
    if (near !== undefined || targets.length === 0)
      throw badInput(
        near === undefined
          ? `--agents: the servers of this scenario are started here, on loopback, where the agent ${text} cannot reach them`
          : `--agents: the target ${near.url} is loopback, which is another machine for the agent ${text}`,
        'name a server that listens on an address of its machine: --target http://10.0.0.4:8080 --i-own 10.0.0.4',
      );
  }
  return {
    agents,
    token: await readToken(host, '--agent-token-file', agentTokenFile),
    ca: agentCa === undefined ? null : await readCertificates(host, agentCa, '--agent-ca'),
    version: host.version,
  };
}
