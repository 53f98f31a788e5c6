/**
 * A null world for the benchmarks, which says what came in and went out. Told to, it stalls: blocked for so many
 * milliseconds at the start of each so many.
 */
import { NullWorld } from '../../src/systems/flux/null/server.ts';

const [players = 0, monsters = 0, stallMs = 0, everyMs = 0] = process.argv.slice(2).map(Number);
const world = new NullWorld({ instance: 1, instances: 1, players, monsters });

if (stallMs > 0) {
  setInterval(() => {
    const until = performance.now() + stallMs;
    while (performance.now() < until);
  }, everyMs);
}

world.http.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  const address = world.http.address();
  if (typeof address === 'object' && address !== null) process.send?.({ port: address.port });
});
process.on('message', () => process.send?.({ ...world.counts }));
process.on('disconnect', () => process.exit(0));
