import { mulberry32, streamSeed } from '../../rng.ts';
import { STREAM } from '../streams.ts';
import type { Connection } from './connection.ts';

/** A share of the connections that are open: the seed decides which; the share, rounded, how many. */
export function drawShare(
  connections: readonly (Connection | null)[],
  ids: Int32Array,
  sharePercent: number,
  seed: number,
): readonly Connection[] {
  const draws = connections
    .flatMap((connection, player) =>
      connection?.isOpen
        ? [{ connection, draw: mulberry32(streamSeed(seed, STREAM.cut, ids[player]!)) }]
        : [],
    )
    .sort((a, b) => a.draw - b.draw);
  return draws.slice(0, Math.round((draws.length * sharePercent) / 100)).map(({ connection }) => connection);
}
