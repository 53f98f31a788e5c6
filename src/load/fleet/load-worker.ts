import { stdout } from 'node:process';
import { monotonic } from '../../clock.ts';
import { CapbenchError, messageOf } from '../../errors.ts';
import { MicrosHistogram } from '../../hdr-histogram.ts';
import { perOperation } from '../../scenario/operations.ts';
import { peakOf } from '../../scenario/stages.ts';
import { DeliveryLog } from '../delivery-log.ts';
import { type SocketSecond, TRAFFIC, type TrafficCounts } from '../engine.ts';
import { ErrorCounts } from '../error-counts.ts';
import { SequenceLedger } from '../ledger.ts';
import { playerRate, workerOfPlayer } from '../pacer.ts';
import { Churn } from '../player/churn.ts';
import type { Protocol } from '../player/connection.ts';
import { Connector } from '../player/connector.ts';
import { PlayerPool } from '../player/player-pool.ts';
import type { SocketBytes } from '../player/player-sockets.ts';
import { Reconnector } from '../player/reconnector.ts';
import { PlayerFigures } from '../player-figures.ts';
import { Recorder } from '../recorder.ts';
import { ScheduleHash } from '../schedule-hash.ts';
import type { WorkerSlice } from '../slices.ts';
import {
  SOURCE_COUNTS,
  type Source,
  type SourceCounts,
  type SourceTools,
  type WorkerModule,
} from '../source.ts';
import {
  followsDeliveries,
  type Order,
  type Report,
  type WorkerSetup,
  type WorkerTally,
} from './messages.ts';
import { StageConnections } from './stage-connections.ts';
import { growthOf, sumOf } from './tally.ts';
import { WorkerHealth } from './worker-health.ts';
import { WorkerTimer } from './worker-timer.ts';

const SECOND = 1_000_000;
const SWEEP = 100_000;
const PROGRESS_MS = 100;
/**
 * Up to this many due times a second, a worker uses the precise timer and wakes for each of them (worker-timer.ts). Above, it
 * wakes every millisecond, and sends up to a millisecond late.
 */
const PRECISE_RATE = 1_500;
/** Operations that are hashed at once after the drain: about 10 ms. */
const HASH_SLICE = 200_000;
/** After an early stop, the most undue operations that are hashed: about 3 s. */
const HASH_MOST = 100_000_000;

/** Ids of a worker's players. */
export const playersOf = ({ worker, workers, workload }: WorkerSetup): Int32Array =>
  Int32Array.from({ length: workload.players }, (_, player) => player).filter(
    (player) => workerOfPlayer(player, workers, workload.group) === worker,
  );

/**
 * One load worker: connects its players and the system's other actors, keeps the schedule from GO on, drains, and reports
 * each second and the final tally.
 *
 *   connecting -> ready -> running -> draining -> done -> closed
 */
export class LoadWorker {
  private readonly setup: WorkerSetup;
  private readonly module: WorkerModule;
  private readonly send: (report: Report) => void;
  private readonly ids: Int32Array;
  private readonly tools: SourceTools;
  private readonly pool: PlayerPool;
  /** The system's other actors; set by `connect`. */
  private readonly sources: Source[] = [];
  private readonly health: WorkerHealth;
  /** Null before its players connect. */
  private timer: WorkerTimer | null = null;
  private connector: Connector | null = null;
  private protocol: Protocol | null = null;
  /** Null: lost connections are not reopened. */
  private reconnector: Reconnector | null = null;
  /** From the loss of a connection to the next welcome, of players and sources. */
  private readonly reconnect = new MicrosHistogram();
  private readonly stages: StageConnections;
  /** Of the players' sockets at GO: what was sent until then is no traffic of the load. */
  private bytesAtGo: SocketBytes = { in: 0, out: 0 };
  /** The connections that were opened by the last report. */
  private handshakesBefore = 0;
  /** The counts at the last report. */
  private trafficBefore: TrafficCounts = sumOf(TRAFFIC, []);
  private reportedUntil = 0;
  /** Of the players' sockets, both directions, in the seconds of which a part is in the measure phase. */
  private bytesInPhase = 0;
  private readonly churn: Churn;
  private go = Number.POSITIVE_INFINITY;
  /** The end of the schedule: the timeline's, or the time of an early stop. */
  private end: number;
  private nextSecond = SECOND;
  private nextSweep = SWEEP;
  /** Of deliveries only the fleet knows whether they are open: it was asked, and it has answered. */
  private saidDrained = false;
  private isSettled = false;
  /** The errors that are reported already; null before the tally. */
  private errorsReported: ReadonlyMap<string, number> | null = null;

