import type { BatchCost } from '../model/batcher.ts';
import { type Demand, sustainedOf } from '../model/demand.ts';
import type { KnownFacts } from '../model/evidence.ts';
import { FARTHEST, type Forecast, type Refused } from '../model/interval.ts';
import { valueAt } from '../model/line.ts';
import { needsOf } from '../model/needs.ts';
import {
  type LeftOut,
  monthlyBytes,
  type SizedTier,
  type Sizing,
  type SizingQuestion,
} from '../model/sizing.ts';
import type { Tier } from '../model/tier.ts';
import { type Scaling, throughputAt } from '../model/usl.ts';
import { counted, grouped } from '../units.ts';
import { bytesText, NOTHING, numberText, quantity } from './quantity.ts';
import { leftOutCounts } from './sizing.ts';

/** `300 players of quickstart, 30% of each machine free` */
export const titleText = (
  { question: { players, headroomPercent } }: Sizing,
  { scenario }: KnownFacts,
): string =>
  `${counted(players, 'player')} of ${scenario}, ${numberText(headroomPercent)}% of each machine free`;

/** The columns of ranked tiers, and what is in them; the terminal leaves out a column that says the same of all. */
export const columnsOf = (
  currency: string,
): readonly (readonly [head: string, cell: (one: SizedTier) => string])[] => [
  ['Machine', ({ tier }) => tier.id],
  ['CPU', ({ tier }) => cpuText(tier)],
  ['Memory', ({ tier }) => bytesText(tier.memoryBytes)],
  ['Holds', holdsText],
  ['Known', ({ capacity }) => capacity.label],
  ['Runs out', ({ capacity }) => RAN_OUT[capacity.ranOut]],
  ['Boxes', ({ boxes }) => grouped(boxes)],
  [`${currency}/month`, costText],
  ['Per 1,000', (one) => (one.perThousandPlayers === null ? NOTHING : moneyText(one.perThousandPlayers))],
  ['Read', ({ tier }) => tier.price?.read ?? NOTHING],
];

const RAN_OUT = { cpu: 'CPU', memory: 'memory', 'one server': 'one core', unknown: 'unknown' } as const;

/** `2 shared`, `2 threads`, `2 cores`, `2 at 20%` */
export function cpuText({ cpus, kind, baselinePercent }: Tier): string {
  switch (kind) {
    case 'shared':
      return `${cpus} shared`;
    case 'burstable':
      return baselinePercent === null ? `${cpus} burstable` : `${cpus} at ${numberText(baselinePercent)}%`;
    case 'dedicated-thread':
      return counted(cpus, 'thread');
    case 'dedicated-core':
      return counted(cpus, 'core');
  }
}

/** `420 to 610`, of which the lower end counts; `from 420` */
const holdsText = ({ capacity: { low, high } }: SizedTier): string =>
  high === null ? `from ${grouped(low)}` : high <= low ? grouped(low) : `${grouped(low)} to ${grouped(high)}`;

export const moneyText = (amount: number): string => amount.toFixed(2);

/** `20.00 + ?`: traffic beyond the allowance has no stated price. */
export const costText = ({ cost, price }: SizedTier): string =>
  cost === null ? `${moneyText(price)} + ?` : moneyText(cost);

const LEFT_OUT: Readonly<Record<LeftOut['because'], string>> = {
  'no price': 'without a price',
  'undated price': 'with a price of unknown date',
  'price over a year old': 'with a price that is over a year old',
  'not orderable': 'could not be ordered when the price was read',
  'another currency': 'priced in another currency',
  'unknown baseline': 'burstable, without a stated baseline',
  'holds nobody': 'too small for a single player',
  'over the budget': 'over the budget',
};

