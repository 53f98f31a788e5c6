import { about, exceeds, text } from './arithmetic.ts';
import type { Check } from './check.ts';

export const same: Check = {
  id: 'same',
  title: 'A quantity that is stated several times is stated alike',
  needs: ['same'],
  rule: ({ same: all = [] }) =>
    all.map(({ name, figures }) => {
      // Ranges agree where all of them have a value in common, and so does what is "about" it.
      const [low, high] = [
        Math.max(...figures.map((one) => one.low - about(one.low, one))),
        Math.min(...figures.map((one) => one.high + about(one.high, one))),
      ];
      return {
        subject: name,
        holds: !exceeds(low, high),
        arithmetic: `stated as ${figures.map((one) => text(one)).join(', and as ')}`,
        figures,
        disputes: figures,
      };
    }),
};
