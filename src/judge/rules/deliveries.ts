import type { Figures } from '../../measurement/figures.ts';
import { grouped } from '../../units.ts';
import { type Evidence, fixed, type JudgedRule, stateOf } from './rule.ts';

/** Only so many are named. */
const NAMED = 3;

/** From this share of what was heard on, deliveries that nobody expected are noted. */
const MANY_PERCENT = 1;

/** What shows that a player module does not expect what its players hear. */
export function deliveryNotes({ delivery }: Pick<Figures, 'delivery'>): readonly string[] {
  if (delivery === undefined) return [];
  const { expected, delivered, unexpected } = delivery;
  const isMuch = unexpected > 0 && 100 * unexpected >= MANY_PERCENT * (delivered + unexpected);
  return [
    ...(expected === 0
      ? [
          'no delivery was expected in the measure phase, so that none could be lost: a sender names with context.expectDelivery who has to hear of it',
        ]
      : []),
    ...(isMuch
      ? [
          `${grouped(unexpected)} deliveries were heard and expected by nobody: each sender has to name its key and all who hear of it with context.expectDelivery`,
        ]
      : []),
  ];
}

/** Whether players heard what they had to hear. None where a player module expected and heard nothing. */
export function deliveryRules({ m, s, figures }: Evidence): readonly JudgedRule[] {
  const { delivery } = figures;
  if (delivery === undefined) return [];
  const { expected, lost, lostPercent, untracked } = delivery;
  const limit = s.rules.lostDeliveriesPercent ?? 0;
  const common = { id: 'deliveries-complete', limit, defaultLimit: 0, relaxed: limit > 0 };
  if (untracked > 0) {
    return [
      {
        ...{ ...common, ...fixed('every delivery is followed'), state: stateOf(true, false) },
        observed: `${grouped(untracked)} were not followed`,
        advice:
          'expect each key once; where too much is open at once, expect fewer deliveries, or use a shorter load.timeout',
        consequence: 'invalid',
      },
    ];
  }
  const examples = (m.deliveries?.lostOnes ?? []).slice(0, NAMED);
  const such = examples.length === 0 ? '' : `, such as ${examples.join(', ')}`;
  const counts = `${grouped(lost)} of ${grouped(expected)} expected were not heard${such}`;
  return [
    {
      ...common,
      state: stateOf(lostPercent !== null, (lostPercent ?? 0) <= limit),
      observed:
        lostPercent === null
          ? 'nothing was expected in the measure phase'
          : lost === 0
            ? 0
            : `${Number(lostPercent.toPrecision(4))}%: ${counts}`,
      ...(lostPercent === null ? {} : { figure: lostPercent }),
      advice:
        'the target does not send to everybody what everybody has to hear: look for what it drops, or declare how much with rules.lostDeliveriesPercent',
      consequence: 'breached',
      share: {
        carried: 100 - (lostPercent ?? 0),
        least: 100 - limit,
        of: 'deliveries',
      },
    },
  ];
}
