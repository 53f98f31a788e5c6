import { writeFile } from 'node:fs/promises';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { basename } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { monotonic } from '../../clock.ts';
import { interrupted, messageOf, stackFailed } from '../../errors.ts';
import type { Exit } from '../../supervision/process.ts';
import { onAbort, settlesWithin } from '../../supervision/time-limit.ts';
import { micros } from '../../units.ts';
import type { AgentFacts } from '../engine.ts';
import type { FleetAgent, WorkerProcess } from '../fleet/fleet.ts';
import { isOrder, type Order, type Report } from '../fleet/messages.ts';
import { type ClockReading, clockFacts, type Exchange, readingOf } from './clocks.ts';
import { type FromAgent, isFromAgent, machineId, PROTOCOL, type ToAgent } from './messages.ts';
import { Wire } from './wire.ts';

/** An agent, by its address. */
export interface AgentAddress {
  readonly host: string;
  readonly port: number;
  /** As it was given. */
  readonly shown: string;
  readonly tls: boolean;
}

/** The agents of a run, and what lets it in. */
export interface AgentAccess {
  readonly agents: readonly AgentAddress[];
  readonly token: string;
  /** PEM; null: the certificates that Node trusts. */
  readonly ca: string | null;
  /** capbench's. */
  readonly version: string;
}

const ANSWER_MS = 10_000;
const START_MS = 20_000;
const STOP_MS = 8_000;
const MOST_SILENT_SECONDS = 8;
/** For a clock reading; fewer where they take longer than this. */
const EXCHANGES = 20;
const EXCHANGES_MS = 3_000;
const LOST_HINT =
  'see what the agent printed on its machine, and whether the network between the two holds; then run again';

type Welcome = Extract<FromAgent, { readonly kind: 'welcome' }>;

/** The connection to an agent, for one run. */
export class RemoteAgent implements FleetAgent {
  readonly address: string;
  private readonly wire: Wire;
  private readonly workers = new Map<number, RemoteWorker>();
  /** Unanswered questions for the time, by number. */
  private readonly asked = new Map<number, (at: number) => void>();
  private lastAsk = 0;
  private clock: NodeJS.Timeout | undefined;
  private readings: ClockReading[] = [];
  private welcomed: Welcome | null = null;
  private isClosing = false;
  private readonly gone: Promise<never>;
  private lose: (error: Error) => void = () => {};
  private onAnswer: (answer: FromAgent) => void = () => {};

  private constructor(socket: Socket, shown: string) {
    this.address = shown;
    this.gone = new Promise((_resolve, reject) => {
      this.lose = reject;
    });
    this.gone.catch(() => undefined);
    this.wire = new Wire(
      socket,
      (message) => this.receive(message),
      (reason) => this.end(reason),
    );
  }

  /** @throws CapbenchError 93 where there is no agent, or none that serves this run; 105 when aborted */
  static async connect(at: AgentAddress, access: AgentAccess, signal: AbortSignal): Promise<RemoteAgent> {
    const socket = await dial(at, access.ca, signal);
    const agent = new RemoteAgent(socket, at.shown);
    try {
      const answer = new Promise<FromAgent>((resolve) => {
        agent.onAnswer = resolve;
      });
      agent.send({ kind: 'hello', protocol: PROTOCOL, version: access.version, token: access.token });
      const first = await agent.within(answer, ANSWER_MS, 'did not answer', signal);
      if (first.kind === 'denied') throw stackFailed(`the agent ${at.shown}: ${first.message}`, first.hint);
      if (first.kind !== 'welcome') throw stackFailed(`${at.shown} is no agent`, 'check --agents');
      agent.welcomed = first;
      agent.wire.trust(MOST_SILENT_SECONDS);
      // The agent ends a run of which it hears nothing.
      agent.clock = setInterval(() => void agent.time(), 1_000);
      return agent;
    } catch (thrown) {
      agent.close();
      throw thrown;
    }
  }

  get welcome(): Welcome {
    if (this.welcomed === null) throw new Error('the agent has not answered yet');
    return this.welcomed;
  }

  /** Whether it is on the machine of this process. */
  get onThisHost(): boolean {
    return this.welcome.machine === machineId();
  }

