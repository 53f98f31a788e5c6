import type { JudgedRule } from './rule.ts';

/** A broken rule, for a person: what there was, what there may be, and what to do. */
export function sentence({ id, observed, limit, advice, consequence }: JudgedRule): string {
  const name = consequence === 'breached' && id.startsWith('load-') ? `load not sustained (${id})` : id;
  return `${name}: ${textOf(observed)}, limit ${textOf(limit)}: ${advice}`;
}

/** What takes the machine away, what that slows, and what shows it. */
const TAKES = /^(steal-mean|steal-max|throttled|memory-pressure|cpu-pressure|foreign-cpu)$/;
const SLOWS = /^(canary|generator-)/;
const SHOWS = /^steady-/;

/** Rules that were broken together name one cause, the first of them, and after it what follows from it. */
export function because(disturbed: readonly JudgedRule[]): string[] {
  const level = ({ id }: JudgedRule): number =>
    TAKES.test(id) ? 0 : SLOWS.test(id) ? 1 : SHOWS.test(id) ? 2 : 3;
  const causes = disturbed.filter((rule) => level(rule) < 3);
  const first = causes.toSorted((a, b) => level(a) - level(b))[0];
  const others = disturbed.filter((rule) => level(rule) === 3).map(sentence);
  if (first === undefined) return others;
  // What takes the machine has a cause of its own each; what follows from it is only named.
  const own = causes.filter((rule) => rule === first || (level(rule) === 0 && rule.id !== 'steal-max'));
  const followers = causes.filter((rule) => !own.includes(rule));
  const told = followers.map(
    ({ id, observed, limit }) => `${id} ${textOf(observed)} (limit ${textOf(limit)})`,
  );
  return [
    ...own.map((rule, i) =>
      i === 0 && told.length > 0 ? `${sentence(rule)}; with it ${told.join(', ')}` : sentence(rule),
    ),
    ...others,
  ];
}

/** Whether a reason speaks of the rule with this id: its own sentence, or that of its cause. */
export function isOfRule(id: string, reason: string): boolean {
  const [first = '', after = ''] = reason.split('; with it ');
  return (
    first.startsWith(`${id}: `) ||
    first.startsWith(`load not sustained (${id}): `) ||
    after.split(', ').some((one) => one.startsWith(`${id} `))
  );
}

/**
 * `relaxed: generator-loop-delay 500 (default 100)`: once for a rule that there is for each operation or budget, and
 * once for each stage that has a limit of its own.
 */
export function relaxations(rules: readonly JudgedRule[]): string[] {
  const told = rules.flatMap(({ id, relaxed, limit, defaultLimit, stage }) =>
    relaxed
      ? [
          `relaxed: ${id.split('.')[0]} ${textOf(limit)} (default ${textOf(defaultLimit)})${stage === undefined ? '' : ` in the stage ${stage}`}`,
        ]
      : [],
  );
  return [...new Set(told)];
}

const textOf = (value: number | string | null): string =>
  typeof value === 'number' ? Number(value.toPrecision(6)).toLocaleString('en-US') : (value ?? 'no data');
