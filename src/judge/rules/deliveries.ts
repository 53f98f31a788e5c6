import { grouped } from '../../units.ts';
import { type Evidence, fixed, type JudgedRule, stateOf } from './rule.ts';

/** Only so many are named. */
const NAMED = 3;

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
