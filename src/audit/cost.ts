import { agrees, countText, exceeds, like, measureText, text } from './arithmetic.ts';
import type { Check } from './check.ts';

export const costPerPlayer: Check = {
  id: 'cost-per-player',
  title: 'The cost of a player follows from the price and the players',
  needs: ['cost'],
  rule: ({ cost = [] }) =>
    cost.map(({ name, price, players, perPlayer }) => {
      const [low, high] = [price.low / players.high, price.high / players.low];
      return {
        subject: name,
        holds: agrees(perPlayer, low, high),
        arithmetic: `${text(price)} / ${text(players)} = ${like(perPlayer, low, high)}, stated as ${text(perPlayer)}`,
        figures: [price, players, perPlayer],
        disputes: [perPlayer],
      };
    }),
};

const MONTH = 30 * 86_400;
/** Traffic is sold by the decimal terabyte. */
const TERABYTE = 1e12;

export const costOfTraffic: Check = {
  id: 'cost-of-traffic',
  title: 'The price of traffic buys what is sent in a month',
  needs: ['traffic'],
  rule: ({ traffic = [] }) =>
    traffic.map(({ name, perSecond, price, perTerabyte }) => {
      const terabytes = (perSecond.high * MONTH) / TERABYTE;
      const cost = terabytes * perTerabyte.low;
      return {
        subject: name,
        holds: !exceeds(cost, price.high),
        arithmetic: `${text(perSecond)} x ${measureText(MONTH, 's')} = ${countText(terabytes, 'TB')}, x ${text(perTerabyte)} = ${like(price, cost)}, of ${text(price)}`,
        figures: [perSecond, price, perTerabyte],
        disputes: [price],
      };
    }),
};
