import type { KnownFacts } from '../model/evidence.ts';
import { needsOf } from '../model/needs.ts';
import type { LeftOut, SizedTier, Sizing } from '../model/sizing.ts';
import type { Scaling } from '../model/usl.ts';

/** What `capbench size` says, as JSON: version 1. Fields may be added. Bytes, players, and the currency that it names. */
export function sizingJson(sizing: Sizing, facts: KnownFacts, playersPerSession: number | null) {
  const { question, currency, fits, several, leftOut, old } = sizing;
  const { demand, bounds, scenario, system, host, runs, searched } = facts;
  return {
    schemaVersion: 1 as const,
    kind: 'sizing' as const,
    ...{ scenario, system, question: { ...question, currency }, host },
    measured: {
      ...{ runs, searches: searched, bounds },
      ...{ withoutBound: facts.withoutBound, contradictions: facts.contradictions },
    },
    ...{ demand, needs: needsOf(facts.points, question.players), batches: facts.batches },
    servers: 'because' in facts.scaling ? facts.scaling : scalingJson(facts.scaling),
    tiers: [...fits, ...several].map((one) => tierJson(one, sizing, playersPerSession)),
    leftOut: leftOut.map(({ tier, because }) => ({ id: tier.id, because })),
    pricesOlderThan90Days: old,
  };
}

const scalingJson = ({ fit: _, ...rest }: Scaling) => rest;

const tierJson = (one: SizedTier, { question, currency }: Sizing, playersPerSession: number | null) => ({
  ...{ id: one.tier.id, provider: one.tier.provider, cpus: one.tier.cpus, kind: one.tier.kind },
  ...{ arch: one.tier.arch, memoryBytes: one.tier.memoryBytes, price: one.tier.price },
  capacity: one.capacity,
  ...{ playersPerBox: one.players, boxes: one.boxes, currency, pricePerMonth: one.price },
  ...{ costPerMonth: one.cost, costPerThousandPlayers: one.perThousandPlayers, traffic: one.traffic },
  // The fields of AWS's pricing calculator for GameLift, by its own labels.
  awsPricingCalculator: gameLiftOf(one, question, playersPerSession),
});

/**
 * What the calculator of GameLift asks for: the peak of concurrent players, how many of them there are on average, players of a
 * session and sessions of an instance. A world whose players all meet is one session on each machine.
 */
function gameLiftOf(
  { players }: SizedTier,
  { players: peak, averagePercent }: Sizing['question'],
  playersPerSession: number | null,
) {
  const perSession = Math.min(playersPerSession ?? players, players);
  return {
    'Peak concurrent players (peak CCU)': peak,
    'Average CCU per hour, percentage of peak CCU': averagePercent,
    'Game sessions per instance': Math.floor(players / perSession),
    'Players per game session': perSession,
  };
}

/** Why tiers are not ranked, with how many they are. */
export function leftOutCounts(
  leftOut: readonly LeftOut[],
): readonly (readonly [because: string, count: number])[] {
  const counts = new Map<string, number>();
  for (const { because } of leftOut) counts.set(because, (counts.get(because) ?? 0) + 1);
  return [...counts].toSorted(([, one], [, other]) => other - one);
}
