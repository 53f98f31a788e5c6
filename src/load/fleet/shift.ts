import { stdout } from 'node:process';
import { monotonic } from '../../clock.ts';
import { CapbenchError, messageOf } from '../../errors.ts';
import { MicrosHistogram } from '../../hdr-histogram.ts';
import { peakOf } from '../../scenario/stages.ts';
import { Monsters } from '../../systems/flux/monsters/monsters.ts';
import { MonsterNumbers } from '../../systems/flux/monsters/numbers.ts';
import { Posts } from '../../systems/flux/monsters/posts.ts';
import type { OpenWire } from '../../systems/flux/monsters/wire.ts';
import { Complaints } from '../complaints.ts';
import { SequenceLedger } from '../ledger.ts';
import { PlayerPacer, PostPacer, workerOfPlayer } from '../pacer.ts';
import { Churn } from '../player/churn.ts';
import type { Protocol } from '../player/connection.ts';
import { Connector } from '../player/connector.ts';
import { Crowd } from '../player/crowd.ts';
import { openProtocol } from '../player/protocols.ts';
import { Reconnector } from '../player/reconnector.ts';
import { INTENT, MONSTER_COMMAND, Recorder } from '../recorder.ts';
import { ScheduleHash } from '../schedule-hash.ts';
import type { WorkerSlice } from '../slices.ts';
import type { Order, Report, WorkerSetup, WorkerTally } from './messages.ts';
import { Metronome } from './metronome.ts';
import { StageWatch } from './stage-watch.ts';
import { Traffic } from './traffic.ts';
import { type OwnProcess, Vitals } from './vitals.ts';

const SECOND = 1_000_000;
const SWEEP = 100_000;
const PROGRESS_MS = 100;
/**
 * Intents and posts a second up to which a worker is woken for each, and spins for ALARM_AHEAD (metronome.ts) before
 * it at most. Above, it is woken each millisecond, and what it sends is up to a millisecond late.
 */
const PRECISE_RATE = 1_500;
/** Operations hashed in one go after the drain: some 10 ms. */
const HASH_SLICE = 200_000;
/** After an early stop, no more than this is hashed of what never came due: some 3 s. */
const HASH_MOST = 100_000_000;

/** Ids of a worker's players. */
export const playersOf = ({ worker, workers, workload }: WorkerSetup): Int32Array =>
  Int32Array.from({ length: workload.players }, (_, player) => player).filter(
    (player) => workerOfPlayer(player, workers) === worker,
  );

/**
 * A worker's whole work: connects its players and its lanes of monsters, keeps the schedule from GO on, drains,
 * and tells the fleet of each second and of the whole.
 *
 *   connecting -> ready -> running -> draining -> done -> closed
 */
export class Shift {
  private readonly setup: WorkerSetup;
  private readonly tell: (report: Report) => void;
  private readonly ids: Int32Array;
  private readonly complaints = new Complaints();
  private readonly recorder: Recorder;
  private readonly ledger: SequenceLedger;
  private readonly hash = new ScheduleHash();
  private readonly crowd: Crowd;
  private readonly monsters: Monsters;
  private readonly metronome: Metronome;
  private readonly vitals: Vitals;
  private connector: Connector | null = null;
  private protocol: Protocol | null = null;
  /** Null: who is lost stays lost. */
  private reconnector: Reconnector | null = null;
  /** From the end of a connection to the next welcome, players and monsters. */
  private readonly reconnect = new MicrosHistogram();
  private readonly traffic: Traffic;
  private readonly stages: StageWatch;
  private readonly churn: Churn;
  private go = Number.POSITIVE_INFINITY;
  /** Last due time: the timeline's, or the instant of an early stop. */
  private end: number;
  private nextSecond = SECOND;
  private nextSweep = SWEEP;

