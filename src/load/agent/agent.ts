import { createHash, timingSafeEqual } from 'node:crypto';
import { type AddressInfo, createServer, isIP, type Server, type Socket } from 'node:net';
import { devNull } from 'node:os';
import { createServer as createTlsServer } from 'node:tls';
import { pathToFileURL } from 'node:url';
import { hostOf, locate, surroundings } from '../../address/target-address.ts';
import { monotonic } from '../../clock.ts';
import { badInput, CapbenchError, messageOf, stackFailed } from '../../errors.ts';
import { bundleFile } from '../../supervision/bundle-file.ts';
import { type NodeProcess, startProcess } from '../../supervision/process.ts';
import { settlesWithin } from '../../supervision/time-limit.ts';
import type { Watchdog } from '../../supervision/watchdog.ts';
import { type FleetWorld, isOrder, isReport, type Order, type WorkerSetup } from '../fleet/messages.ts';
import { readHostLimits } from '../limits.ts';
import { type FromAgent, isToAgent, machineId, PROTOCOL, type ToAgent } from './messages.ts';
import { Wire } from './wire.ts';

/** Until the token was checked: no more bytes than this, no longer, and from no more peers at once. */
const HELLO_BYTES = 4_096;
const HELLO_MS = 5_000;
const MOST_PEERS = 16;
/** A run that has just ended may still be closing. */
const BUSY_MS = 5_000;
/** The run asks for the time every second. */
const MOST_SILENT_SECONDS = 20;
const LOG_LINES = 200;
const BUNDLE = /^[a-z\d-]+-worker$/;

/** A file that this agent's workers may use: whoever runs the scenario has to have the same. */
export interface AgentFile {
  /** Absolute. */
  readonly path: string;
  /** In hex. */
  readonly sha256: string;
}

export interface AgentPlan {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** PEM; null: without TLS. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly token: string;
  /** capbench's: a run of another one is refused. */
  readonly version: string;
  /** The hosts that may be loaded from here, as in a URL, without brackets. */
  readonly allowed: readonly string[];
  readonly files: readonly AgentFile[];
  readonly watchdog: Watchdog;
  readonly say: (line: string) => void;
}

export interface OpenAgent {
  readonly port: number;
  /** Ends every worker and connection. Idempotent. */
  close(): Promise<void>;
}

/** Serves one run at a time. Rejects with exit code 93 where it cannot listen. */
export async function openAgent(plan: AgentPlan): Promise<OpenAgent> {
  const sessions = new Set<Session>();
  const turn: Turn = { serving: null };
  const onConnection = (socket: Socket): void => {
    const session = new Session(socket, plan, turn);
    sessions.add(session);
    void session.ended.then(() => sessions.delete(session));
  };
  const server: Server =
    plan.tls === null
      ? createServer(onConnection)
      : createTlsServer({ ...plan.tls, handshakeTimeout: HELLO_MS }, onConnection).on(
          'tlsClientError',
          () => undefined,
        );
  server.maxConnections = MOST_PEERS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        stackFailed(
          `the agent cannot listen at ${plan.host}:${plan.port}: ${messageOf(error)}`,
          'name another port in --listen',
          error,
        ),
      ),
    );
    server.listen(plan.port, plan.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async close() {
      server.close();
      await Promise.all([...sessions].map((session) => session.close('the agent was stopped')));
    },
  };
}

/** Which session has the agent. */
interface Turn {
  serving: Session | null;
}

/** One connection: a hello, and then the workers of one run, which end with it. */
class Session {
  /** Resolves once the connection has ended, and every worker of it. */
  readonly ended: Promise<void>;
  private readonly plan: AgentPlan;
  private readonly turn: Turn;
  private readonly peer: string;
  private readonly wire: Wire;
  private readonly workers = new Map<number, NodeProcess>();
  private readonly helloTimer: NodeJS.Timeout;
  private greeted = false;
  private hasEnded = false;
  /** One after another, since the messages to a worker have an order. */
  private tasks: Promise<void> = Promise.resolve();

  constructor(socket: Socket, plan: AgentPlan, turn: Turn) {
    this.plan = plan;
    this.turn = turn;
    this.peer = socket.remoteAddress ?? 'an unknown address';
    this.helloTimer = setTimeout(() => socket.destroy(), HELLO_MS);
    let onEnded = (): void => {};
    this.ended = new Promise((resolve) => {
      onEnded = resolve;
    });
    const onEnd = (): void => void this.endWorkers().then(onEnded);
    this.wire = new Wire(socket, (message) => this.receive(message), onEnd, HELLO_BYTES);
  }

  close(reason: string): Promise<void> {
    this.wire.destroy(reason);
    return this.ended;
  }

  private send(message: FromAgent): void {
    this.wire.send(message);
  }

  private receive(message: unknown): void {
    if (!isToAgent(message)) {
      this.wire.destroy('it sent no message that an agent knows');
    } else if (message.kind === 'hello') {
      if (!this.greeted) void this.greet(message);
      this.greeted = true;
    } else if (this.turn.serving !== this) {
      this.wire.destroy('it has not said who it is');
    } else if (message.kind === 'time') {
      this.send({ kind: 'time', ask: message.ask, at: monotonic() });
    } else {
      this.tasks = this.tasks.then(() => this.follow(message));
    }
  }

