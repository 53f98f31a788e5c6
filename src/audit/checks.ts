import { possibleAlarm, silentAlarm } from './alarms.ts';
import { batchRate, batchTime } from './batches.ts';
import { capacity } from './capacity.ts';
import type { Check } from './check.ts';
import { concurrency } from './concurrency.ts';
import { breakEven, costOfTraffic, costPerPlayer, savings } from './cost.ts';
import { checkpoints, statementLog, workMemory } from './database.ts';
import { fanOut } from './fan-out.ts';
import { limits } from './limits.ts';
import { perPlayer } from './per-player.ts';
import { pools } from './pools.ts';
import { heap, processCores } from './processes.ts';
import { byAddress, newPerAddress, perAddress, proxyConnections, proxyThreads } from './proxy.ts';
import { ratios } from './ratios.ts';
import { responseTime } from './response-time.ts';
import { same } from './same.ts';
import { sums } from './sums.ts';
import { tiers } from './tiers.ts';
import { words } from './words.ts';
import { databaseShare, insertRate, updateRate } from './write-rate.ts';

/** All checks, in the order in which their findings are shown. */
export const CHECKS: readonly Check[] = [
  ...[updateRate, insertRate, databaseShare, batchRate, batchTime, responseTime],
  ...[workMemory, checkpoints, statementLog, pools],
  ...[proxyConnections, perAddress, newPerAddress, byAddress, proxyThreads],
  ...[sums, capacity, limits, heap, processCores, tiers, concurrency, fanOut],
  ...[silentAlarm, possibleAlarm, perPlayer, ratios, same, words],
  ...[costPerPlayer, breakEven, savings, costOfTraffic],
];
