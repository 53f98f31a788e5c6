import type { Figure } from '../scenario/plan.ts';
import { agrees, like, text } from './arithmetic.ts';
import type { Check, Found } from './check.ts';

/** A figure that is stated of two others, of which one is divided by the other. */
export function quotient(subject: string, of: Figure, by: Figure, is: Figure): Found {
  const [low, high] = [of.low / by.high, of.high / by.low];
  return {
    subject,
    holds: agrees(is, low, high),
    arithmetic: `${text(of)} / ${text(by)} = ${like(is, low, high)}, stated as ${text(is)}`,
    figures: [of, by, is],
    disputes: [is],
  };
}

export const ratios: Check = {
  id: 'ratio',
  title: 'A stated percentage or multiple follows from its two figures',
  needs: ['ratios'],
  rule: ({ ratios: all = [] }) => all.map(({ name, of, to, is }) => quotient(name, of, to, is)),
};
