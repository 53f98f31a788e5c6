import { join } from 'node:path';
import { root } from '../capbench.ts';

/** A world whose costs are measured small, and predicted. */
export interface World {
  readonly name: string;
  /** Of its scenario, at scale 1. */
  readonly basePlayers: number;
  /** Of each run and each step. */
  readonly flags: readonly string[];
  /** Runs from which its costs are known, on the largest machine: players. */
  readonly fit: readonly number[];
  /** Larger ones, up to twice the largest of those, and one beyond, which has to be refused. */
  readonly larger: readonly number[];
  /** Cores of the machines that one host is made into, from the smallest on. */
  readonly machines: readonly number[];
  /** Where a search begins, players for each core. */
  readonly fromPerCore: number;
}

/** The one on which costs are measured. */
export const REFERENCE = 1;

export const BUSY = 'busy';

export const WORLDS: readonly World[] = [
  {
    ...{ name: BUSY, basePlayers: 100, fit: [50, 100, 150, 200], larger: [300, 400, 450] },
    ...{ machines: [0.35, 0.45, 0.55, 0.7, 0.85, 1], fromPerCore: 300 },
    flags: ['--allow-start'],
  },
  // More than 3,000 players are more than one load process can play on the core that is left.
  {
    ...{ name: 'quickstart', basePlayers: 1000, fit: [500, 750, 1000, 1500], larger: [2000, 3000, 3500] },
    ...{ machines: [0.25, 0.3, 0.35, 0.4, 0.45], fromPerCore: 3000, flags: [] },
  },
];

/** The scenario of the world that computes and does nothing else. */
export const busyScenario = (port: number): string => `name: ${BUSY}
system: own
load: { players: 100, operations: { intent: { perSecond: 400 } }, ramp: 1s, warmUp: 2s, duration: 10s, drain: 5s, skipAfter: 5s }
calibration: { seconds: 0, canary: false }
players: { protocol: json, commands: [{ command: look }] }
stack:
  start: node ${join(root, 'test', 'bench', 'model', 'busy-server.mjs')}
  ready: http://127.0.0.1:${port}/
  environment: { PORT: ${port} }
budgets:
  - { id: connected, metric: load.peakCcu, op: '>=', limit: 100, unit: players, fullLoad: true }
  - { id: answered, title: answers, metric: latency.intent.due, stat: p95, op: <, limit: 300, unit: ms }
`;