  constructor(setup: WorkerSetup, own: OwnProcess, openWire: OpenWire, tell: (report: Report) => void) {
    const { workload, worker, workers } = setup;
    const { seed, timeline, skipAfter, timeout, intentRate, outstanding, reconnect } = workload;
    this.setup = setup;
    this.tell = tell;
    this.end = timeline.end;
    this.ids = playersOf(setup);
    this.recorder = new Recorder(timeline);
    this.churn = new Churn(seed, workload.churn ?? [], workload.players, worker, workers);
    const peak = peakOf(timeline.stages);
    this.ledger = new SequenceLedger(workload.players + workload.monsters);
    this.vitals = new Vitals(own);
    const now = (): number => this.now();
    const shared = { recorder: this.recorder, ledger: this.ledger, complaints: this.complaints, now };
    this.crowd = new Crowd(
      { ids: this.ids, intentRate: peak * intentRate, outstanding, skipAfter, timeout },
      {
        ...shared,
        pacer: new PlayerPacer(seed, this.ids, intentRate, timeline),
        hash: this.hash,
      },
    );
    this.monsters = new Monsters(
      seed,
      `${setup.run}-${worker}`,
      setup.worlds,
      new PostPacer(seed, workload.postRate, workload.monsters, timeline, worker, workers),
      this.hash,
      {
        ...shared,
        openWire,
        posts: new Posts(workload.commandsPerPost),
        numbers: new MonsterNumbers(workload, setup, this.ledger, this.complaints),
        skipAfter,
        timeout,
        reconnect: reconnect ? { seed, latency: this.reconnect } : null,
      },
    );
    this.traffic = new Traffic(this.crowd, this.monsters);
    this.stages = new StageWatch(timeline.stages ?? [], this.crowd, this.monsters);
    const rate = peak * (this.ids.length * intentRate + workload.postRate / workers);
    this.metronome = new Metronome(
      { nextWake: () => this.nextWake(), turn: (at) => this.turn(at) },
      now,
      rate <= PRECISE_RATE,
    );
  }

  /** connecting -> ready. */
  async connect(): Promise<void> {
    const { workload, workers } = this.setup;
    const { ids, complaints, crowd } = this;
    const perSecond = workload.connectsPerSecond / workers;
    let connector: Connector;
    try {
      const log = (line: string): void => void stdout.write(`${line}\n`);
      const protocol = await openProtocol(this.setup, { ids, complaints, now: () => this.now(), log });
      this.protocol = protocol;
      connector = new Connector(crowd, protocol, complaints);
      this.connector = connector;
      if (workload.reconnect) {
        const onBack = (sinceLost: number, took: number): void =>
          this.stages.back(this.now(), sinceLost, took);
        const plan = { seed: workload.seed, ids, perSecond, latency: this.reconnect, onBack };
        this.reconnector = new Reconnector(plan, crowd, protocol, complaints);
        crowd.reconnectBy(this.reconnector);
      }
      await this.monsters.open();
    } catch (thrown) {
      const hint = thrown instanceof CapbenchError ? (thrown.hint ?? null) : null;
      this.tell({ kind: 'refused', message: messageOf(thrown), hint });
      return;
    }
    const progress = setInterval(() => {
      const { connected, failed } = connector.facts();
      this.tell({ kind: 'connecting', connected, failed, refusal: connector.refusal });
    }, PROGRESS_MS);
    await connector.connectAll(ids.length, perSecond);
    clearInterval(progress);
    // Who was welcomed and has left again does not count as connected.
    const facts = { ...connector.facts(), connected: crowd.connected };
    this.tell({ kind: 'ready', facts, refusal: connector.refusal });
  }

  /** ready -> running, at an instant of the host's monotonic clock. */
  start(go: number): void {
    this.go = go;
    this.crowd.start();
    this.vitals.take(0, 0);
    this.metronome.start();
  }

  /** running -> draining, ahead of time. */
  stop(): void {
    const now = this.now();
    if (now >= this.end) return;
    // Before GO as well: a run of no length.
    this.end = Math.max(0, now);
    this.churn.stop();
    this.crowd.stop(now);
    this.monsters.stop(now);
  }

  /** Cuts connections of its own players, as if the network had gone. */
  drop({ ask, sharePercent, seed, stage }: Extract<Order, { readonly kind: 'drop' }>): void {
    const players = this.stages.drop(this.now(), stage, sharePercent, seed);
    this.tell({ kind: 'dropped', ask, players });
  }

  /** What was sent and acknowledged until now. */
  tellLedger(ask: number): void {
    this.tell({ kind: 'ledger', ask, ledger: this.ledger.toData() });
  }