  /** Starts a load worker there. Its last lines are written to `log` when it has ended. @throws CapbenchError 93 */
  async start(
    worker: number,
    name: string,
    log: string,
    moduleSha256: string | null,
  ): Promise<WorkerProcess> {
    const proxy = new RemoteWorker(name, log, `the agent ${this.address}`, {
      send: (order) =>
        this.send({
          ...{ kind: 'order', worker, order: this.translated(order) },
          ...(order.kind === 'setup' && moduleSha256 !== null ? { moduleSha256 } : {}),
        }),
      stop: () => this.send({ kind: 'stop', worker }),
      abandon: () => this.wire.destroy('a load worker there did not end'),
    });
    this.workers.set(worker, proxy);
    // The run may read it earlier.
    await writeFile(log, '', { mode: 0o600 });
    this.send({ kind: 'start', worker, marked: moduleSha256 !== null });
    await this.within(proxy.started, START_MS, `did not start load worker ${worker}`);
    return proxy;
  }

  /** Reads how its clock stands to this one's. @throws CapbenchError 93 when it is lost */
  async compareClocks(): Promise<void> {
    const exchanges: Exchange[] = [];
    const begin = monotonic();
    while (exchanges.length < EXCHANGES && monotonic() - begin < EXCHANGES_MS * 1e3)
      exchanges.push(await this.within(this.time(), ANSWER_MS, 'did not tell its time'));
    const reading = readingOf(exchanges);
    if (reading !== null) this.readings.push(reading);
  }

  facts(): AgentFacts | null {
    const [before, after] = this.readings;
    if (before === undefined) return null;
    return {
      address: this.address,
      workers: this.workers.size,
      onThisHost: this.onThisHost,
      ...clockFacts(before, after ?? null),
    };
  }

  /** The agent ends what is left of this run. Idempotent. */
  close(): void {
    this.isClosing = true;
    clearInterval(this.clock);
    this.wire.end();
  }

  /** GO on the agent's clock; modules by name, since its files are elsewhere. */
  private translated(order: Order): Order {
    if (order.kind === 'go') return { ...order, go: micros(order.go + (this.readings[0]?.offset ?? 0)) };
    if (order.kind !== 'setup') return order;
    const { workerModule, module, inputs } = order.setup;
    return {
      ...order,
      setup: {
        ...order.setup,
        workerModule: basename(workerModule, '.js'),
        module: module && { ...module, path: '' },
        inputs: { ...inputs, data: inputs.data && { ...inputs.data, path: '' } },
      },
    };
  }

  private send(message: ToAgent): void {
    this.wire.send(message);
  }

  private time(): Promise<Exchange> {
    const ask = ++this.lastAsk;
    return new Promise((resolve) => {
      const asked = monotonic();
      this.asked.set(ask, (at) => resolve({ asked, at, answered: monotonic() }));
      this.send({ kind: 'time', ask });
    });
  }

  private receive(message: unknown): void {
    if (!isFromAgent(message)) {
      this.wire.destroy('it sent no message of an agent');
    } else if (message.kind === 'time') {
      this.asked.get(message.ask)?.(message.at);
      this.asked.delete(message.ask);
    } else if (message.kind === 'welcome' || message.kind === 'denied') {
      this.onAnswer(message);
    } else {
      this.workers.get(message.worker)?.receive(message);
    }
  }

  private end(reason: string): void {
    clearInterval(this.clock);
    const lost = `the agent ${this.address} was lost: ${reason}`;
    this.lose(stackFailed(lost, LOST_HINT));
    for (const worker of this.workers.values()) worker.lose(this.isClosing ? null : lost, LOST_HINT);
  }

  private async within<T>(
    doing: Promise<T>,
    limitMs: number,
    what: string,
    signal?: AbortSignal,
  ): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    let forget = (): void => {};
    const not = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(stackFailed(`the agent ${this.address} ${what} within ${limitMs / 1e3} s`, LOST_HINT)),
        limitMs,
      );
      const stop = (): void => reject(interrupted('stopped while the agents were asked'));
      if (signal?.aborted === true) stop();
      else if (signal !== undefined) forget = onAbort(signal, stop);
    });
    try {
      return await Promise.race([doing, this.gone, not]);
    } finally {
      clearTimeout(timer);
      forget();
    }
  }
}

interface RemoteOrders {
  send(order: Order): void;
  stop(): void;
  abandon(): void;
}

