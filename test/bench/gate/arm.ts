import { join } from 'node:path';
import { root } from '../capbench.ts';

/** A version of the server: what its operations cost more than those of the base, percent. */
export interface Arm {
  readonly name: string;
  readonly slowerPercent: number;
}

export const BASE: Arm = { name: 'base', slowerPercent: 0 };
/** The same server once more: what is found there is a false alarm. */
export const SAME: Arm = { name: 'same', slowerPercent: 0 };
export const SLOWER: readonly Arm[] = [5, 10, 20].map((percent) => ({
  ...{ name: `slower-${percent}`, slowerPercent: percent },
}));

export const ARMS: readonly Arm[] = [BASE, SAME, ...SLOWER];

/** Of each arm. */
export const ROUNDS = 60;

/**
 * The arms of a round, in the order in which they run. Each begins a round equally often, and every other round runs
 * backwards, so that a drift of the machine falls on all of them alike.
 * @param round from 1
 */
export function orderOf(round: number): readonly Arm[] {
  const first = Math.floor((round - 1) / 2) % ARMS.length;
  const order = [...ARMS.slice(first), ...ARMS.slice(0, first)];
  return round % 2 === 1 ? order : order.toReversed();
}

/** The command that starts it. */
export const commandOf = ({ slowerPercent }: Arm): string =>
  `env SLOWER=${slowerPercent} node ${join(root, 'test', 'outside', 'gate.mjs')}`;

/** The scenario of all arms: short trials at half a core. */
export const scenarioText = (port: number): string => `name: gate
system: own
load:
  players: 100
  operations: { intent: { perSecond: 2000 } }
  ramp: 500ms
  warmUp: 1s
  duration: 4s
  drain: 5s
  skipAfter: 5s
calibration: { seconds: 0, canary: false }
players: { protocol: json, commands: [{ command: look }] }
stack:
  start: ${commandOf(BASE)}
  ready: http://127.0.0.1:${port}/
  environment: { PORT: ${port} }
budgets:
  - { id: connected, metric: load.peakCcu, op: '>=', limit: 100, unit: players }
  - { id: answered, title: answers, metric: latency.intent.due, stat: p95, op: <, limit: 500, unit: ms }
`;
