import { isOfRule } from '../judge/rules/rule.ts';
import { folded, list, type Row, row, safe, table } from './markup.ts';
import { capital } from './plain-text.ts';
import { numberText } from './quantity.ts';
import type { Report, ReportRule, ReportRuling } from './report.ts';
import { ruleLimitText, ruleText } from './report-text.ts';
import {
  byReason,
  byState,
  limitText,
  metricText,
  observedText,
  sourceText,
  titleText,
} from './ruling-text.ts';

/** Whether a rule keeps the run from a pass. */
const isDecisive = ({ state, decides }: ReportRule): boolean => state === 'broken' && decides;

/** The ending of a run has a reason of its own, which says more than this rule. */
const isEnding = ({ id }: ReportRule, { invalidBecause }: Report): boolean =>
  id === 'run-completed' && !invalidBecause.some((reason) => isOfRule(id, reason));

/** What keeps a run from a pass. One that did not start, or was interrupted, has breached nothing. */
export const breachedTitle = (report: Report): string =>
  report.rulings.some(({ state }) => state === 'breached') ||
  report.rules.some((rule) => isDecisive(rule) && !isEnding(rule, report))
    ? 'What was breached'
    : 'Why there is no conclusion';

/** Budgets and rules that keep the run from a pass, and reasons that are of no rule. */
export function breachedParts(report: Report): string[] {
  const { invalidBecause, breachedBecause } = report;
  const [budgets = []] = byState(report.rulings);
  const rules = report.rules.filter((rule) => isDecisive(rule) && !isEnding(rule, report));
  const others = [...breachedBecause, ...invalidBecause].filter(
    (reason) => !rules.some(({ id }) => isOfRule(id, reason)),
  );
  return [
    ...(others.length === 0 ? [] : [list(others)]),
    ...(budgets.length === 0 ? [] : [budgetTable(budgets)]),
    ...(rules.length === 0 ? [] : [ruleTable(rules)]),
  ];
}

export const STATES = {
  met: '✓ met',
  breached: '✗ breached',
  contradicted: '≠ contradicted',
  unmeasured: '– unmeasured',
  untestable: '· untestable',
} as const;

/** What a row is about, its id, and below it what there is to add. */
export const subject = (title: string, id: string, reason: string | null, details = '') => ({
  html: `${safe(title)} <code>${safe(id)}</code>${paragraph('reason', reason ?? '')}${paragraph('more', details)}`,
});

const paragraph = (className: string, text: string): string =>
  text === '' ? '' : `<p class="${className}">${safe(text)}</p>`;

const budgetTable = (rulings: readonly ReportRuling[]): string =>
  table(['', '', 'Limit', 'Observed'], rulings.map(budgetRow), 'checks');

function budgetRow(ruling: ReportRuling): Row {
  const details = [
    ruling.condition === null ? '' : `Condition: ${ruling.condition}`,
    metricText(ruling) === '' ? '' : `Figure: ${metricText(ruling)}`,
    ruling.samples === null ? '' : `${numberText(ruling.samples)} samples`,
    sourceText(ruling),
  ].filter((text) => text !== '');
  return row(
    [
      STATES[ruling.state],
      subject(titleText(ruling), ruling.id, ruling.reason, details.join(' · ')),
      limitText(ruling),
      observedText(ruling),
    ],
    ruling.state,
  );
}

/** All budgets that were not breached. */
export function budgetParts({ rulings }: Report): string[] {
  const [broken = [], met = [], contradicted = [], unmeasured = [], untestable = []] = byState(rulings);
  const open = [...contradicted, ...unmeasured];
  return [
    met.length > 0
      ? `<p>${numberText(met.length)} of ${numberText(met.length + broken.length)} judged budgets were met.</p>${budgetTable(met)}`
      : `<p>No budget was met.</p>`,
    ...(open.length === 0
      ? []
      : [`<h3>Contradicted or unmeasured (${open.length}): these do not decide</h3>${budgetTable(open)}`]),
    ...(untestable.length === 0
      ? []
      : [
          folded(
            `Not testable here (${untestable.length})`,
            list(byReason(untestable).map(([reason, count]) => `${count} × ${reason}`)) +
              budgetTable(untestable),
          ),
        ]),
  ];
}

const RULE_STATES = { held: 'met', broken: 'breached', 'not-applicable': 'not applicable' } as const;
const RULE_MARKS = { held: '✓', broken: '✗', 'not-applicable': '–' } as const;

const ruleTable = (rules: readonly ReportRule[]): string =>
  table(
    ['', '', 'Observed', 'Limit'],
    rules.map((rule) => {
      const { id, title, state, observed, decides, advice } = rule;
      const why = decides ? advice : `${advice} (noted; it does not decide)`;
      return row(
        [
          `${RULE_MARKS[state]} ${RULE_STATES[state]}`,
          subject(capital(title), id, state === 'broken' ? why : null),
          ruleText(observed, rule),
          ruleLimitText(rule),
        ],
        state === 'broken' && !decides ? 'noted' : RULE_STATES[state].split(' ')[0],
      );
    }),
    'checks',
  );

/** `answered.intent.spike`: of an operation in a stage. */
const isOfStage = ({ id }: ReportRule): boolean => id.split('.').length > 2;

/** All rules that do not keep the run from a pass. */
export function ruleParts({ rules: all, notes }: Report): string[] {
  const others = all.filter((rule) => !isDecisive(rule));
  const judged = others.filter(({ state }) => state !== 'not-applicable');
  const noted = judged.filter(({ state }) => state === 'broken');
  const shown = [...noted, ...judged.filter((rule) => rule.state === 'held' && !isOfStage(rule))];
  const groups = [
    ['Met in the stages', judged.filter((rule) => !shown.includes(rule))],
    ['Not applicable', others.filter(({ state }) => state === 'not-applicable')],
  ] as const;
  return [
    ...(notes.length === 0 ? [] : [list(notes)]),
    ...(shown.length === 0 ? [] : [ruleTable(shown)]),
    ...groups.flatMap(([title, some]) =>
      some.length === 0 ? [] : [folded(`${title} (${some.length})`, ruleTable(some))],
    ),
  ];
}
