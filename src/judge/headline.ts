import { EXIT, type ExitCode } from '../errors.ts';
import type { Conclusion } from './conclusion.ts';
import type { Proof } from './proof.ts';
import type { JudgedRule } from './rules/rule.ts';

/** One sentence for whoever reads no more: what the run has shown, what it has not, and why. */
export function headlineOf(
  exitCode: ExitCode,
  concluded: Pick<Conclusion, 'rulings' | 'invalidBecause' | 'breachedBecause'>,
  proof: Proof,
): string {
  const { rulings, invalidBecause, breachedBecause } = concluded;
  const count = (state: string): number => rulings.filter((ruling) => ruling.state === state).length;
  const [met, breached, unmeasured] = [count('met'), count('breached'), count('unmeasured')];
  switch (exitCode) {
    case EXIT.pass: {
      const open = unmeasured === 0 ? '' : `, ${unmeasured} could not be measured`;
      const all =
        met === 1 ? 'the one budget that was judged is' : `all ${met} of the budgets that were judged are`;
      return `holds: ${all} met${open}`;
    }
    case EXIT.breached: {
      const worst = proof.shares.toSorted((a, b) => carriedOf(a) - carriedOf(b))[0];
      const budgets = `${breached} of ${breached + met} budgets breached`;
      const parts = [
        worst === undefined ? budgets : shareText(worst),
        ...(worst === undefined || breached === 0 ? [] : [budgets]),
        ...notJudged(proof),
      ];
      return parts.join('; ');
    }
    case EXIT.dataLost:
      return `acknowledged data was lost: ${breachedBecause[0] ?? ''}`;
    default:
      return `no conclusion: ${invalidBecause[0] ?? 'see the rules of the run'}`;
  }
}

const carriedOf = ({ share }: JudgedRule): number => share?.carried ?? 100;

/** `overloaded: 30% of the intents answered`. */
function shareText(rule: JudgedRule): string {
  const [name = '', , stage] = rule.id.split('.');
  const percent = carriedOf(rule);
  const told = percent > 99 && percent < 100 ? percent.toFixed(2) : Number(percent.toPrecision(3)).toString();
  const where = stage === undefined ? '' : ` in the stage ${stage}`;
  const of = `${told}% of the ${rule.share?.of ?? ''}`;
  switch (name) {
    case 'answered':
      return `overloaded or failing: ${of} answered${where}, at least ${leastOf(rule)}% have to be`;
    case 'rejected':
      return `refusing: ${of} accepted${where}, at least ${leastOf(rule)}% have to be`;
    case 'load-sustained':
      return `overloaded: ${of} could be sent in time${where}, at least ${leastOf(rule)}% have to be`;
    default:
      return `${of} were connected (${rule.id})`;
  }
}

const leastOf = ({ share }: JudgedRule): number => Number((share?.least ?? 100).toFixed(3));

/** What a disturbance leaves unsaid of a run that failed all the same. */
function notJudged({ disturbed, latencyJudged }: Proof): string[] {
  if (latencyJudged) return [];
  const told = disturbed.map(({ id, observed, limit }) =>
    typeof observed === 'number' ? `${id} is ${Number(observed.toPrecision(4))} (limit ${limit})` : id,
  );
  return [`latency not judged, because ${told.join(' and ')}`];
}