type OfWorker = Extract<FromAgent, { readonly worker: number }>;

/** A load worker of an agent, as the fleet knows its own. */
class RemoteWorker implements WorkerProcess {
  readonly name: string;
  readonly log: string;
  readonly owner: string;
  readonly exited: Promise<Exit>;
  /** Rejects where it could not be started. */
  readonly started: Promise<void>;
  pid = 0;
  private readonly orders: RemoteOrders;
  private readonly listeners: ((message: unknown) => void)[] = [];
  private lastLines = '';
  private hasEnded = false;
  private onExit: (exit: Exit) => void = () => {};
  private onStart: (error: Error | null) => void = () => {};

  constructor(name: string, log: string, owner: string, orders: RemoteOrders) {
    this.name = name;
    this.log = log;
    this.owner = owner;
    this.orders = orders;
    this.exited = new Promise((resolve) => {
      this.onExit = resolve;
    });
    this.started = new Promise((resolve, reject) => {
      this.onStart = (error) => (error === null ? resolve() : reject(error));
    });
    this.started.catch(() => undefined);
  }

  send(message: unknown): void {
    if (isOrder(message)) this.orders.send(message);
  }

  onMessage(listener: (message: unknown) => void): void {
    this.listeners.push(listener);
  }

  tail(lines = 20): string {
    return this.lastLines.split('\n').slice(-lines).join('\n');
  }

  async stop(): Promise<Exit> {
    if (!this.hasEnded) this.orders.stop();
    if (!(await settlesWithin(this.exited, STOP_MS))) this.orders.abandon();
    return this.exited;
  }

  receive(message: OfWorker): void {
    if (message.kind === 'started') {
      this.pid = message.pid;
      this.onStart(null);
    } else if (message.kind === 'notStarted') {
      this.onStart(
        stackFailed(
          `load worker ${message.worker}: ${message.message}`,
          'see the limits of the load machine: capbench doctor',
        ),
      );
      void this.ended({ code: null, signal: null }, '');
    } else if (message.kind === 'report') {
      this.tell(message.report);
    } else {
      void this.ended(message.exit, message.log);
    }
  }

  /** The connection has ended; `because` is null where that was meant. */
  lose(because: string | null, hint: string): void {
    if (this.hasEnded) return;
    if (because !== null) this.tell({ kind: 'refused', message: because, hint });
    void this.ended({ code: null, signal: null }, this.lastLines);
  }

  private tell(report: Report): void {
    for (const listener of this.listeners) listener(report);
  }

  private async ended(exit: Pick<Exit, 'code' | 'signal'>, log: string): Promise<void> {
    if (this.hasEnded) return;
    this.hasEnded = true;
    const at = monotonic();
    this.lastLines = log;
    await writeFile(this.log, log, { mode: 0o600 }).catch(() => undefined);
    this.onExit({ ...exit, at });
  }
}

/** @throws CapbenchError 93, or 105 when aborted */
function dial(
  { host, port, shown, tls }: AgentAddress,
  ca: string | null,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(interrupted('stopped while the agents were asked'));
    const socket: Socket = tls
      ? connectTls({
          host,
          port,
          ...(ca === null ? {} : { ca }),
          ...(isIP(host) === 0 ? { servername: host } : {}),
        })
      : connectPlain({ host, port });
    const fail = (what: string, hint: string): void => {
      done();
      socket.destroy();
      reject(stackFailed(`the agent ${shown} ${what}`, hint));
    };
    const timer = setTimeout(() => fail(`did not answer within ${ANSWER_MS / 1e3} s`, NO_AGENT), ANSWER_MS);
    const forget = onAbort(signal, () => {
      done();
      socket.destroy();
      reject(interrupted('stopped while the agents were asked'));
    });
    const onError = (error: Error): void =>
      fail(
        `cannot be reached: ${messageOf(error)}`,
        tls ? `${NO_AGENT}; its certificate is checked: --agent-ca names the authority` : NO_AGENT,
      );
    const done = (): void => {
      clearTimeout(timer);
      forget();
      socket.off('error', onError);
    };
    socket.on('error', onError);
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      done();
      resolve(socket);
    });
  });
}
const NO_AGENT =
  'start it on that machine: capbench agent --listen HOST:PORT --token-file FILE --allow TARGET_HOST';
