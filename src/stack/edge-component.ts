import { once } from 'node:events';
import { chown, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { connectorOptions, type Reachable } from '../address/access.ts';
import { messageOf, stackFailed } from '../errors.ts';
import type { EdgeSettings } from '../scenario/edge.ts';
import { readDescriptors } from '../supervision/descriptors.ts';
import { describeExit, type SupervisedProcess, startProcess } from '../supervision/process.ts';
import { stablePort } from '../supervision/stable-port.ts';
import { pause, START_LIMITS, unlessAborted, within } from '../supervision/time-limit.ts';
import type { StackFailure } from '../supervision/watchdog.ts';
import { toMillis } from '../units.ts';
import { type ComponentProcess, openComponent } from './component.ts';
import type { ComponentSpec, StartContext } from './component-spec.ts';
import { makeCertificate } from './edge-certificate.ts';
import type { EdgePlan } from './edge-configuration.ts';
import { type EdgeProgram, findEdge } from './edge-program.ts';
import { isTimed, NOT_READ, openYardstick, readHaproxy } from './edge-reading.ts';
import { haproxyArguments, haproxyConfiguration } from './haproxy.ts';
import { nginxArguments, nginxConfiguration } from './nginx.ts';
import { HOST } from './server.ts';
import { edgeSettings } from './settings.ts';

const POLL_MS = 20;
const ANSWER_MS = 2_000;
/** More would reserve memory that no load of one host needs. */
const MOST_CONNECTIONS = 16_384;
/** Of the proxy itself: its listener, its logs, the checks of the servers. */
const SPARE_DESCRIPTORS = 128;

/** The proxy in front of these servers, if the scenario has one. */
export const edgeComponents = (
  edge: EdgeSettings | undefined,
  servers: readonly ComponentSpec[],
): readonly ComponentSpec[] =>
  edge === undefined
    ? []
    : [
        edgeComponent(
          edge,
          servers.map(({ name }) => name),
        ),
      ];

/**
 * The component `edge`: a proxy in front of the servers of these components, at an address that it keeps over restarts
 * (`addresses.edge`). It is ready once a server answers `GET /health` through it.
 */
export const edgeComponent = (edge: EdgeSettings, serverNames: readonly string[]): ComponentSpec => ({
  name: 'edge',
  faults: ['kill', 'stop', 'restart'],
  after: serverNames,
  // It accepts connections: as root it would be more powerful than it needs to be.
  unprivileged: true,
  async start(context) {
    const { env, folder, user, signal, closing, started } = context;
    const program = await findEdge(edge.program, env);
    const own = await folder.folder('edge', user);
    const certificate = await makeCertificate(edge, HOST, own, env, user);
    const yardstick = isTimed(edge) ? await openYardstick(edge) : null;
    const plan: EdgePlan = {
      edge,
      host: HOST,
      port: await freePort(),
      servers: serverNames.map((name) => ({ name, address: addressOf(started(name).server?.url) })),
      folder: own,
      connections: connectionsWithin(edge, readDescriptors('self')),
      certificate: certificate?.file ?? null,
      yardstick: yardstick?.address ?? null,
    };
    const file = join(own, 'edge.conf');
    const text = edge.program === 'nginx' ? nginxConfiguration(plan) : haproxyConfiguration(plan);
    await writeFile(file, text, { mode: 0o600 });
    if (user !== null) await chown(file, user.uid, user.gid);
    const args =
      edge.program === 'nginx' ? nginxArguments(program.version, file, own) : haproxyArguments(file);
    const url = `${certificate === null ? 'http' : 'https'}://${HOST}:${plan.port}`;
    const reached = { url, ...(certificate === null ? {} : { ca: certificate.ca }) };
    const start = (aborted: AbortSignal): Promise<ComponentProcess> =>
      startEdge({ program, args, reached, pollMs: pollMsOf(edge), folder: own }, context, aborted);
    const running = await start(signal).catch((error) => {
      yardstick?.close();
      throw error;
    });
    const component = openComponent(running, start, closing);
    const reading = edge.program === 'nginx' ? NOT_READ : await readHaproxy(edge, reached, own, yardstick);
    yardstick?.close();
    return {
      component,
      // The certificate is what the load trusts.
      addresses: { edge: url, ...(certificate === null ? {} : { edgeCa: certificate.ca }) },
      settings: edgeSettings(edge, program.version, reading),
    };
  },
});

const addressOf = (url: string | undefined): string => {
  if (url === undefined) throw new Error('an edge stands only in front of servers');
  return new URL(url).host;
};

function connectionsWithin({ connections }: EdgeSettings, descriptors: number | null): number {
  const room = Math.floor(((descriptors ?? 4 * 1024) - SPARE_DESCRIPTORS) / 2);
  return Math.max(1, Math.min(connections ?? MOST_CONNECTIONS, room));
}

/** Its own questions must not use up what it grants an address: a third of that. */
const pollMsOf = ({ perAddress }: EdgeSettings): number =>
  perAddress === undefined
    ? POLL_MS
    : Math.max(POLL_MS, (3 * toMillis(perAddress.within)) / perAddress.opened);

/** A proxy cannot report which port it got, so one is chosen for it. */
async function freePort(): Promise<number> {
  const stable = await stablePort(HOST);
  if (stable !== 0) return stable;
  const server = createServer().listen({ host: HOST, port: 0 });
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

interface EdgeStart {
  readonly program: EdgeProgram;
  readonly args: readonly string[];
  readonly reached: Reachable;
  /** The time from one question whether it answers to the next. */
  readonly pollMs: number;
  readonly folder: string;
}

/** Resolves when a server answers through it; where it rejects, it has ended. */
async function startEdge(
  { program, args, reached, pollMs, folder: cwd }: EdgeStart,
  { folder, watchdog, user, confine }: StartContext,
  aborted: AbortSignal,
): Promise<ComponentProcess> {
  const edge = await startProcess({
    ...{ name: 'edge', command: program.path, args, cwd, watchdog, user },
    log: folder.file('edge.log'),
    endMethod: 'tree',
    lowPriority: true,
    confine,
  });
  const failure = new Promise<StackFailure>((resolve) => {
    void edge.exited.then((exit) => {
      if (edge.stopping) return;
      resolve({
        component: 'edge',
        message: `the edge proxy ended unexpectedly: ${describeExit(exit)}`,
        hint: exit.signal === 'SIGKILL' ? 'check whether the host ran out of memory' : 'see logs/edge.log',
      });
    });
  });
  const answers = (signal: AbortSignal) =>
    unlessAborted(untilAnswered(edge, reached, pollMs, signal), signal);
  try {
    await answers(aborted);
  } catch (error) {
    await edge.stop();
    throw error;
  }
  return { process: edge, failure, answers };
}

/** A server that is down behind it, by a fault, does not make it unready: another one answers. */
async function untilAnswered(
  edge: SupervisedProcess,
  reached: Reachable,
  pollMs: number,
  signal: AbortSignal,
): Promise<void> {
  const until = performance.now() + START_LIMITS.answer;
  for (;;) {
    const problem = await problemAt(reached);
    // Another process may have answered in its place.
    if (edge.hasEnded) throw edgeFailed(edge, `ended: ${describeExit(await edge.exited)}`);
    if (problem === null) return;
    if (performance.now() > until)
      throw edgeFailed(edge, `did not answer ${within(START_LIMITS.answer)}: ${problem}`);
    // One that does not listen yet counts no connection.
    await pause(problem.includes('ECONNREFUSED') ? POLL_MS : pollMs, signal);
  }
}

/** Why no server answers there; null where one does. */
async function problemAt(reached: Reachable): Promise<string | null> {
  const connect = connectorOptions(reached);
  const agent = new Agent(connect === null ? {} : { connect });
  try {
    const { statusCode, body } = await request(`${reached.url}/health`, {
      ...{ reset: true, signal: AbortSignal.timeout(ANSWER_MS), dispatcher: agent },
    });
    await body.dump();
    return statusCode < 500 ? null : `status ${statusCode}`;
  } catch (error) {
    return messageOf(error);
  } finally {
    await agent.destroy();
  }
}

function edgeFailed(edge: SupervisedProcess, happened: string) {
  const log = edge.tail(5);
  return stackFailed(
    `the edge proxy ${happened}${log === '' ? '' : `\n${log.replace(/^/gm, '  | ')}`}`,
    log === '' ? 'see logs/edge.log' : 'see the last lines of its log above',
  );
}
