import type { Budget, Operator } from '../scenario/budget.ts';
import { sameSetting } from './setting-value.ts';

/** `~` allows this share of the limit on both sides. */
const ABOUT = 0.1;
/** Conversions are in binary: this much of a number is no difference. */
const ROUNDING = 1e-9;

const close = (a: number, b: number, share: number): boolean => Math.abs(a - b) <= share * Math.abs(b);

/** Whether an observed number keeps a limit. A limit that does not fit the operator is never kept. */
export function keeps(observed: number, op: Operator, limit: Budget['limit']): boolean {
  if (typeof limit === 'object') {
    const [low, high] = limit;
    return op === 'between' && observed >= low && observed <= high;
  }
  if (typeof limit === 'string') return false;
  switch (op) {
    case '<':
      return observed < limit;
    case '<=':
      return observed <= limit;
    case '>':
      return observed > limit;
    case '>=':
      return observed >= limit;
    case '=':
      return close(observed, limit, ROUNDING);
    case '~':
      return close(observed, limit, ABOUT + ROUNDING);
    default:
      return false;
  }
}

/** Whether an observed text is the one that was named. */
export const isText = (observed: string, op: Operator, limit: string): boolean =>
  (op === 'is' || op === '=') && sameSetting(observed, limit);
