import { isOfRule } from '../judge/rules/rule.ts';
import { budgetsLine } from '../judge/verdict.ts';
import { markup, plain } from './plain-text.ts';
import type { Report, ReportRule, ReportRuling } from './report.ts';
import { ruleLimitText, ruleText, type Shares, scaleText, sharesText } from './report-text.ts';
import { limitText, metricText, observedText, reasonsOf, sourceText } from './ruling-text.ts';

/** XML cannot represent half of a surrogate pair. */
const LONE_SURROGATE = /\p{Surrogate}/gu;

const escaped = (text: string): string => markup(plain(text).replaceAll(LONE_SURROGATE, '\ufffd'));

/** The part of report.json that junit.xml needs, which summaries of k6 have, too. */
type JunitReport = Pick<
  Report,
  'scenario' | 'outcome' | 'exitCode' | 'headline' | 'altered' | 'startedAt' | 'operations'
> &
  Pick<Report, 'rulings' | 'rules' | 'breachedBecause' | 'invalidBecause'> & {
    readonly load: Pick<Report['load'], 'scale' | 'durationSeconds' | 'operations'> & Shares['load'];
    readonly phases?: Pick<Report['phases'], 'end'>;
  };

/**
 * junit.xml: test suites for the verdict, the budgets and the rules. The case of the verdict fails or errors exactly when
 * the exit code is not 0. A `failure` is a breach, an `error` leaves no conclusion; a case that does not decide is
 * skipped, with the reason. The time of the run is that of the verdict's case, so that times add up to it.
 */
export function junit(report: JunitReport): string {
  const name = `${report.scenario} (${scaleText(report)})`;
  const seconds = report.phases?.end ?? report.load.durationSeconds ?? 0;
  const suites = [
    { name: `${name} verdict`, seconds, cases: [verdictCase(report, seconds)] },
    { name: `${name} budgets`, seconds: 0, cases: report.rulings.map(budgetCase) },
    { name: `${name} rules`, seconds: 0, cases: report.rules.map((rule) => ruleCase(rule, report)) },
  ];
  return junitDocument(name, report.startedAt, seconds, suites);
}

interface Suite {
  readonly name: string;
  readonly seconds: number;
  readonly cases: readonly Case[];
}

/** Test suites as a document. `startedAt`: ISO 8601; empty where nothing was started. */
export function junitDocument(
  name: string,
  startedAt: string,
  seconds: number,
  suites: readonly Suite[],
): string {
  const all = suites.flatMap(({ cases }) => cases);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${escaped(name)}" tests="${all.length}" failures="${countOf(all, 'failed')}" errors="${countOf(all, 'invalid')}" time="${timeOf(seconds)}">`,
    ...suites.flatMap((one) => suite(one, startedAt)),
    '</testsuites>',
    '',
  ].join('\n');
}

interface Case {
  readonly result: 'passed' | 'failed' | 'invalid' | 'skipped';
  readonly xml: readonly string[];
}

const countOf = (cases: readonly Case[], result: Case['result']): number =>
  cases.filter((one) => one.result === result).length;

/** Seconds, as a decimal number without an exponent. */
const timeOf = (seconds: number): string => Math.max(0, seconds).toFixed(3);

function suite({ name, seconds, cases }: Suite, startedAt: string): string[] {
  const counts = `tests="${cases.length}" failures="${countOf(cases, 'failed')}" errors="${countOf(cases, 'invalid')}" skipped="${countOf(cases, 'skipped')}"`;
  // In UTC: the format has no time zone.
  const timestamp = startedAt === '' ? '' : ` timestamp="${escaped(startedAt.slice(0, 19))}"`;
  return [
    `  <testsuite name="${escaped(name)}" ${counts} time="${timeOf(seconds)}"${timestamp}>`,
    ...cases.flatMap(({ xml }) => xml),
    '  </testsuite>',
  ];
}

