import { monotonic } from '../../clock.ts';
import { MicrosHistogram } from '../../hdr-histogram.ts';
import type { Complaints } from '../complaints.ts';
import type { ConnectFacts } from '../engine.ts';
import type { Crowd } from './crowd.ts';
import type { Voice } from './player.ts';
import { CONNECT_TIMEOUT_MS, openSocket } from './socket.ts';

const STEP_MS = 5;
const MOST_IN_FLIGHT = 128;
/** A player is told of its place and of eight others; this is far more than any frame it is owed. */
const MOST_PAYLOAD = 256 * 1024;

/** Where a player's socket goes, and from where. */
export interface Route {
  readonly url: string;
  /** Where the name in the URL is; absent where it holds an address. */
  readonly address?: string;
  /** A local address to bind; null for the system's choice. */
  readonly source: string | null;
}

/**
 * Connects the players of a worker: so many a second, a bounded number at once, none twice. A player is
 * connected once it is welcomed; TCP, upgrade and welcome together are its connect latency.
 */
export class Connector {
  failed = 0;
  private readonly latency = new MicrosHistogram();
  private readonly crowd: Crowd;
  private readonly voice: Voice;
  private readonly complaints: Complaints;
  private inFlight = 0;
  private started = 0;
  private done = 0;
  private step: NodeJS.Timeout | null = null;
  private stopped = false;

  constructor(crowd: Crowd, voice: Voice, complaints: Complaints) {
    this.crowd = crowd;
    this.voice = voice;
    this.complaints = complaints;
  }

  facts(): ConnectFacts {
    return {
      connected: this.done - this.failed,
      failed: this.failed,
      errors: this.complaints.top(5),
      connect: this.latency.toData(),
    };
  }

  /** Connects nobody from now on; whoever is just being welcomed is turned away. */
  stop(): void {
    this.stopped = true;
    if (this.step !== null) clearInterval(this.step);
  }

  /** Resolves when every player is connected or has failed; never when stopped before. */
  connectAll(players: number, perSecond: number, route: (player: number) => Route): Promise<void> {
    const begin = monotonic();
    return new Promise((resolve) => {
      this.step = setInterval(() => {
        const allowed = Math.min(players, Math.floor(((monotonic() - begin) / 1e6) * perSecond) + 1);
        while (this.started < allowed && this.inFlight < MOST_IN_FLIGHT) {
          this.connect(this.started, route(this.started));
          this.started += 1;
        }
        if (this.done < players) return;
        this.stop();
        resolve();
      }, STEP_MS);
    });
  }

  private connect(player: number, { url, source, address }: Route): void {
    const begin = monotonic();
    const socket = openSocket(url, source, MOST_PAYLOAD, address);
    this.inFlight += 1;
    let timer: NodeJS.Timeout | undefined;
    const settle = (): void => {
      this.inFlight -= 1;
      this.done += 1;
      clearTimeout(timer);
      socket.removeAllListeners();
    };
    const fail = (message: string): void => {
      settle();
      this.failed += 1;
      this.complaints.add(`a player could not connect: ${message}`);
      this.crowd.refuse(player);
      // Errors of a socket that is given up are nobody's business, but must not be thrown.
      socket.on('error', () => {});
      socket.terminate();
    };
    socket.on('open', () => {
      timer = setTimeout(() => fail(`no welcome within ${CONNECT_TIMEOUT_MS / 1e3} s`), CONNECT_TIMEOUT_MS);
    });
    socket.on('error', (error) => fail(error.message));
    socket.on('close', (code) => fail(`the server closed the connection before the welcome (code ${code})`));
    socket.on('message', (data) => {
      if (this.stopped) return fail('given up');
      const lastSequence = this.voice.welcome(player, data.toString());
      if (lastSequence === null) {
        fail('the first frame was no welcome');
        return;
      }
      settle();
      this.latency.record(monotonic() - begin, 1);
      this.crowd.welcome(player, socket, lastSequence);
    });
  }
}
