import type { WorldContext } from './player-code.ts';

/** Counts what a server may not send; `name`: as `player.<name>`, where it is not a frame by itself that is wrong. */
export type CountWrong = (context: WorldContext, what: string, frame: unknown, name?: string) => void;

/** Wrong frames that a load worker logs, and how much of each. */
const MOST_LOGGED = 20;
const LONGEST = 200;

/** Counts wrong frames of a reference world's servers as `player.wrongFrames`, and logs the first ones. */
export function wrongFrames(): CountWrong {
  let logged = 0;
  return (context, what, frame, name = 'wrongFrames') => {
    context.measure(name, 1);
    logged += 1;
    if (logged <= MOST_LOGGED) context.log(`${what}: ${JSON.stringify(frame)?.slice(0, LONGEST)}`);
  };
}