  /** Ends every connection; `isClosed` once the servers have agreed. */
  close(): void {
    this.metronome.stop();
    this.connector?.stop();
    this.reconnector?.stop();
    this.crowd.close();
    this.monsters.close();
  }

  get isClosed(): boolean {
    return this.crowd.connected === 0;
  }

  /** Microseconds after GO. */
  private now(): number {
    return Math.round(monotonic() - this.go);
  }

  private nextWake(): number {
    const due = Math.min(this.crowd.nextDue, this.monsters.nextDue, this.nextSecond, this.nextSweep);
    return Math.min(due, this.stages.nextBoundary, this.churn.due);
  }

  private turn(now: number): boolean {
    if (now < 0) return false;
    this.stages.cross(now);
    this.churn.send(now, this.crowd);
    const moreMonsters = this.monsters.send(now);
    const morePlayers = this.crowd.send(now);
    if (now >= this.nextSweep) {
      this.nextSweep = now + SWEEP;
      this.crowd.sweep(now);
      this.monsters.sweep(now);
    }
    if (now >= this.nextSecond) {
      const second = Math.floor(now / SECOND);
      this.nextSecond = (second + 1) * SECOND;
      this.report(second, second * SECOND, this.recorder.slices.take(now));
    }
    if (now >= this.end && this.isDrained(now)) {
      this.finish(now).catch((thrown) => this.tell({ kind: 'broken', message: messageOf(thrown) }));
      return false;
    }
    return moreMonsters || morePlayers;
  }

  private isDrained(now: number): boolean {
    return (this.crowd.isDrained && this.monsters.isDrained) || now >= this.end + this.setup.workload.drain;
  }

  /** draining -> done. */
  private async finish(now: number): Promise<void> {
    this.reconnector?.stop();
    this.crowd.finish(now);
    this.monsters.finish(now);
    this.stages.close();
    // What is left of the last second.
    this.report(Math.ceil(now / SECOND), now, this.recorder.slices.takeAll(now));
    this.metronome.stop();
    const hash = await this.hashAll();
    this.tell({ kind: 'done', tally: this.tally(hash) });
  }

  /** The hash of the whole schedule, in slices: orders of the fleet are heard between them. */
  private async hashAll(): Promise<WorkerTally['hash']> {
    const { players, intentRate, postRate, commandsPerPost, timeline } = this.setup.workload;
    const rate =
      (peakOf(timeline.stages) * (players * intentRate + postRate * commandsPerPost)) / this.setup.workers;
    if (((timeline.end - this.end) / 1e6) * rate > HASH_MOST) return null;
    while (!this.crowd.hashRest(HASH_SLICE) || !this.monsters.hashRest(HASH_SLICE)) {
      await new Promise(setImmediate);
    }
    return this.hash.words();
  }

  private tally(hash: WorkerTally['hash']): WorkerTally {
    return {
      operations: this.recorder.tally(),
      reconnect: this.reconnect.toData(),
      strayAnswers: this.crowd.strayAnswers + this.monsters.strayAnswers,
      ...this.traffic.total(),
      unseenTraffic: this.protocol?.unseenTraffic ?? null,
      complaints: this.complaints.entries(),
      ledger: this.ledger.toData(),
      endedAt: this.end,
      stages: this.stageTallies(),
      hash,
    };
  }

  private stageTallies(): WorkerTally['stages'] {
    const operations = this.recorder.stageTallies();
    return this.stages.tally().map((stage, i) => ({ ...stage, operations: operations[i]! }));
  }

  private report(second: number, at: number, slices: readonly WorkerSlice[]): void {
    this.tell({
      kind: 'second',
      report: {
        second,
        at,
        connected: this.crowd.connected,
        operations: {
          intent: this.recorder.takeSecond(INTENT, this.crowd.inFlight),
          monsterCommand: this.recorder.takeSecond(MONSTER_COMMAND, this.monsters.inFlight),
        },
        ...this.traffic.take(),
        slices,
        worker: this.vitals.take(this.metronome.takeLongestBlock(), this.metronome.takeStalled()),
      },
    });
  }
}
