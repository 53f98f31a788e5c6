import { exceeds, like, numberText, percentText, text } from './arithmetic.ts';
import type { Check } from './check.ts';

export const capacity: Check = {
  id: 'capacity',
  title: 'What is left when some units are lost holds what is needed',
  needs: ['capacity'],
  rule: ({ capacity: all = [] }) =>
    all.map(({ name, units, each, needed, spare }) => {
      const lost = spare?.high ?? 0;
      const holds = Math.max(0, units.low - lost) * each.low;
      const left = lost === 0 ? text(units) : `(${text(units)} - ${numberText(lost)})`;
      const taken =
        needed.high === 0
          ? ''
          : ` (${holds === 0 ? 'nothing is left' : `${percentText(needed.high / holds)} taken`})`;
      return {
        subject: name,
        holds: !exceeds(needed.high, holds),
        arithmetic: `${left} x ${text(each)} = ${like(needed, holds)}, of ${text(needed)} needed${taken}`,
        figures: [units, each, needed, spare],
        disputes: [units, each, needed],
      };
    }),
};
