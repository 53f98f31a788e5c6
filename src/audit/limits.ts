import { exceeds, text } from './arithmetic.ts';
import type { Check } from './check.ts';

export const limits: Check = {
  id: 'limit',
  title: 'What is promised does not exceed what there is at most',
  needs: ['limits'],
  rule: ({ limits: all = [] }) =>
    all.map(({ name, needed, limit }) => ({
      subject: name,
      holds: !exceeds(needed.high, limit.low),
      arithmetic: `${text(needed)}, of ${text(limit)} at most`,
      figures: [needed, limit],
      disputes: [needed],
    })),
};
