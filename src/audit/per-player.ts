import { agrees, like, text } from './arithmetic.ts';
import type { Check } from './check.ts';

export const perPlayer: Check = {
  id: 'per-player',
  title: 'What is stated of many follows from what is stated of one',
  needs: ['perPlayer'],
  rule: ({ perPlayer: all = [] }) =>
    all.map(({ name, players, each, total }) => {
      const [low, high] = [players.low * each.low, players.high * each.high];
      return {
        subject: name,
        holds: agrees(total, low, high),
        arithmetic: `${text(players)} x ${text(each)} = ${like(total, low, high)}, stated as ${text(total)}`,
        figures: [players, each, total],
        disputes: [total],
      };
    }),
};
