import { EXIT } from '../errors.ts';
import { isOfRule } from '../judge/rules/rule.ts';
import type { Report } from './report.ts';

/** What of a report says what to do next; a verdict on summaries of k6 has as much. */
type Concluded = Pick<Report, 'exitCode' | 'invalidBecause' | 'breachedBecause' | 'rules'> & {
  readonly bottleneck?: Report['bottleneck'];
};

const BY_BOTTLENECK: Readonly<Record<Report['bottleneck']['resource'], string>> = {
  server: 'give the servers more CPU or lower --scale',
  database: 'find what writes wait for, or lower --scale',
  host: 'stop other processes, or take a larger host',
  generator: 'use more --workers, or a second machine for the generator',
  // Answers were in time and the load was carried: another figure was breached.
  none: 'see the charts of what was breached',
};

/** One sentence, short enough for a line: what to do after this verdict. */
export function nextStep({
  exitCode,
  invalidBecause,
  breachedBecause,
  rules,
  bottleneck,
}: Concluded): string {
  const reasons = exitCode === EXIT.invalid ? invalidBecause.slice(0, 1) : breachedBecause;
  const broken = rules.filter(({ state }) => state === 'broken');
  const [decisive] = reasons.flatMap((reason) => broken.filter(({ id }) => isOfRule(id, reason)));
  const allSent = broken.every(({ id }) => !id.startsWith('load-sustained.'));
  switch (exitCode) {
    case EXIT.pass:
      return 'raise --scale to find the limit';
    case EXIT.interrupted:
      return 'run it again and let it end';
    case EXIT.stackFailed:
      return 'do what the reason above advises, and run it again';
    case EXIT.breached:
      // Where everything was sent, errors and rejections are not a matter of resources.
      return bottleneck === undefined || (decisive !== undefined && allSent)
        ? (decisive?.advice ?? 'see which budgets were breached')
        : BY_BOTTLENECK[bottleneck.resource];
    default:
      return (
        decisive?.advice ?? 'capbench check shows what each budget needs; the rules of the run show the rest'
      );
  }
}
