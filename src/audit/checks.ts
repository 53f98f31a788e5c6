import { possibleAlarm, silentAlarm } from './alarms.ts';
import { batchRate, batchTime } from './batches.ts';
import { capacity } from './capacity.ts';
import type { Check } from './check.ts';
import { concurrency } from './concurrency.ts';
import { costOfTraffic, costPerPlayer } from './cost.ts';
import { checkpoints, statementLog, workMemory } from './database.ts';
import { heap } from './heap.ts';
import { limits } from './limits.ts';
import { perPlayer } from './per-player.ts';
import { pools } from './pools.ts';
import { byAddress, newPerAddress, perAddress, proxyConnections, proxyThreads } from './proxy.ts';
import { ratios } from './ratios.ts';
import { responseTime } from './response-time.ts';
import { same } from './same.ts';
import { sums } from './sums.ts';
import { tiers } from './tiers.ts';
import { insertRate, updateRate } from './write-rate.ts';

/** All checks, in the order in which their findings are shown. */
export const CHECKS: readonly Check[] = [
  ...[updateRate, insertRate, batchRate, batchTime, responseTime],
  ...[workMemory, checkpoints, statementLog, pools],
  ...[proxyConnections, perAddress, newPerAddress, byAddress, proxyThreads],
  ...[sums, capacity, limits, heap, tiers, concurrency],
  ...[silentAlarm, possibleAlarm, perPlayer, ratios, same, costPerPlayer, costOfTraffic],
];
