import type { JudgedRule } from './rules.ts';

/** A broken rule, for a person: what there was, what there may be, and what to do. */
export function sentence({ id, observed, limit, advice, consequence }: JudgedRule): string {
  const name =
    consequence === 'breached-if-healthy' && id.startsWith('load-') ? `load not sustained (${id})` : id;
  return `${name}: ${textOf(observed)}, limit ${textOf(limit)}: ${advice}`;
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
