import exec from 'k6/execution';
import { account } from './account.ts';
import type { SetupData } from './config.ts';
import { whyNoSummary } from './summary.ts';

/** Asks the servers which part of the world is whose, and fixes GO: one instant for everybody, late enough to be connected. */
export function setUp<World>(worldsAt: (urls: readonly string[]) => World[]): SetupData<World> {
  const why = whyNoSummary(exec.test.options.summaryTrendStats);
  if (why !== null) throw new Error(why);
  const worlds = worldsAt(BASE_URLS);
  const connectFrom = Date.now() + 200;
  const go = connectFrom + CONNECT_SECONDS * 1000;
  account.declare(go);
  const run = `k6-${go.toString(36)}-${Math.random().toString(36).slice(2, 8)}`;
  return { worlds, connectFrom, go, run };
}
