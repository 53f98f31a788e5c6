import { FluxCodec } from '../../player.ts';

type Listener = Parameters<FluxCodec['decode']>[2];

/** Frames of events are kept unread up to so many. */
const MOST_UNREAD = 100;
const ONLY_EVENTS = '{"events":';

/**
 * The codec of the native engine, which reads late: most frames report what others did, and parsing them would be most
 * of what k6's interpreter does here. They are read when a player wants to know who is present, or never, where an
 * answer says it first.
 */
export class LateCodec extends FluxCodec {
  private readonly unread: string[][];
  private readonly onGarbage: (player: number) => void;

  constructor(seed: number, playerIds: readonly number[], onGarbage: (player: number) => void) {
    super(seed, playerIds);
    this.unread = playerIds.map(() => []);
    this.onGarbage = onGarbage;
  }

  override decode(player: number, frame: string, listener: Listener): boolean {
    const unread = this.unread[player]!;
    if (frame.startsWith(ONLY_EVENTS)) {
      unread.push(frame);
      if (unread.length >= MOST_UNREAD) this.catchUp(player);
      return true;
    }
    if (frame.includes('"present":')) unread.length = 0;
    else if (frame.includes('"events":')) this.catchUp(player);
    return super.decode(player, frame, listener);
  }

  protected override catchUp(player: number): void {
    const frames = this.unread[player]!.splice(0);
    for (let i = 0; i < frames.length; i++) {
      if (!super.decode(player, frames[i]!, NOBODY)) {
        this.onGarbage(player);
        return;
      }
    }
  }
}

/** Such frames hold no answers. */
const NOBODY: Listener = { answered: () => {}, stated: () => {} };
