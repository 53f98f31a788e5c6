import { z } from 'zod';
import {
  count,
  counts,
  figure,
  latency,
  loadShares,
  operations,
  percentiles,
  text,
} from './figure-schemas.ts';

/** A stage in report.json. */
export const stageSchema = z
  .object({
    name: text,
    from: z.number(),
    to: z.number(),
    rateBefore: count.describe('Times the rates of the load, of the stage before.'),
    rate: count.describe('Times the rates of the load.'),
    ramped: z.boolean().describe('It took a while to get from the one to the other.'),
    load: z.object({
      durationSeconds: figure,
      operations: operations(counts),
      ...loadShares,
    }),
    latency: operations(latency),
    throughput: z.object({
      operationsPerSecond: figure,
      intentsPerSecond: figure,
      monsterCommandsPerSecond: figure,
    }),
    network: z.object({
      connectMs: percentiles.describe('Of those who came back: TCP, upgrade and welcome.'),
      reconnectMs: percentiles.describe('Of the same, from the end of the connection or of the time away.'),
      disconnects: count,
      reconnects: count,
      left: count,
      joined: count,
      cut: count.describe('Players cut off when the stage began.'),
      fullStrengthMs: figure.describe('From then until as many were connected as before.'),
    }),
  })
  .describe('The figures of what was due in the stage, at the paths of the whole run’s.');