  constructor(setup: WorkerSetup, module: WorkerModule, own: NodeJS.Process, send: (report: Report) => void) {
    const { workload } = setup;
    const { timeline, operations } = workload;
    this.setup = setup;
    this.module = module;
    this.send = send;
    this.end = timeline.end;
    this.ids = playersOf(setup);
    this.churn = new Churn(workload, setup);
    this.health = new WorkerHealth(own);
    this.tools = {
      recorder: new Recorder(operations, timeline),
      ledger: new SequenceLedger(workload.entities, workload.ledger ?? null, () => this.now()),
      hash: new ScheduleHash(),
      errors: new ErrorCounts(),
      deliveries: followsDeliveries(setup)
        ? new DeliveryLog((batch) => send({ kind: 'deliveries', batch }))
        : null,
      figures: new PlayerFigures(timeline),
      now: () => this.now(),
      reconnect: workload.reconnect ? this.reconnect : null,
      log: (line) => void stdout.write(`${line}\n`),
    };
    this.pool = new PlayerPool(workload, this.ids, this.tools);
    this.stages = new StageConnections(timeline.stages ?? [], this.pool, () => this.traffic());
  }

  /** connecting -> ready. */
  async connect(): Promise<void> {
    const { workload, workers } = this.setup;
    const { ids, pool } = this;
    const { errors } = this.tools;
    const perSecond = workload.connectsPerSecond / workers;
    let connector: Connector;
    try {
      const protocol = await this.module.openProtocol(this.setup, this.tools, ids);
      this.protocol = protocol;
      connector = new Connector(pool, protocol, errors);
      this.connector = connector;
      if (workload.reconnect) {
        const onBack = (sinceLost: number, took: number): void =>
          this.stages.back(this.now(), sinceLost, took);
        const plan = { seed: workload.seed, ids, perSecond, latency: this.reconnect, onBack };
        const target = {
          wants: (player: number) => pool.wants(player),
          resume: (...welcomed: Parameters<PlayerPool['resume']>) => {
            // Who is back counts in the stage in which the time of it is recorded.
            this.stages.cross(this.now());
            pool.resume(...welcomed);
          },
        };
        this.reconnector = new Reconnector({ ...plan, target, protocol, errors });
        pool.reconnectBy(this.reconnector);
      }
      this.sources.push(...((await this.module.openSources?.(this.setup, this.tools)) ?? []));
      await Promise.all(this.sources.map((source) => source.open()));
      this.timer = new WorkerTimer(
        { nextWake: () => this.nextWake(), turn: (at) => this.turn(at) },
        this.tools.now,
        this.perSecond() <= PRECISE_RATE,
      );
    } catch (thrown) {
      const hint = thrown instanceof CapbenchError ? (thrown.hint ?? null) : null;
      this.send({ kind: 'refused', message: messageOf(thrown), hint });
      return;
    }
    const progress = setInterval(() => {
      const { connected, failed } = connector.facts();
      this.send({ kind: 'connecting', connected, failed, refusal: connector.refusal });
    }, PROGRESS_MS);
    await connector.connectAll(pool.firstPlayers(), perSecond);
    clearInterval(progress);
    // A player that was welcomed and lost its connection does not count as connected.
    const facts = { ...connector.facts(), connected: pool.connected };
    this.send({ kind: 'ready', facts, refusal: connector.refusal });
  }

  /** ready -> running, at a time of the host's monotonic clock. */
  start(go: number): void {
    this.go = go;
    const { protocol } = this;
    if (protocol !== null) {
      this.handshakesBefore = protocol.sockets.opened;
      if (protocol.countsSockets) this.bytesAtGo = protocol.sockets.bytes();
    }
    this.pool.start();
    this.health.take(0, 0);
    this.timer?.start();
  }

  /** running -> draining, early. */
  stop(): void {
    const now = this.now();
    if (now >= this.end) return;
    // Before GO, the run has no length.
    this.end = Math.max(0, now);
    this.churn.stop();
    this.pool.presence?.stop();
    this.pool.stop(now);
    for (const source of this.sources) source.stop(now);
  }