/** What a reader has to know beside the table, a sentence a line. */
export function noteLines(sizing: Sizing, facts: KnownFacts): readonly string[] {
  const { question, leftOut, old, fits, several, currency } = sizing;
  const { demand, bounds, host, runs, searched } = facts;
  const all = [...fits, ...several];
  const costing = sustainedOf(facts.points).length;
  const others = leftOutCounts(leftOut).map(
    ([because, count]) => `${count} ${LEFT_OUT[because as LeftOut['because']]}`,
  );
  const byScores = all.filter(({ tier: { id } }) => facts.speeds.has(id)).length;
  const unknownTraffic = all.some(({ cost }) => cost === null);
  const paid = all.filter(({ traffic }) => (traffic.cost ?? 0) > 0);
  const refused = [...new Set(all.flatMap(({ capacity }) => capacity.refused ?? []))];
  const needed = [...new Set(all.map(({ capacity }) => capacity.because))];
  return [
    `Measured on ${host.cpuModel}, ${counted(host.cpus, 'core')}: ${counted(runs, 'run')}${costing < runs ? ` (${costing} sustained their load, and say what it costs)` : ''}, ${
      searched === 0
        ? `${facts.withoutBound.length === 0 ? 'no search' : 'no search that found a bound'}: only that a run passed is known`
        : `${searched} ${searched === 1 ? 'search' : 'searches'} (${bounds.map(({ cpus, lastPass, firstFail }) => `${grouped(lastPass)} passed and ${grouped(firstFail)} failed on ${quantity(cpus, cpus === 1 ? 'core' : 'cores')}`).join('; ')})`
    }.`,
    `A player needs ${quantity(demand.cpu.perUnit * 1e3, 'ms')} of CPU a second${demand.cpuGrowth === null ? '' : ' on average (the more, the more there are)'}${demand.memory === null ? '' : `, ${bytesText(demand.memory.perUnit)} of memory`}${
      demand.bytesToPlayer === null ? '; the traffic was not measured' : receivesText(demand, question)
    }.${idleText(demand)}`,
    ...facts.contradictions.map(
      ({ name, players, passed }) =>
        `Contradicted: ${name} failed with ${grouped(players)}, and a search passed with ${grouped(passed)} on the same cores: search again.`,
    ),
    ...facts.withoutBound.map(({ name, because }) => `No bound is known from ${name}: ${because}.`),
    ...needLines(facts, question.players),
    ...('because' in facts.batches ? [] : [batchText(facts.batches)]),
    ...('because' in facts.scaling ? [] : [scalingText(facts.scaling)]),
    byScores === 0
      ? 'Cores of other machines count as those of this one: `capbench score` on a rented machine says how fast its cores are (--tier-scores ID=FILE).'
      : `${byScores} of ${all.length} by their scores; the cores of the others count as those of this machine.`,
    ...needed.map((because) => `How known: ${because}.`),
    ...refused.map((because) => `Not stated: ${because}.`),
    ...(several.length === 0
      ? []
      : ['Several machines hold the players only if the world can be divided among them.']),
    ...(paid.length === 0
      ? []
      : [
          `With traffic beyond the allowance: ${paid.map(({ tier, traffic }) => `${tier.id} ${moneyText(traffic.cost ?? 0)}`).join(', ')}.`,
        ]),
    ...(unknownTraffic
      ? ['“+ ?”: the tiers file does not say how much traffic the price contains, or what more of it costs.']
      : []),
    ...(others.length === 0 ? [] : [`Not ranked: ${others.join('; ')}.`]),
    ...(leftOut.some(({ because }) => because === 'another currency')
      ? [`Another currency is compared with --rate, such as --rate ${otherCurrency(leftOut, currency)}=0.9.`]
      : []),
    ...Object.entries(question.rates)
      .filter(([code]) => all.some(({ tier }) => code !== currency && tier.price?.currency === code))
      .map(([code, rate]) => `1 ${code} counts as ${rate} ${currency}, as given (--rate).`),
    ...(old === 0
      ? []
      : [`${old} ${old === 1 ? 'price was' : 'prices were'} read more than 90 days ago: read them again.`]),
    'Prices are those of the tiers file, a month, without VAT; nothing is looked up.',
  ];
}

/** What is used with nobody connected, which a single load does not say, nor a line through a cost that is none. */
const idleText = ({ cpu, cpuGrowth, memory }: Demand): string =>
  cpu.from === cpu.to || cpuGrowth !== null
    ? ''
    : ` Nobody connected: ${quantity(cpu.base, 'cores')}${memory === null ? '' : `, ${bytesText(memory.base)}`}.`;

