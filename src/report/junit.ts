import {
  limitText,
  metricText,
  observedText,
  plain,
  ruleLimitText,
  ruleText,
  scaleText,
  sourceText,
} from './format.ts';
import type { Report, ReportRule, ReportRuling } from './report.ts';

const escaped = (text: string): string =>
  plain(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

/** junit.xml: a test suite of budgets and one of rules. What does not decide is skipped, and says why. */
export function junit(
  report: Pick<Report, 'scenario' | 'altered' | 'startedAt' | 'rulings' | 'rules'> & {
    readonly load: Pick<Report['load'], 'scale' | 'durationSeconds'>;
  },
): string {
  const name = `${report.scenario} (${scaleText(report)})`;
  const seconds = report.load.durationSeconds ?? 0;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${escaped(name)}" time="${seconds}">`,
    ...suite(`${name} budgets`, report.startedAt, report.rulings.map(budgetCase)),
    ...suite(`${name} rules`, report.startedAt, report.rules.map(ruleCase)),
    '</testsuites>',
    '',
  ].join('\n');
}

interface Case {
  readonly result: 'passed' | 'failed' | 'skipped';
  readonly xml: readonly string[];
}

function suite(name: string, startedAt: string, cases: readonly Case[]): string[] {
  const count = (result: Case['result']): number => cases.filter((one) => one.result === result).length;
  const timestamp = startedAt.slice(0, 19);
  return [
    `  <testsuite name="${escaped(name)}" tests="${cases.length}" failures="${count('failed')}" errors="0" skipped="${count('skipped')}" timestamp="${escaped(timestamp)}">`,
    ...cases.flatMap(({ xml }) => xml),
    '  </testsuite>',
  ];
}

function testCase(
  className: string,
  name: string,
  result: Case['result'],
  message: string,
  body: string,
): Case {
  const open = `    <testcase classname="${escaped(className)}" name="${escaped(name)}"`;
  if (result === 'passed') return { result, xml: [`${open}/>`] };
  const element =
    result === 'failed'
      ? `      <failure type="breached" message="${escaped(message)}">${escaped(body)}</failure>`
      : `      <skipped message="${escaped(message)}"/>`;
  return { result, xml: [`${open}>`, element, '    </testcase>'] };
}

function budgetCase(ruling: ReportRuling): Case {
  const { id, title, state, reason } = ruling;
  const result = state === 'met' ? 'passed' : state === 'breached' ? 'failed' : 'skipped';
  const told = `limit ${limitText(ruling)}, observed ${observedText(ruling)}`;
  const message = result === 'failed' ? told : `${state}: ${reason ?? told}`;
  const body = [reason, metricText(ruling), sourceText(ruling)].filter(
    (text) => text !== null && text !== '',
  );
  return testCase('budgets', `${id} ${title}`, result, message, body.join('; '));
}

/** A rule that decides nothing fails nothing. What was relaxed is said in the name, where all readers show it. */
function ruleCase(rule: ReportRule): Case {
  const { id, state, observed, relaxed, decides, advice } = rule;
  const result = state === 'held' ? 'passed' : state === 'broken' && decides ? 'failed' : 'skipped';
  const told = `observed ${observed === null ? 'no data' : ruleText(observed)}, limit ${ruleLimitText(rule)}`;
  const message =
    state === 'not-applicable'
      ? `not applicable: ${observed ?? 'no data'}`
      : decides
        ? told
        : `noted: ${told}`;
  return testCase('rules', relaxed ? `${id}, limit ${ruleLimitText(rule)}` : id, result, message, advice);
}
