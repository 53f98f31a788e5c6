import { atMost, countText, exceeds, like, measureText, promises, text } from './arithmetic.ts';
import type { Check } from './check.ts';
import { quotient } from './ratios.ts';

export const costPerPlayer: Check = {
  id: 'cost-per-player',
  title: 'The cost of a player follows from the price and the players',
  needs: ['cost'],
  rule: ({ cost = [] }) =>
    cost.map(({ name, price, players, perPlayer }) => quotient(name, price, players, perPlayer)),
};

export const breakEven: Check = {
  id: 'break-even',
  title: 'From so many players on, the price of the whole is less than that of each of them elsewhere',
  needs: ['breakEven'],
  rule: ({ breakEven: all = [] }) =>
    all.map(({ name, price, perPlayer, players }) => {
      const found = quotient(name, price, perPlayer, players);
      return { ...found, holds: found.holds && atMost(players, price.high / perPlayer.low) };
    }),
};

export const savings: Check = {
  id: 'saving',
  title: 'What is saved is saved at any of the prices',
  needs: ['savings'],
  rule: ({ savings: all = [] }) =>
    all.map(({ name, price, instead, saves }) => {
      const [low, high] = [1 - price.high / instead.low, 1 - price.low / instead.high];
      return {
        subject: name,
        holds: promises(saves, low),
        arithmetic: `1 - ${text(price)} / ${text(instead)} = ${like(saves, low, high)}, stated as ${text(saves)}`,
        figures: [price, instead, saves],
        disputes: [saves],
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
