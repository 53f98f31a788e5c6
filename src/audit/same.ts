import { exceeds, text } from './arithmetic.ts';
import type { Check } from './check.ts';

export const same: Check = {
  id: 'same',
  title: 'A quantity that is stated several times is stated alike',
  needs: ['same'],
  rule: ({ same: all = [] }) =>
    all.map(({ name, figures }) => {
      // Ranges agree where all of them have a value in common.
      const [low, high] = [
        Math.max(...figures.map((one) => one.low)),
        Math.min(...figures.map((one) => one.high)),
      ];
      return {
        subject: name,
        holds: !exceeds(low, high),
        arithmetic: `stated as ${figures.map(text).join(', and as ')}`,
        figures,
        disputes: figures,
      };
    }),
};