  /** Cuts connections of its players, as a network failure would. */
  drop({ ask, sharePercent, seed, stage }: Extract<Order, { readonly kind: 'drop' }>): void {
    const players = this.stages.drop(this.now(), stage, sharePercent, seed);
    this.send({ kind: 'dropped', ask, players });
  }

  /** Every delivery was heard, or given up. */
  settled(): void {
    this.isSettled = true;
  }

  readLedger(ask: number): void {
    this.send({ kind: 'ledger', ask, ledger: this.tools.ledger.toData() });
  }

  /** What went over its players' connections until now. */
  readTraffic({ ask, each }: Extract<Order, { readonly kind: 'readTraffic' }>): void {
    const { bytesIn, bytesOut } = this.traffic();
    const connections = each ? (this.protocol?.sockets.each() ?? null) : null;
    this.send({ kind: 'traffic', ask, load: { in: bytesIn, out: bytesOut }, connections });
  }

  /** Closes every connection; `isClosed` once the servers have answered. */
  close(): void {
    this.errorsReported ??= new Map(this.tools.errors.entries());
    this.timer?.stop();
    this.connector?.stop();
    this.reconnector?.stop();
    this.pool.close();
    for (const source of this.sources) source.close();
  }

  get isClosed(): boolean {
    return this.pool.connected === 0;
  }

  /** Errors since the tally, or since `close` where there was none. */
  get lateErrors(): WorkerTally['errors'] {
    const { errorsReported } = this;
    return this.tools.errors.entries().flatMap(([message, count]) => {
      const more = count - (errorsReported?.get(message) ?? 0);
      return more > 0 ? [[message, more] as const] : [];
    });
  }

  /** Due times a second at the highest rate. */
  private perSecond(): number {
    const { workload } = this.setup;
    const players = peakOf(workload.timeline.stages) * this.ids.length * playerRate(workload);
    return this.sources.reduce((sum, { perSecond }) => sum + perSecond, players);
  }

  /** Microseconds after GO. */
  private now(): number {
    return Math.round(monotonic() - this.go);
  }

  private nextWake(): number {
    let due = Math.min(this.pool.nextDue, this.nextSecond, this.nextSweep);
    for (const source of this.sources) due = Math.min(due, source.nextDue);
    const joinOrLeave = Math.min(this.churn.due, this.pool.presence?.due ?? Number.POSITIVE_INFINITY);
    return Math.min(due, this.stages.nextBoundary, joinOrLeave);
  }

  private turn(now: number): boolean {
    if (now < 0) return false;
    this.stages.cross(now);
    this.pool.presence?.send(now, this.pool);
    this.churn.send(now, this.pool);
    let more = false;
    for (const source of this.sources) more = source.send(now) || more;
    more = this.pool.send(now) || more;
    if (now >= this.nextSweep) {
      this.nextSweep = now + SWEEP;
      this.pool.sweep(now);
      for (const source of this.sources) source.sweep(now);
      // Now the run waits for what is still to be heard.
      if (this.saidDrained) this.tools.deliveries?.flush();
    }
    if (now >= this.nextSecond) {
      const second = Math.floor(now / SECOND);
      this.nextSecond = (second + 1) * SECOND;
      this.reportSecond(second, second * SECOND, this.tools.recorder.slices.take(now));
    }
    if (now >= this.end && this.isDrained(now)) {
      this.finish(now).catch((thrown) => this.send({ kind: 'crashed', message: messageOf(thrown) }));
      return false;
    }
    return more;
  }

  private isDrained(now: number): boolean {
    if (now >= this.end + this.setup.workload.drain) return true;
    const { deliveries } = this.tools;
    if (!this.pool.isDrained || !this.sources.every((source) => source.isDrained)) return false;
    if (deliveries !== null && !this.saidDrained) {
      this.saidDrained = true;
      deliveries.flush();
      this.send({ kind: 'drained' });
    }
    return deliveries === null || this.isSettled;
  }

  /** draining -> done. */
  private async finish(now: number): Promise<void> {
    this.reconnector?.stop();
    this.pool.finish(now);
    for (const source of this.sources) source.finish(now);
    this.stages.close();
    // The rest of the last second.
    this.reportSecond(Math.ceil(now / SECOND), now, this.tools.recorder.slices.takeAll(now));
    this.timer?.stop();
    const hash = await this.hashAll();
    this.send({ kind: 'done', tally: this.tally(hash) });
  }

