import type { Redaction } from '../redaction.ts';
import type { BudgetMetric } from './budget.ts';
import { type Path, type Problem, pathText, ScenarioError } from './problem.ts';
import type { Scenario } from './scenario.ts';

/** Texts for readers only: removing a secret from them changes neither the run nor the verdict. */
const PROSE =
  /^(description|altered\.\d+|deviations\.\d+\.(documented|applied|reason)|budgets\.\d+\.(title|condition|contradicted|missing|source\.(document|heading))|plan\.\w+\.\d+(\.users\.\d+)?\.name)$/;

/**
 * Removes secrets from a scenario's prose, before it is hashed, so that the run, the bundle and a later judgement have the
 * same scenario. Throws a ScenarioError (104) for a secret elsewhere: a name or setting without it would be a different one.
 */
export function withoutSecrets(scenario: Scenario, file: string, redaction: Redaction) {
  const removed: string[] = [];
  const problems: Problem[] = [];
  const refuse = (path: Path, what: string): void => {
    problems.push({
      where: file,
      path: redaction.text(pathText(path)),
      message: `got a secret (${what}), expected none`,
      hint: what.startsWith('from the variable ')
        ? 'remove it from the scenario, or unset the variable if its value is not a secret'
        : 'others read scenarios: remove the secret',
    });
  };
  const clean = (value: unknown, path: Path): unknown => {
    // Derived from other keys: traits and operations from the system, a metric from its path.
    if (path[0] === 'traits' || path[0] === 'operations') return value;
    if (path.length === 3 && path[2] === 'metric' && typeof value === 'object') {
      clean((value as BudgetMetric).path, path);
      return value;
    }
    if (typeof value === 'string') {
      const text = redaction.text(value);
      if (text === value) return value;
      const what = redaction.find(value) ?? 'part of one';
      if (PROSE.test(pathText(path))) removed.push(`${pathText(path)} (${what})`);
      else refuse(path, what);
      return text;
    }
    if (Array.isArray(value)) return value.map((each, index) => clean(each, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => {
        if (redaction.text(key) !== key) refuse([...path, key], redaction.find(key) ?? 'part of one');
        return [key, clean(inner, [...path, key])];
      }),
    );
  };
  const result = clean(scenario, []) as Scenario;
  if (problems.length > 0) throw new ScenarioError(problems);
  return { scenario: result, removed };
}
