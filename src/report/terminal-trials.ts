import { EXIT } from '../errors.ts';
import { plain } from './plain-text.ts';
import { quantity } from './quantity.ts';
import { limitText } from './ruling-text.ts';
import { type TerminalStyle, verdictText } from './terminal.ts';
import { grid, palette, wrap } from './terminal-text.ts';
import type { TrialsReport } from './trials.ts';

type Line = Pick<TrialsReport['trials'][number], 'trial' | 'outcome' | 'exitCode' | 'headline'>;

/** `trial 2 of 3  PASS (0)  13 of 13 budgets met  reports/../trials/2/report.html` */
export function trialLine(
  trial: Line,
  { requested }: Pick<TrialsReport, 'requested'>,
  { colour, page }: Pick<TerminalStyle, 'colour' | 'page'>,
): string {
  const verdict = verdictText(trial, palette(colour));
  return `  trial ${trial.trial} of ${requested}  ${verdict}  ${plain(trial.headline)}  ${page}\n`;
}

/** The trials, the spread of each budget's figures, and the verdict of all. `page` is the folder of the trials. */
export function trialsSummary(report: TrialsReport, { colour, width, page }: TerminalStyle): string {
  const paint = palette(colour);
  const { trials, requested, sameServer, budgets } = report;
  const counts = (['pass', 'fail', 'invalid'] as const).flatMap((outcome) => {
    const count = trials.filter((trial) => trial.outcome === outcome).length;
    return count === 0 ? [] : [`${count} ${outcome}`];
  });
  const how = sameServer ? 'the same server throughout' : 'each on a fresh stack';
  const head = `${trials.length} of ${requested} trials, ${how}: ${counts.join(', ')}`;
  const rows = budgets.map((budget) => {
    const value = (figure: number | null): string => quantity(figure, budget.metricUnit ?? '');
    const { met, breached, unjudged } = budget;
    return [
      plain(budget.id),
      plain(limitText(budget)),
      ...[budget.min, budget.median, budget.max].map(value),
      `${met} of ${met + breached + unjudged} met`,
    ];
  });
  const [titles = '', ...lines] = grid([['', 'limit', 'min', 'median', 'max', ''], ...rows], width - 6);
  const marked = lines.map((line, i) => {
    const { breached, met } = budgets[i]!;
    return `    ${breached > 0 ? paint.red('✗') : met > 0 ? paint.green('✓') : '·'} ${line}`;
  });
  return [
    '',
    ...wrap(plain(`${report.scenario}, ${head}`), width - 3).map((line) => `  ${paint.bold(line)}`),
    '',
    ...(budgets.length === 0 ? [] : [`      ${paint.dim(titles)}`, ...marked, '']),
    `  ${verdictText(report, paint)}  ${decision(report)}  ${page}`,
    '',
  ].join('\n');
}

function decision({ decidedBy, trials, requested, exitCode }: TrialsReport): string {
  if (decidedBy === null) return `interrupted after ${trials.length} of ${requested} trials`;
  if (exitCode === EXIT.pass) return `all ${trials.length} trials`;
  const headline = trials.find(({ trial }) => trial === decidedBy)?.headline ?? '';
  return `the worst is trial ${decidedBy}: ${plain(headline)}`;
}