export interface CaseResult {
  readonly result: Case['result'];
  readonly message: string;
  /** The lines of a failure or an error. */
  readonly body: readonly string[];
  /** The type of a failure; that of an error is `invalid`. */
  readonly type?: string;
  readonly seconds?: number;
  /** Lines for every result. */
  readonly out?: readonly string[];
}

export function testCase(
  className: string,
  name: string,
  { result, message, body, type = 'breached', seconds = 0, out = [] }: CaseResult,
): Case {
  const open = `    <testcase classname="${escaped(className)}" name="${escaped(name)}" time="${timeOf(seconds)}"`;
  const attribute = `message="${escaped(message)}"`;
  const text = linesOf(body);
  const elements = {
    passed: [],
    failed: [`      <failure type="${type}" ${attribute}>${text}</failure>`],
    invalid: [`      <error type="invalid" ${attribute}>${text}</error>`],
    skipped: [`      <skipped ${attribute}/>`],
  }[result];
  const output = out.length === 0 ? [] : [`      <system-out>${linesOf(out)}</system-out>`];
  const inside = [...elements, ...output];
  return {
    result,
    xml: inside.length === 0 ? [`${open}/>`] : [`${open}>`, ...inside, '    </testcase>'],
  };
}

const linesOf = (lines: readonly string[]): string => lines.map(escaped).join('\n');

const FAILURES: Readonly<Record<number, string>> = { 91: 'regression', 92: 'data-lost' };

function verdictCase(report: JunitReport, seconds: number): Case {
  const { outcome, exitCode, headline } = report;
  const result = exitCode === 0 ? 'passed' : outcome === 'fail' ? 'failed' : 'invalid';
  const verdict = `${outcome.toUpperCase()} (${exitCode}): ${headline}`;
  return testCase('verdict', 'verdict', {
    ...{ result, seconds, type: FAILURES[exitCode] ?? 'breached' },
    message: verdict,
    body: reasonsOf(report),
    out: [
      verdict,
      budgetsLine(report),
      ...report.operations.flatMap(({ id, label }) =>
        (report.load.operations[id]?.scheduled ?? 0) === 0 ? [] : [`${label}: ${sharesText(report, id)}`],
      ),
    ],
  });
}

function budgetCase(ruling: ReportRuling): Case {
  const { id, title, state, reason } = ruling;
  const result = state === 'met' ? 'passed' : state === 'breached' ? 'failed' : 'skipped';
  const figures = `limit ${limitText(ruling)}, observed ${observedText(ruling)}`;
  const message = result === 'failed' ? figures : `${state}: ${reason ?? figures}`;
  const body = [reason, metricText(ruling), sourceText(ruling)].filter(
    (text) => text !== null && text !== '',
  );
  return testCase('budgets', `${id} ${title}`, { result, message, body: [body.join('; ')] });
}

/** Only a rule that decides can fail. A relaxed limit is in the name, which every reader of the format shows. */
function ruleCase(rule: ReportRule, { breachedBecause, invalidBecause }: JunitReport): Case {
  const { id, state, observed, relaxed, advice } = rule;
  const broken = state === 'broken';
  const isReason = (reasons: readonly string[]): boolean =>
    broken && reasons.some((reason) => isOfRule(id, reason));
  const result =
    state === 'held'
      ? 'passed'
      : isReason(breachedBecause)
        ? 'failed'
        : isReason(invalidBecause)
          ? 'invalid'
          : 'skipped';
  const figures = `observed ${observed === null ? 'no data' : ruleText(observed, rule)}, limit ${ruleLimitText(rule)}`;
  const message =
    state === 'not-applicable'
      ? `not applicable: ${observed ?? 'no data'}`
      : result === 'skipped'
        ? `noted: ${figures}`
        : figures;
  return testCase('rules', relaxed ? `${id}, limit ${ruleLimitText(rule)}` : id, {
    ...{ result, message, body: [advice] },
    type: id.split('.')[0] === 'integrity' ? 'data-lost' : 'breached',
  });
}
