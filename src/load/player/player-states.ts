import { PLAYER } from './player.ts';

/** What each player of a worker is (player.ts), and what it will be when it is connected again. */
export class PlayerStates {
  readonly players: number;
  private readonly state: Uint8Array;
  private readonly resumesAs: Uint8Array;

  constructor(players: number) {
    this.players = players;
    this.state = new Uint8Array(players);
    this.resumesAs = new Uint8Array(players);
  }

  /** connecting -> ready. */
  welcome(player: number): void {
    this.state[player] = PLAYER.ready;
  }

  /** GO: ready -> playing. Players that are lost have a schedule all the same. */
  start(): void {
    for (let player = 0; player < this.players; player++) {
      if (this.state[player] === PLAYER.ready) this.state[player] = PLAYER.playing;
      this.resumesAs[player] = PLAYER.playing;
    }
  }

  /** Nothing more is due: playing -> draining. */
  drain(player: number): void {
    this.resumesAs[player] = PLAYER.draining;
    if (this.state[player] === PLAYER.playing) this.state[player] = PLAYER.draining;
  }

  /** -> reconnecting. */
  suspend(player: number): void {
    this.resumesAs[player] = this.state[player]!;
    this.state[player] = PLAYER.reconnecting;
  }

  /** reconnecting -> ready, playing or draining. */
  resume(player: number): void {
    this.state[player] = this.resumesAs[player]!;
  }

  /** -> lost. */
  lose(player: number): void {
    this.state[player] = PLAYER.lost;
  }

  /** -> closed; false for one that is lost. */
  close(player: number): boolean {
    if (this.isLost(player)) return false;
    this.state[player] = PLAYER.closed;
    return true;
  }

  isLost(player: number): boolean {
    return this.state[player] === PLAYER.lost;
  }

  isClosed(player: number): boolean {
    return this.state[player] === PLAYER.closed;
  }

  /** playing or draining. */
  isThere(player: number): boolean {
    const state = this.state[player];
    return state === PLAYER.playing || state === PLAYER.draining;
  }
}
