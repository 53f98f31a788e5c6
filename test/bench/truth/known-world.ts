/**
 * A world whose delays are known: a null world that holds each answer for as long as a model of delays.ts says.
 * `known-world <model> <players> <monsters>`. Asked, it tells what it did since it was asked before.
 */
import { percentileOf } from '../../../src/histogram.ts';
import { NullWorld } from '../../../src/systems/flux/null/server.ts';
import { DelayLine } from './delay-line.ts';
import { MODELS } from './delays.ts';
import { PERCENTS } from './percentiles.ts';

const SEED = 11;

const [name = '', players = '0', monsters = '0'] = process.argv.slice(2);
const model = MODELS[name];
if (model === undefined) throw new Error(`there is no model ${name}: ${Object.keys(MODELS).join(', ')}`);
const line = new DelayLine(model(SEED));
const world = new NullWorld(
  { instance: 1, instances: 1, players: Number(players), monsters: Number(monsters) },
  line.release,
);

world.http.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  const address = world.http.address();
  if (typeof address === 'object' && address !== null) process.send?.({ port: address.port });
});
process.on('message', () => {
  const [taken, late] = [line.taken.take(), line.late.take()];
  const figures: Record<string, number> = { lateP99: percentileOf(late, 99) ?? 0, lateMax: late.max };
  for (const percent of PERCENTS) figures[`p${percent}`] = percentileOf(taken, percent) ?? 0;
  process.send?.(figures);
});
process.on('disconnect', () => process.exit(0));