/** What a player receives, and all of them in a month; where it depends on their number, so does the month, by the machines. */
function receivesText({ bytesToPlayer, bytesByPlayers: line }: Demand, question: SizingQuestion): string {
  if (line === null) {
    const each = bytesToPlayer ?? 0;
    const month = monthlyBytes({ bytesToPlayer, bytesByPlayers: null }, question, 1) ?? 0;
    return ` and receives ${bytesText(each, true)}: ${trafficText(month)} a month`;
  }
  const at = (players: number): string =>
    `${bytesText(valueAt(line, players), true)} where there are ${grouped(players)}`;
  return ` and receives ${at(line.from)} and ${at(line.to)}: the traffic of a month depends on how many share a machine`;
}

/** `300 players need 0.42 cores (0.39 to 0.46) and 310 MB (300 MB to 320 MB)`: what of it has an interval. */
function needLines({ points }: KnownFacts, asked: number): readonly string[] {
  const { cpuCores, memoryBytes, bytesToPlayers } = needsOf(points, asked);
  const withInterval = (
    of: Forecast | Refused,
    text: (value: number) => string,
    end = text,
  ): readonly string[] => ('refused' in of ? [] : [`${text(of.value)} (${end(of.low)} to ${end(of.high)})`]);
  const needs = [
    ...withInterval(cpuCores, (value) => quantity(value, 'cores'), numberText),
    ...withInterval(memoryBytes, (value) => bytesText(value)),
    ...withInterval(bytesToPlayers, (value) => bytesText(value, true)),
  ];
  const [last, ...others] = needs.toReversed();
  if (last === undefined) return [];
  const listed = others.length === 0 ? last : `${others.toReversed().join(', ')} and ${last}`;
  return [`${grouped(asked)} players need ${listed}, with 90% intervals.`];
}

const BINDS: Readonly<Record<NonNullable<BatchCost['binds']>, string>> = {
  rate: 'a batch is written when its time has come',
  size: 'batches are full before their time has come',
  writer: 'a batch is written when the one before it has ended',
};

function batchText({ line, binds, fullFrom, ceiling, leastAckP95Ms }: BatchCost): string {
  return [
    `A batch takes ${quantity(line.base, 'ms')} and ${quantity(line.perUnit, 'ms')} a row (${numberText(line.from)} to ${numberText(line.to)} rows, within ${numberText(100 * line.relativeError)}%)`,
    ...(binds === null ? [] : [`at the largest load ${BINDS[binds]}`]),
    ...(fullFrom === null ? [] : [`full batches from ${numberText(fullFrom)} operations/s of a server on`]),
    ...(ceiling === null ? [] : [`a writer does ${numberText(ceiling)} operations/s at most`]),
    ...(leastAckP95Ms === null
      ? []
      : [`p95 of an acknowledgement is at least ${quantity(leastAckP95Ms, 'ms')}`]),
  ]
    .join('; ')
    .concat('.');
}

function scalingText(scaling: Scaling): string {
  const { from, to, sigma, kappa, most } = scaling;
  const farthest = FARTHEST * to;
  const there = throughputAt(scaling, farthest);
  return [
    `${from} to ${to} servers on one machine: contention ${numberText(100 * sigma)}%, coherence ${numberText(100 * kappa)}%`,
    most === null
      ? 'no number was found beyond which more servers hold less'
      : `beyond ${grouped(Math.max(1, Math.floor(most)))} of them more servers hold less`,
    ...('refused' in there
      ? []
      : [`${farthest} hold ${grouped(Math.floor(there.low))} to ${grouped(Math.floor(there.high))} players`]),
  ]
    .join('; ')
    .concat('.');
}

const otherCurrency = (leftOut: readonly LeftOut[], currency: string): string =>
  leftOut.flatMap(({ because, tier }) =>
    because === 'another currency' ? (tier.price?.currency ?? []) : [],
  )[0] ?? currency;

/** Traffic is sold in units of ten: 10^12 bytes are 1 TB. */
const trafficText = (bytes: number): string =>
  bytes >= 1e12 ? `${numberText(bytes / 1e12)} TB` : `${numberText(bytes / 1e9)} GB`;