  /** The hash of the whole schedule, in slices, so that messages are handled in between. */
  private async hashAll(): Promise<WorkerTally['hash']> {
    const { operations, timeline } = this.setup.workload;
    const perSecond = operations.reduce((sum, operation) => sum + operation.perSecond, 0);
    const rate = (peakOf(timeline.stages) * perSecond) / this.setup.workers;
    if (((timeline.end - this.end) / 1e6) * rate > HASH_MOST) return null;
    for (const planned of [this.pool, ...this.sources]) {
      while (!planned.hashRest(HASH_SLICE)) await new Promise(setImmediate);
    }
    return this.tools.hash.words();
  }

  private tally(hash: WorkerTally['hash']): WorkerTally {
    this.errorsReported = new Map(this.tools.errors.entries());
    const stageOperations = this.tools.recorder.stageTallies();
    return {
      operations: this.tools.recorder.tally(),
      reconnect: this.reconnect.toData(),
      strayAnswers: this.pool.strayAnswers + this.ofSources().strayAnswers,
      ...this.traffic(),
      unseenTraffic: this.protocol?.unseenTraffic?.(this.isSilent()) ?? null,
      errors: this.tools.errors.entries(),
      figures: this.tools.figures.tally(),
      ledger: this.tools.ledger.toData(),
      endedAt: this.end,
      stages: this.stages.tally().map((stage, i) => ({ ...stage, operations: stageOperations[i]! })),
      hash,
    };
  }

  /** Operations were answered in the measure phase, and the players' sockets carried nothing in it. */
  private isSilent(): boolean {
    const all = Object.values(this.tools.recorder.tally());
    return this.bytesInPhase === 0 && all.some(({ measured: { ok, rejected } }) => ok + rejected > 0);
  }

  private inFlight(operation: number): number {
    return this.sources.reduce(
      (sum, source) => sum + source.inFlight(operation),
      this.pool.inFlight(operation),
    );
  }

  private ofSources(): SourceCounts {
    const counts = this.sources.map((source) => source.counts());
    return sumOf(SOURCE_COUNTS, counts);
  }

  /** Of players and sources together, since the worker started. */
  private traffic(): TrafficCounts {
    const { protocol, bytesAtGo } = this;
    const sockets = protocol?.countsSockets === true ? protocol.sockets.bytes() : bytesAtGo;
    const bytesIn = this.pool.bytesIn + sockets.in - bytesAtGo.in;
    const bytesOut = this.pool.bytesOut + sockets.out - bytesAtGo.out;
    const { framesIn } = this.pool;
    const others = this.ofSources();
    const commandBytes = others.bytesIn + others.bytesOut;
    const disconnects = this.pool.disconnects + others.disconnects;
    const reconnects = this.pool.reconnects + others.reconnects;
    return { bytesIn, bytesOut, framesIn, commandBytes, disconnects, reconnects };
  }

  private takeSockets(): SocketSecond {
    const { opened = 0, open = 0 } = this.protocol?.sockets ?? {};
    const handshakes = opened - this.handshakesBefore;
    this.handshakesBefore = opened;
    return { open, handshakes };
  }

  private reportSecond(second: number, at: number, slices: readonly WorkerSlice[]): void {
    const traffic = this.traffic();
    const growth = growthOf(TRAFFIC, this.trafficBefore, traffic);
    // First, since the report says that everything until then was sent.
    this.tools.deliveries?.flush();
    this.send({
      kind: 'second',
      report: {
        second,
        at,
        connected: this.pool.connected,
        operations: perOperation(this.setup.workload.operations, (_, operation) =>
          this.tools.recorder.takeSecond(operation, this.inFlight(operation)),
        ),
        ...growth,
        sockets: this.takeSockets(),
        slices,
        worker: this.health.take(this.timer?.takeLongestBlock() ?? 0, this.timer?.takeStalled() ?? 0),
      },
    });
    const { measureStart, end } = this.setup.workload.timeline;
    if (at > measureStart && this.reportedUntil < end) this.bytesInPhase += growth.bytesIn + growth.bytesOut;
    this.reportedUntil = at;
    this.trafficBefore = traffic;
  }
}
