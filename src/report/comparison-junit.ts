import type { MetricComparison } from '../compare/metric-comparison.ts';
import { EXIT } from '../errors.ts';
import { type ComparedVerdict, changeText, verdictText } from './comparison-comment.ts';
import { remarksOf } from './comparison-text.ts';
import { type CaseResult, junitDocument, testCase } from './junit.ts';

/**
 * A comparison as junit.xml: the verdict is a case of its own, which fails or errors exactly when the exit code is not 0. A metric that decides
 * fails where it is worse, and is an error where it is underpowered or not comparable; one that does not decide is skipped.
 */
export function comparisonJunit(verdict: ComparedVerdict): string {
  const { kind, scenario, exitCode, headline, comparison } = verdict;
  const name = `${scenario} ${kind}`;
  const told = `${verdictText(verdict)}: ${headline}`;
  const result = exitCode === EXIT.pass ? 'passed' : isFailure(exitCode) ? 'failed' : 'invalid';
  const trials = comparison === null ? [] : [...comparison.base.trials, ...comparison.head.trials];
  const [startedAt = ''] = trials.map((trial) => trial.startedAt).toSorted();
  return junitDocument(name, startedAt, 0, [
    {
      name: `${name} verdict`,
      seconds: 0,
      cases: [
        testCase('verdict', 'verdict', {
          ...{ result, type: exitCode === EXIT.dataLost ? 'data-lost' : 'regression', message: told },
          ...{ body: comparison === null ? [] : remarksOf(comparison), out: [told] },
        }),
      ],
    },
    {
      name: `${name} metrics`,
      seconds: 0,
      cases: (comparison?.metrics ?? []).map((one) => testCase('metrics', one.label, caseOf(one))),
    },
  ]);
}

const isFailure = (exitCode: number): boolean => exitCode === EXIT.regression || exitCode === EXIT.dataLost;

function caseOf(one: MetricComparison): CaseResult {
  const message = [one.ruling, changeText(one), ...(one.because === null ? [] : [one.because])].join('; ');
  if (!one.gated) return { result: 'skipped', message: `does not decide: ${message}`, body: [] };
  return { result: RESULTS[one.ruling], message, body: [one.metric], type: 'regression' };
}

const RESULTS: Readonly<Record<MetricComparison['ruling'], CaseResult['result']>> = {
  ...{ better: 'passed', same: 'passed', worse: 'failed' },
  ...{ underpowered: 'invalid', 'not comparable': 'invalid' },
};
