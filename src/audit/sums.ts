import type { Figure, Plan } from '../scenario/plan.ts';
import { agrees, exceeds, like, text } from './arithmetic.ts';
import type { Check, Found } from './check.ts';

type Sum = NonNullable<Plan['sums']>[number];

interface Part {
  readonly low: number;
  readonly high: number;
  readonly shown: string;
  readonly figures: readonly Figure[];
}

function partOf([name, part]: readonly [string, Sum['parts'][string]]): Part {
  if (!('each' in part))
    return { low: part.low, high: part.high, shown: `${name} ${text(part)}`, figures: [part] };
  const { count, each } = part;
  return {
    low: count.low * each.low,
    high: count.high * each.high,
    shown: `${name} ${text(count)} x ${text(each)}`,
    figures: [count, each],
  };
}

function found({ name, total, parts, rest, exactly }: Sum): Found {
  const all = Object.entries(parts).map(partOf);
  const [low, high] = [
    all.reduce((sum, one) => sum + one.low, 0),
    all.reduce((sum, one) => sum + one.high, 0),
  ];
  const sum = `${all.map(({ shown }) => shown).join(' + ')} = ${like(total, low, high)}`;
  const shared = { subject: name, figures: [total, rest, ...all.flatMap(({ figures }) => figures)] };
  if (rest !== undefined) {
    const left = { low: total.low - high, high: total.high - low };
    return {
      ...shared,
      holds: agrees(rest, left.low, left.high),
      arithmetic: `${sum}, which leaves ${like(rest, left.low, left.high)} of ${text(total)}; stated as ${text(rest)}`,
      disputes: [rest],
    };
  }
  return {
    ...shared,
    holds: exactly ? agrees(total, low, high) : !exceeds(high, total.low),
    arithmetic: `${sum}, ${exactly ? 'stated as' : 'of'} ${text(total)}`,
    disputes: [total],
  };
}

export const sums: Check = {
  id: 'sum',
  title: 'Parts add up to no more than their total, or to what is stated',
  needs: ['sums'],
  rule: ({ sums: all = [] }) => all.map(found),
};
