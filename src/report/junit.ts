import { isOfRule } from '../judge/rules/rule.ts';
import { countRulings, countsLine } from '../judge/verdict.ts';
import {
  limitText,
  markup,
  metricText,
  observedText,
  plain,
  reasonsOf,
  ruleLimitText,
  ruleText,
  type Shares,
  scaleText,
  sharesText,
  sourceText,
} from './format.ts';
import type { Report, ReportRule, ReportRuling } from './report.ts';

/** Half of a pair of surrogates is no character, and XML has no way to write it. */
const LONE_SURROGATE = /\p{Surrogate}/gu;

const escaped = (text: string): string => markup(plain(text).replaceAll(LONE_SURROGATE, '\ufffd'));

/** What of report.json is in junit.xml; a verdict on summaries of k6 has as much. */
type JunitReport = Pick<
  Report,
  'scenario' | 'outcome' | 'exitCode' | 'headline' | 'altered' | 'startedAt' | 'operations'
> &
  Pick<Report, 'rulings' | 'rules' | 'breachedBecause' | 'invalidBecause'> & {
    readonly load: Pick<Report['load'], 'scale' | 'durationSeconds' | 'operations'> & Shares['load'];
    readonly phases?: Pick<Report['phases'], 'end'>;
  };

/**
 * junit.xml: a test suite of the verdict, one of budgets and one of rules. The verdict's case fails or errors exactly
 * where the exit code is not 0, whatever the others do. `failure` is what was breached, `error` what leaves no
 * conclusion; what does not decide is skipped, and says why. The verdict took the whole run; the others took no time
 * of their own, so that times add up to it.
 */
export function junit(report: JunitReport): string {
  const name = `${report.scenario} (${scaleText(report)})`;
  const seconds = report.phases?.end ?? report.load.durationSeconds ?? 0;
  const suites = [
    { name: `${name} verdict`, seconds, cases: [verdictCase(report, seconds)] },
    { name: `${name} budgets`, seconds: 0, cases: report.rulings.map(budgetCase) },
    { name: `${name} rules`, seconds: 0, cases: report.rules.map((rule) => ruleCase(rule, report)) },
  ];
  const all = suites.flatMap(({ cases }) => cases);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${escaped(name)}" tests="${all.length}" failures="${countOf(all, 'failed')}" errors="${countOf(all, 'invalid')}" time="${timeOf(seconds)}">`,
    ...suites.flatMap((one) => suite(one, report.startedAt)),
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

function suite(
  { name, seconds, cases }: { name: string; seconds: number; cases: readonly Case[] },
  startedAt: string,
): string[] {
  const counts = `tests="${cases.length}" failures="${countOf(cases, 'failed')}" errors="${countOf(cases, 'invalid')}" skipped="${countOf(cases, 'skipped')}"`;
  // Readers of the format know no time zone: it is UTC.
  const timestamp = startedAt.slice(0, 19);
  return [
    `  <testsuite name="${escaped(name)}" ${counts} time="${timeOf(seconds)}" timestamp="${escaped(timestamp)}">`,
    ...cases.flatMap(({ xml }) => xml),
    '  </testsuite>',
  ];
}

interface Said {
  readonly result: Case['result'];
  readonly message: string;
  /** Of a failure or an error: its lines. */
  readonly body: readonly string[];
  /** Of a failure; an error's is `invalid`. */
  readonly type?: string;
  readonly seconds?: number;
  /** What is to be known whatever the result. */
  readonly out?: readonly string[];
}

function testCase(
  className: string,
  name: string,
  { result, message, body, type = 'breached', seconds = 0, out = [] }: Said,
): Case {
  const open = `    <testcase classname="${escaped(className)}" name="${escaped(name)}" time="${timeOf(seconds)}"`;
  const told = `message="${escaped(message)}"`;
  const text = linesOf(body);
  const elements = {
    passed: [],
    failed: [`      <failure type="${type}" ${told}>${text}</failure>`],
    invalid: [`      <error type="invalid" ${told}>${text}</error>`],
    skipped: [`      <skipped ${told}/>`],
  }[result];
  const said = out.length === 0 ? [] : [`      <system-out>${linesOf(out)}</system-out>`];
  const inside = [...elements, ...said];
  return {
    result,
    xml: inside.length === 0 ? [`${open}/>`] : [`${open}>`, ...inside, '    </testcase>'],
  };
}

const linesOf = (lines: readonly string[]): string => lines.map(escaped).join('\n');

const FAILURES: Readonly<Record<number, string>> = { 91: 'regression', 92: 'data-lost' };

function verdictCase(report: JunitReport, seconds: number): Case {
  const { outcome, exitCode, headline, rulings } = report;
  const result = exitCode === 0 ? 'passed' : outcome === 'fail' ? 'failed' : 'invalid';
  const verdict = `${outcome.toUpperCase()} (${exitCode}): ${headline}`;
  return testCase('verdict', 'verdict', {
    ...{ result, seconds, type: FAILURES[exitCode] ?? 'breached' },
    message: verdict,
    body: reasonsOf(report),
    out: [
      verdict,
      countsLine(countRulings(rulings)),
      ...report.operations.flatMap(({ id, label }) =>
        (report.load.operations[id]?.scheduled ?? 0) === 0 ? [] : [`${label}: ${sharesText(report, id)}`],
      ),
    ],
  });
}

function budgetCase(ruling: ReportRuling): Case {
  const { id, title, state, reason } = ruling;
  const result = state === 'met' ? 'passed' : state === 'breached' ? 'failed' : 'skipped';
  const told = `limit ${limitText(ruling)}, observed ${observedText(ruling)}`;
  const message = result === 'failed' ? told : `${state}: ${reason ?? told}`;
  const body = [reason, metricText(ruling), sourceText(ruling)].filter(
    (text) => text !== null && text !== '',
  );
  return testCase('budgets', `${id} ${title}`, { result, message, body: [body.join('; ')] });
}

/** A rule that decided nothing fails nothing. What was relaxed is said in the name, where all readers show it. */
function ruleCase(rule: ReportRule, { breachedBecause, invalidBecause }: JunitReport): Case {
  const { id, state, observed, relaxed, advice } = rule;
  const broken = state === 'broken';
  const isTold = (reasons: readonly string[]): boolean =>
    broken && reasons.some((reason) => isOfRule(id, reason));
  const result =
    state === 'held'
      ? 'passed'
      : isTold(breachedBecause)
        ? 'failed'
        : isTold(invalidBecause)
          ? 'invalid'
          : 'skipped';
  const told = `observed ${observed === null ? 'no data' : ruleText(observed, rule)}, limit ${ruleLimitText(rule)}`;
  const message =
    state === 'not-applicable'
      ? `not applicable: ${observed ?? 'no data'}`
      : result === 'skipped'
        ? `noted: ${told}`
        : told;
  return testCase('rules', relaxed ? `${id}, limit ${ruleLimitText(rule)}` : id, {
    ...{ result, message, body: [advice] },
    type: id.split('.')[0] === 'integrity' ? 'data-lost' : 'breached',
  });
}
