import { agrees, like, text } from './arithmetic.ts';
import type { Check } from './check.ts';

export const ratios: Check = {
  id: 'ratio',
  title: 'A stated percentage or multiple follows from its two figures',
  needs: ['ratios'],
  rule: ({ ratios: all = [] }) =>
    all.map(({ name, of, to, is }) => {
      const [low, high] = [of.low / to.high, of.high / to.low];
      return {
        subject: name,
        holds: agrees(is, low, high),
        arithmetic: `${text(of)} / ${text(to)} = ${like(is, low, high)}, stated as ${text(is)}`,
        figures: [of, to, is],
        disputes: [is],
      };
    }),
};
