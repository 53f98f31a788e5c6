import type { Plan } from '../scenario/plan.ts';
import type { Check } from './check.ts';

/** What a plan has at `database.disk`, or at `alarms[].usual` of the entry with this number. */
function at(plan: Plan, need: string, entry: string): unknown {
  const keys = need.replace('[]', `.${entry}`).split('.');
  return keys.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    plan,
  );
}

/** The key of a figure that no check uses, and what the check lacks that comes nearest to it: `plan.database.disk (statement-log needs ...)`. */
export function withLacking(path: string, plan: Plan, checks: readonly Check[]): string {
  const [, entry = ''] = /^plan\.\w+\.(\d+)\./.exec(path) ?? [];
  const key = path.replace(/^plan\./, '').replace(/^(\w+)\.\d+\./, '$1[].');
  const lacking = checks
    .filter(({ needs }) => needs.includes(key))
    .map(({ id, needs }) => ({ id, needs: needs.filter((need) => at(plan, need, entry) === undefined) }))
    .filter(({ needs }) => needs.length > 0)
    .toSorted((one, other) => one.needs.length - other.needs.length);
  const [first] = lacking;
  return first === undefined ? path : `${path} (${first.id} needs ${first.needs.join(' and ')})`;
}
