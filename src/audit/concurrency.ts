import { exceeds, numberText, text } from './arithmetic.ts';
import type { Check } from './check.ts';

export const concurrency: Check = {
  id: 'concurrency',
  title: "What begins a second, times how long it lasts, is no more than there may be at once (Little's law)",
  needs: ['concurrency'],
  rule: ({ concurrency: all = [] }) =>
    all.map(({ name, perSecond, lasting, most }) => {
      const atOnce = perSecond.high * lasting.high;
      return {
        subject: name,
        holds: !exceeds(atOnce, most.low),
        arithmetic: `${text(perSecond)} x ${text(lasting)} = ${numberText(atOnce)} at once, of ${text(most)}; ${numberText(most.low / lasting.high)} a second would fit`,
        figures: [perSecond, lasting, most],
        disputes: [perSecond],
      };
    }),
};
