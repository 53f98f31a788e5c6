import { budgetsLine } from '../judge/verdict.ts';
import { cell, MARKS, tableHead, tableRow } from './markdown.ts';
import { nextStep } from './next-step.ts';
import type { Report } from './report.ts';
import { limitText, observedText, titleText } from './ruling-text.ts';
import { figuresLine, OUTCOME_MARKS, summaryBody } from './summary.ts';
import type { TrialsReport } from './trials.ts';

/** GitHub takes comments of 65,536 characters; some are left for what a workflow adds. */
const LONGEST = 60_000;
/** What is read in ten seconds. */
export const MOST_ROWS = 3;
const LONGEST_TEXT = 200;

/** A comment on a pull request: what is seen at once, and what is folded. */
export interface Comment {
  /** What it is about: a later comment with the same words replaces it. */
  readonly about: readonly string[];
  readonly short: readonly string[];
  readonly details: readonly { readonly title: string; readonly lines: readonly string[] }[];
}

/**
 * A comment in Markdown. Its first line is a comment of HTML, which nobody sees, and by which the comment of an earlier run is found and
 * replaced. What is folded is left out where the whole would be longer than GitHub takes.
 */
export function commentText({ about, short, details }: Comment): string {
  const head = [`<!-- ${['capbench', ...about].map(slug).join(':')} -->`, ...short];
  const whole = [...head, ...details.flatMap(({ title, lines }) => folded(title, lines))].join('\n');
  if (whole.length <= LONGEST) return whole;
  return [...head, 'The rest is too long for a comment: see the artifact of the run.', ''].join('\n');
}

/** No character that would end a comment of HTML, or a line. */
const slug = (text: string): string => text.replaceAll(/[^\w.]+/g, '-').slice(0, 80);

const folded = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0
    ? []
    : ['<details>', `<summary>${cell(title)}</summary>`, '', ...lines, '', '</details>', ''];

/** Text of a scenario or a component, not longer than one reads. */
export const clipped = (text: string): string =>
  text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT).replace(/\p{Surrogate}$/u, '')} ..` : text;

/** The same, escaped. */
export const brief = (text: string): string => cell(clipped(text));

/** The comment on a run: the verdict, what decided it, and what to do; the rest is folded. `trials`: it is the deciding one of several. */
export function runComment(report: Report, trials: TrialsReport | null): Comment {
  const { scenario, outcome, exitCode, headline, rulings, invalidBecause, breachedBecause } = report;
  const breached = rulings.filter(({ state }) => state === 'breached');
  const reasons = [...invalidBecause, ...breachedBecause];
  const more = breached.length + reasons.length - shownOf(breached) - shownOf(reasons);
  return {
    about: ['run', scenario],
    short: [
      `### ${OUTCOME_MARKS[outcome]} ${outcome.toUpperCase()} (${exitCode}): ${brief(scenario)}, ${budgetsLine(report)}`,
      '',
      ...(trials === null ? [] : [trialsLine(trials), '']),
      ...(breached.length === 0
        ? []
        : [
            ...tableHead(['', 'budget', 'limit', 'observed']),
            ...breached
              .slice(0, MOST_ROWS)
              .map((one) =>
                tableRow([
                  MARKS[one.state],
                  ...[titleText(one), limitText(one), observedText(one)].map(clipped),
                ]),
              ),
            '',
          ]),
      ...reasons.slice(0, MOST_ROWS).map((reason) => `- ${brief(reason)}`),
      ...(reasons.length === 0 ? [] : ['']),
      ...(more === 0 ? [] : [`and ${more} more`, '']),
      ...(breached.length + reasons.length > 0 || headline === budgetsLine(report)
        ? []
        : [brief(headline), '']),
      figuresLine(report),
      '',
      ...(outcome === 'pass' ? [] : [`Next: ${brief(nextStep(report))}.`, '']),
    ],
    details: [{ title: 'Budgets, figures and notes', lines: summaryBody(report) }],
  };
}

const shownOf = (all: readonly unknown[]): number => Math.min(MOST_ROWS, all.length);

function trialsLine({ trials, requested, decidedBy }: TrialsReport): string {
  const counts = (['pass', 'fail', 'invalid'] as const).flatMap((outcome) => {
    const count = trials.filter((one) => one.outcome === outcome).length;
    return count === 0 ? [] : [`${count} ${outcome}`];
  });
  const which = decidedBy === null ? '' : `; this is trial ${decidedBy}, the first with the worst exit code`;
  return `${trials.length} of ${requested} trials: ${counts.join(', ')}${which}`;
}
