import {
  type Limited,
  limitKeyOf,
  limitKeys,
  limitPath,
  limitsUnder,
  WHOLE_STACK,
} from './component-limits.ts';
import { type Finding, findingAt } from './finding.ts';

/**
 * Limits that could limit nothing, since they are not where they are looked for, or no such component is started; and those of
 * a component beyond the limits of the stack that it is part of.
 * @param components the names of those that are started
 */
export function limitFindings(scenario: Limited, components: readonly string[]): readonly Finding[] {
  const started = new Set(components.map(limitKeyOf));
  const stack = limitsUnder(scenario, WHOLE_STACK);
  const misplaced = Object.keys(scenario.limits ?? {}).flatMap((key) => {
    const path = limitPath(key);
    return path[0] === 'limits'
      ? []
      : [findingAt(['limits', key], `got limits of ${key}, expected them in ${path.join('.')}`)];
  });
  const others = limitKeys(scenario).flatMap((key): readonly Finding[] => {
    const limits = limitsUnder(scenario, key);
    const path = limitPath(key);
    if (components.length === 0)
      return [findingAt(path, 'got limits, and capbench starts nothing here that could be limited')];
    if (key === WHOLE_STACK) return [];
    if (!started.has(key)) {
      const known = [WHOLE_STACK, ...started].map((one) => limitPath(one).join('.')).join(', ');
      return [findingAt(path, `got limits of what is not started here, expected one of ${known}`)];
    }
    return (['cpus', 'memory'] as const).flatMap((of) => {
      const [own, all] = [limits?.[of], stack?.[of]];
      if (own === undefined || all === undefined || own <= all) return [];
      const unit = of === 'memory' ? 'MB' : '';
      return [
        findingAt(
          [...path, of],
          `got ${own}${unit}, expected at most the ${all}${unit} of limits.${WHOLE_STACK}, which it is part of`,
        ),
      ];
    });
  });
  return [...misplaced, ...others];
}