  private async greet(hello: Extract<ToAgent, { readonly kind: 'hello' }>): Promise<void> {
    const { plan, turn } = this;
    const deny = (message: string, hint: string): void => {
      plan.say(`denied ${this.peer}: ${message}`);
      this.send({ kind: 'denied', message, hint });
      this.wire.end();
    };
    if (typeof hello.token !== 'string' || !isSame(hello.token, plan.token))
      return deny('the token is wrong', 'use the file that the agent got with --token-file');
    clearTimeout(this.helloTimer);
    if (hello.protocol !== PROTOCOL || hello.version !== plan.version)
      return deny(
        `it is capbench ${plan.version}, and the run is of ${hello.version}`,
        'install the same version on both machines',
      );
    const before = turn.serving;
    if (before !== null) await settlesWithin(before.ended, BUSY_MS);
    if (turn.serving !== null) return deny('it serves another run', 'wait until that has ended');
    if (this.hasEnded) return;
    turn.serving = this;
    this.wire.trust(MOST_SILENT_SECONDS);
    plan.say(`a run from ${this.peer} begins`);
    this.send({ kind: 'welcome', pid: process.pid, machine: machineId(), limits: readHostLimits() });
  }

  /** Never rejects. */
  private async follow(message: Exclude<ToAgent, { readonly kind: 'hello' | 'time' }>): Promise<void> {
    const { worker } = message;
    if (message.kind === 'start') return this.start(worker, message.marked);
    const child = this.workers.get(worker);
    // It has ended by itself, and was reported.
    if (child === undefined) return;
    if (message.kind === 'stop') {
      void child.stop();
      return;
    }
    try {
      child.send(await this.own(message.order, message.moduleSha256));
    } catch (thrown) {
      const hint = thrown instanceof CapbenchError ? (thrown.hint ?? null) : null;
      const report = { kind: 'refused', message: messageOf(thrown), hint, of: 'generator' } as const;
      this.send({ kind: 'report', worker, report });
    }
  }

  private async start(worker: number, marked: boolean): Promise<void> {
    if (this.hasEnded || this.workers.has(worker)) return;
    const { watchdog } = this.plan;
    try {
      const child = await startProcess({
        ...{ name: `fleet-${worker}`, module: bundleFile('fleet-worker'), log: devNull, watchdog },
        ...(marked ? { endMethod: 'marked' } : {}),
      });
      this.workers.set(worker, child);
      child.onMessage((report) => {
        if (isReport(report)) this.send({ kind: 'report', worker, report });
      });
      void child.exited.then(({ code, signal }) => {
        this.workers.delete(worker);
        this.send({ kind: 'exited', worker, exit: { code, signal }, log: child.tail(LOG_LINES) });
      });
      this.send({ kind: 'started', worker, pid: child.pid });
    } catch (thrown) {
      this.send({ kind: 'notStarted', worker, message: messageOf(thrown) });
    }
  }

  /** @throws CapbenchError for what this agent was not started for */
  private async own(order: Order, moduleSha256: string | undefined): Promise<Order> {
    if (!isOrder(order) || order.kind === 'prepare') throw new Error('an agent has no such order');
    return order.kind === 'setup'
      ? { kind: 'setup', setup: await ownSetup(order.setup, moduleSha256, this.plan) }
      : order;
  }

  private async endWorkers(): Promise<void> {
    this.hasEnded = true;
    clearTimeout(this.helloTimer);
    await this.tasks;
    const children = [...this.workers.values()];
    await Promise.all(children.map((child) => child.stop()));
    if (this.turn.serving !== this) return;
    this.turn.serving = null;
    this.plan.say(`the run from ${this.peer} has ended`);
  }
}

/** In constant time, whatever their lengths. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/** A setup of another machine with this one's files, and with targets that were allowed here. */
async function ownSetup(
  setup: WorkerSetup,
  moduleSha256: string | undefined,
  { allowed, files }: AgentPlan,
): Promise<WorkerSetup> {
  if (!BUNDLE.test(setup.workerModule)) throw new Error(`${setup.workerModule} is no worker module`);
  const { module, inputs } = setup;
  const pathOf = (what: string, sha256: string | undefined): string => {
    const found = files.find((file) => file.sha256 === sha256);
    if (found !== undefined) return found.path;
    throw badInput(
      `the agent was not started with ${what}, or has another version of it`,
      'copy the file to the load machine, and start the agent with --file FILE',
    );
  };
  return {
    ...setup,
    workerModule: pathToFileURL(bundleFile(setup.workerModule)).href,
    worlds: await Promise.all(setup.worlds.map((world) => ownWorld(world, allowed))),
    module: module === null ? null : { ...module, path: pathOf(module.name, moduleSha256) },
    inputs:
      inputs.data === null
        ? inputs
        : { ...inputs, data: { ...inputs.data, path: pathOf(inputs.data.name, inputs.data.sha256) } },
  };
}

/** Its name is resolved here: who allowed a host has not allowed any address that another machine has for it. */
async function ownWorld(
  { address: _, ...world }: FleetWorld,
  allowed: readonly string[],
): Promise<FleetWorld> {
  const url = new URL(world.url);
  const host = hostOf(url);
  if (!allowed.includes(host))
    throw badInput(
      `the target ${url.host} is not allowed at this agent`,
      `where you may load it, start the agent with --allow ${host}`,
    );
  const named = { subject: 'the target', host, shown: url.host, example: 'use an address of one machine' };
  const { addresses } = await locate(named, allowed, surroundings());
  const [address] = addresses;
  return isIP(host) !== 0 || address === undefined ? world : { ...world, address };
}
