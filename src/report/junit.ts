import { limitText, metricText, observedText, plain, sourceText } from './format.ts';
import type { Report, ReportRule, ReportRuling } from './report.ts';

const escaped = (text: string): string =>
  plain(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

/** junit.xml: a test suite of budgets and one of rules. What does not decide is skipped, and says why. */
export function junit(report: Report): string {
  const name = `${report.scenario} (scale ${report.load.scale})`;
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

function ruleCase({ id, state, observed, limit, advice }: ReportRule): Case {
  const result = state === 'held' ? 'passed' : state === 'broken' ? 'failed' : 'skipped';
  const message =
    result === 'skipped' ? 'not applicable' : `observed ${observed ?? 'no data'}, limit ${limit}`;
  return testCase('rules', id, result, message, advice);
}
