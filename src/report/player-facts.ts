import type { Facts } from './facts.ts';
import { row, table } from './markup.ts';
import { cellText, NOTHING, numberText, quantity } from './quantity.ts';
import type { Report } from './report.ts';

type Told = Pick<Report, 'delivery' | 'player'>;

/** What players heard of each other, on one line; none where nothing was expected. */
export function deliveryValues({ delivery }: Told): string[] {
  if (delivery === undefined) return [];
  const { expected, lost, lostPercent, latencyMs, excused, duplicated, late, unexpected, untracked } =
    delivery;
  const more = {
    excused,
    'heard twice': duplicated,
    'heard late': late,
    unexpected,
    'not followed': untracked,
  };
  return [
    `${numberText(expected)} expected`,
    `${numberText(lost)} lost${lost === 0 ? '' : ` (${quantity(lostPercent, '%')})`}`,
    ...(latencyMs.p95 === null ? [] : [`p95 ${quantity(latencyMs.p95, 'ms')}`]),
    ...Object.entries(more).flatMap(([name, count]) => (count === 0 ? [] : [`${numberText(count)} ${name}`])),
  ];
}

/** All figures of the deliveries; empty where nothing was expected. */
export function deliveryFacts({ delivery }: Told): Facts {
  if (delivery === undefined) return {};
  const { latencyMs: latency, lostPercent } = delivery;
  const count = (name: 'expected' | 'delivered' | 'lost' | 'excused' | 'late'): string =>
    numberText(delivery[name]);
  return {
    deliveries: [
      `${count('expected')} expected`,
      `${count('delivered')} heard in time`,
      `${count('excused')} excused: the player was not connected all the while`,
    ],
    lost: [
      `${count('lost')}, ${quantity(lostPercent, '%')} of what could be heard`,
      `${count('late')} heard late`,
    ],
    'heard besides': [
      `${numberText(delivery.duplicated)} twice`,
      `${numberText(delivery.unexpected)} unexpected`,
      `${numberText(delivery.untracked)} not followed`,
    ],
    'latency of deliveries': (['mean', 'p50', 'p90', 'p95', 'p99', 'max'] as const).map(
      (stat) =>
        `${stat} ${latency[stat] === null && latency.count > 0 ? 'lost' : quantity(latency[stat], 'ms')}`,
    ),
  };
}

const STATISTICS = ['min', 'mean', 'p50', 'p90', 'p95', 'p99', 'max'] as const;

/** What a player module measured, by name; empty where it is nothing. */
export const playerFacts = ({ player = {} }: Told): Facts =>
  Object.fromEntries(
    Object.entries(player).map(([name, figure]) => [
      name,
      figure.unit === null
        ? [`${numberText(figure.total)} in all`, `${numberText(figure.perSecond)}/s`]
        : [
            ...(['p50', 'p95', 'p99', 'max'] as const).map(
              (stat) => `${stat} ${quantity(figure[stat], figure.unit ?? '')}`,
            ),
            `${numberText(figure.count)} values`,
          ],
    ]),
  );

/** The same as a table of a page; none where it is nothing. */
export function playerTable({ player = {} }: Told): string[] {
  const rows = Object.entries(player).map(([name, figure]) =>
    row([
      name,
      figure.unit ?? '',
      ...STATISTICS.map((stat) => (figure.unit === null ? '' : cellText(figure[stat]))),
      numberText(figure.count),
      ...[figure.total, figure.perSecond].map((value) =>
        figure.unit === null ? numberText(value) : NOTHING,
      ),
    ]),
  );
  const head = ['', 'unit', ...STATISTICS, 'times measured', 'total', 'per second'];
  return rows.length === 0 ? [] : [table(head, rows, 'numbers')];
}
