import { countText } from './arithmetic.ts';
import type { Check } from './check.ts';

/** Of words a figure has the text as its unit (plan.ts). Spaces and capitals make no difference. */
const plain = (text: string): string => text.toLowerCase().replace(/\s+/g, '');

export const words: Check = {
  id: 'words',
  title: 'What is said several times is said alike',
  needs: ['words'],
  rule: ({ words: all = [] }) =>
    all.map(({ name, said }) => {
      const different = new Set(said.map(({ unit }) => plain(unit))).size;
      return {
        subject: name,
        holds: different === 1,
        arithmetic: `in ${countText(different, 'wordings')}: ${said.map(({ unit }) => `"${unit}"`).join(', and ')}`,
        figures: said,
        disputes: said,
      };
    }),
};
