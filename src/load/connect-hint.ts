import type { Endpoints } from '../stack/stack.ts';

/** What to do about players that could not connect, where their cause says nothing: nobody here has the logs of a target. */
export const connectHint = ({ worlds }: Pick<Endpoints, 'worlds'>): string =>
  worlds.every(({ pid }) => pid === null)
    ? 'Check that the server still runs and what its own log says of these connections, or lower load.connectsPerSecond or --scale.'
    : 'Check that the servers still run (their logs are in the bundle), or lower --scale or load.connectsPerSecond.';
