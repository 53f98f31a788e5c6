import type { LoadSecond, LoadSlice, StageTally, Tally } from '../../src/load/engine.ts';
import type { PerOperation } from '../../src/scenario/operations.ts';
import type { Workload } from '../../src/scenario/workload.ts';
import type { Players } from '../../src/systems/own/players-schema.ts';
import { seconds } from '../../src/units.ts';

/** The operations of these workloads: players do the first, monsters the second. */
export const OPERATIONS = ['intent', 'monsterCommand'] as const;
export const [INTENT, MONSTER_COMMAND] = [0, 1];

/** A map with both of these operations. */
type OfBoth<T> = Readonly<Record<(typeof OPERATIONS)[number], T>>;
export const ofBoth = <T>(map: PerOperation<T>): OfBoth<T> => map as OfBoth<T>;
type WithBoth<T extends { readonly operations: PerOperation<unknown> }> = Omit<T, 'operations'> & {
  readonly operations: OfBoth<T['operations'][string]>;
};
export type BothStageTally = WithBoth<StageTally>;
export type BothTally = WithBoth<Omit<Tally, 'stages'>> & {
  readonly stages?: readonly BothStageTally[] | undefined;
};
export type BothSecond = WithBoth<Omit<LoadSecond, 'slices'>> & {
  readonly slices: readonly WithBoth<LoadSlice>[];
};

const operation = (
  id: string,
  actor: 'player' | 'other',
  perSecond: number,
): Workload['operations'][number] => ({
  ...{ id, actor, perSecond, plural: `${id}s`, label: `${id}s` },
  ...{ unit: 'ops', due: 'schedule', answer: 'one that names it' },
});

export const operationsOf = (intentsPerSecond: number, commandsPerSecond: number): Workload['operations'] => [
  operation('intent', 'player', intentsPerSecond),
  operation('monsterCommand', 'other', commandsPerSecond),
];

/** A workload of whole seconds with defaults that a test overrides. */
export function workloadWith(
  given: Partial<Omit<Workload, 'timeline' | 'operations' | 'own' | 'entities'>> & {
    readonly ramp?: number;
    readonly warmUp?: number;
    readonly duration?: number;
    /** Intents a second of each player. */
    readonly intentRate?: number;
    readonly monsters?: number;
    readonly commandsPerPost?: number;
    /** Posts a second. */
    readonly postRate?: number;
    /** A user's own players. */
    readonly playing?: Players;
  } = {},
): Workload {
  const { ramp = 0, warmUp = 0, duration = 2, intentRate = 5, postRate = 20, playing, ...others } = given;
  const { players = 20, monsters = 60, commandsPerPost = 10, ...rest } = others;
  return {
    seed: 7,
    timeline: {
      rampEnd: seconds(ramp),
      measureStart: seconds(ramp + warmUp),
      end: seconds(ramp + warmUp + duration),
    },
    players,
    operations: operationsOf(players * intentRate, postRate * commandsPerPost),
    entities: players + monsters,
    own: { monsters, commandsPerPost, postRate, ...(playing === undefined ? {} : { playing }) },
    outstanding: 4,
    skipAfter: seconds(1),
    timeout: seconds(10),
    drain: seconds(5),
    connectsPerSecond: 1000,
    reconnect: false,
    ...rest,
  };
}
