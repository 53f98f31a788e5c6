import { writeFile } from 'node:fs/promises';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { basename } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { monotonic } from '../../clock.ts';
import { generatorFailed, interrupted, messageOf } from '../../errors.ts';
import { onAbort } from '../../supervision/time-limit.ts';
import { micros } from '../../units.ts';
import type { AgentFacts } from '../engine.ts';
import type { FleetAgent, WorkerProcess } from '../fleet/fleet.ts';
import type { Order } from '../fleet/messages.ts';
import { type ClockReading, clockFacts, type Exchange, readingOf } from './clocks.ts';
import { type FromAgent, isFromAgent, machineId, PROTOCOL, type ToAgent } from './messages.ts';
import { RemoteWorker } from './remote-worker.ts';
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
      if (first.kind === 'denied')
        throw generatorFailed(`the agent ${at.shown}: ${first.message}`, first.hint);
      if (first.kind !== 'welcome') throw generatorFailed(`${at.shown} is no agent`, 'check --agents');
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
    this.lose(generatorFailed(lost, LOST_HINT));
    for (const worker of this.workers.values()) worker.lose(this.isClosing ? null : lost, LOST_HINT);
  }

  private within<T>(doing: Promise<T>, limitMs: number, what: string, signal?: AbortSignal): Promise<T> {
    const late = (): Error =>
      generatorFailed(`the agent ${this.address} ${what} within ${limitMs / 1e3} s`, LOST_HINT);
    return inTime(Promise.race([doing, this.gone]), limitMs, late, signal);
  }
}

/** @throws what `late` returns after the time limit, CapbenchError 105 when aborted */
async function inTime<T>(
  doing: Promise<T>,
  limitMs: number,
  late: () => Error,
  signal?: AbortSignal,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let forget = (): void => {};
  const not = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late()), limitMs);
    const stop = (): void => reject(interrupted('stopped while the agents were asked'));
    if (signal?.aborted === true) stop();
    else if (signal !== undefined) forget = onAbort(signal, stop);
  });
  try {
    return await Promise.race([doing, not]);
  } finally {
    clearTimeout(timer);
    forget();
  }
}

/** @throws CapbenchError 93, or 105 when aborted */
async function dial(
  { host, port, shown, tls }: AgentAddress,
  ca: string | null,
  signal: AbortSignal,
): Promise<Socket> {
  const failed = (what: string, hint = NO_AGENT): Error =>
    generatorFailed(`the agent ${shown} ${what}`, hint);
  const socket: Socket = tls
    ? connectTls({
        host,
        port,
        ...(ca === null ? {} : { ca }),
        ...(isIP(host) === 0 ? { servername: host } : {}),
      })
    : connectPlain({ host, port });
  const connected = new Promise<void>((resolve, reject) => {
    const hint = tls ? `${NO_AGENT}; its certificate is checked: --agent-ca names the authority` : NO_AGENT;
    socket.on('error', (error) => reject(failed(`cannot be reached: ${messageOf(error)}`, hint)));
    socket.once(tls ? 'secureConnect' : 'connect', resolve);
  });
  try {
    await inTime(connected, ANSWER_MS, () => failed(`did not answer within ${ANSWER_MS / 1e3} s`), signal);
    return socket;
  } catch (thrown) {
    socket.destroy();
    throw thrown;
  }
}
const NO_AGENT =
  'start it on that machine: capbench agent --listen HOST:PORT --token-file FILE --allow TARGET_HOST';
