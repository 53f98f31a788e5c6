import type { Redaction } from '../redaction.ts';
import type { BudgetMetric } from './budget.ts';
import { type Path, type Problem, pathText, ScenarioError } from './problem.ts';
import type { Scenario } from './scenario.ts';

/** What is read and nothing else: taking a secret out of it changes nothing that runs or is judged. */
const PROSE =
  /^(description|altered\.\d+|deviations\.\d+\.(documented|applied|reason)|budgets\.\d+\.(title|condition|contradicted|missing|source\.(document|heading)))$/;

/**
 * Takes secrets out of a scenario's prose, before it is hashed: what runs, what is written and what is judged again
 * are the same scenario. Throws a ScenarioError (104) for a secret anywhere else: a name or a setting without its
 * secret would be another one.
 */
export function withoutSecrets(scenario: Scenario, file: string, redaction: Redaction) {
  const removed: string[] = [];
  const problems: Problem[] = [];
  const refuse = (path: Path, what: string): void => {
    problems.push({
      where: file,
      path: redaction.text(pathText(path)),
      message: `a secret is there (${what}), expected none`,
      hint: what.startsWith('from the variable ')
        ? 'it is the value of that variable: take it out of the scenario, or unset the variable if it is no secret'
        : 'a scenario is data that others read: take the secret out',
    });
  };
  const clean = (value: unknown, path: Path): unknown => {
    // Made of what else is there: a metric of its path, traits of sections.
    if (path[0] === 'traits' || path[0] === 'operations') return value;
    if (path.length === 3 && path[2] === 'metric' && typeof value === 'object') {
      clean((value as BudgetMetric).path, path);
      return value;
    }
    if (typeof value === 'string') {
      const text = redaction.text(value);
      if (text === value) return value;
      const what = redaction.find(value) ?? 'the beginning of one';
      if (PROSE.test(pathText(path))) removed.push(`${pathText(path)} (${what})`);
      else refuse(path, what);
      return text;
    }
    if (Array.isArray(value)) return value.map((each, index) => clean(each, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => {
        if (redaction.text(key) !== key)
          refuse([...path, key], redaction.find(key) ?? 'the beginning of one');
        return [key, clean(inner, [...path, key])];
      }),
    );
  };
  const result = clean(scenario, []) as Scenario;
  if (problems.length > 0) throw new ScenarioError(problems);
  return { scenario: result, removed };
}
