import { exceeds, text } from './arithmetic.ts';
import type { Check } from './check.ts';

const RESOURCES = ['cores', 'memory', 'disk'] as const;

/** A machine with the low end of what is needed counts as having it. */
export const tiers: Check = {
  id: 'tier',
  title: 'A machine has what its load needs',
  needs: ['tiers'],
  rule: ({ tiers: all = [] }) =>
    all.flatMap(({ name, needs, ...machine }) =>
      RESOURCES.flatMap((resource) => {
        const [has, needed] = [machine[resource], needs[resource]];
        if (has === undefined || needed === undefined) return [];
        return {
          subject: `${name}: ${resource}`,
          holds: !exceeds(needed.low, has.high),
          arithmetic: `${text(needed)} needed, of ${text(has)}`,
          figures: [has, needed],
          disputes: [has],
        };
      }),
    ),
};
