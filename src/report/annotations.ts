import { EXIT } from '../errors.ts';
import { isOfRule } from '../judge/rules/rule.ts';
import { plain } from './plain-text.ts';
import type { Report } from './report.ts';
import { limitText, observedText, titleText } from './ruling-text.ts';

/** A remark on a run of GitHub Actions; with a position, beside that line of the pull request. */
export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice';
  readonly title: string;
  readonly message: string;
  readonly at?: Position;
}

interface Position {
  /** Relative to the repository. */
  readonly file: string;
  /** From 1. */
  readonly line?: number;
}

/** GitHub shows so many of one level in a step, and drops the others without a word. */
const MOST_SHOWN = 10;

/** In the text of a workflow command. */
const escaped = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

/** In a property of a workflow command, where a comma and a colon separate. */
const property = (text: string): string => escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

/** Annotations as workflow commands of GitHub Actions, one in a line; where there are more than it shows, the last one says so. */
export function workflowCommands(annotations: readonly Annotation[]): string {
  const shown = (['error', 'warning', 'notice'] as const).flatMap((level) => {
    const own = annotations.filter((one) => one.level === level);
    const rest = own.length - (MOST_SHOWN - 1);
    return rest <= 1
      ? own
      : [
          ...own.slice(0, MOST_SHOWN - 1),
          { level, title: 'capbench', message: `and ${rest} more: see the summary` },
        ];
  });
  return shown.map((one) => `${commandOf(one)}\n`).join('');
}

function commandOf({ level, title, message, at }: Annotation): string {
  const properties = [
    ...(at === undefined ? [] : [`file=${property(at.file)}`]),
    ...(at?.line === undefined ? [] : [`line=${at.line}`]),
    `title=${property(plain(title))}`,
  ];
  return `::${level} ${properties.join(',')}::${escaped(plain(message))}`;
}

/** Where the budgets of a scenario stand, by their ids. */
export interface BudgetLines {
  readonly file: string;
  readonly lines: ReadonlyMap<string, number>;
}

/**
 * The verdict of a run, and then what decided it: breached budgets, breached rules, and rules that leave no conclusion. A run
 * without a conclusion is a warning: nothing is wrong with what was measured.
 */
export function runAnnotations(report: Report, budgets: BudgetLines | null): readonly Annotation[] {
  const { scenario, outcome, exitCode, headline, rulings, rules, breachedBecause, invalidBecause } = report;
  const level = exitCode === EXIT.pass ? 'notice' : exitCode === EXIT.invalid ? 'warning' : 'error';
  const file = budgets === null ? {} : { at: { file: budgets.file } };
  const reason = (text: string, why: Annotation['level']): Annotation => {
    const rule = rules.find(({ id, state }) => state === 'broken' && isOfRule(id, text));
    return { level: why, title: rule?.title ?? scenario, message: text, ...file };
  };
  return [
    { level, title: `${scenario}: ${outcome.toUpperCase()} (${exitCode})`, message: headline, ...file },
    ...rulings
      .filter(({ state }) => state === 'breached')
      .map((ruling): Annotation => {
        const line = budgets?.lines.get(ruling.id);
        const because = ruling.reason === null ? '' : ` (${ruling.reason})`;
        return {
          level: outcome === 'invalid' ? 'warning' : 'error',
          title: `${ruling.id} was breached`,
          message: `${titleText(ruling)}: limit ${limitText(ruling)}, observed ${observedText(ruling)}${because}`,
          ...(budgets === null
            ? {}
            : { at: { file: budgets.file, ...(line === undefined ? {} : { line }) } }),
        };
      }),
    ...breachedBecause.map((text) => reason(text, 'error')),
    ...invalidBecause.map((text) => reason(text, outcome === 'invalid' ? level : 'warning')),
  ];
}
