import type { KnownFacts } from '../model/evidence.ts';
import type { SizedTier, Sizing } from '../model/sizing.ts';
import { columnsOf, costText, noteLines, titleText } from '../report/sizing-text.ts';
import { wrap } from '../report/terminal-text.ts';
import { table } from './table.ts';

/** A terminal shows so many machines of each kind; the page, the CSV and the JSON have all of them. */
const MOST_SHOWN = 12;
/** Columns that mostly say the same of all machines. */
const ABOVE: readonly string[] = ['Known', 'Boxes'];

/** The ranked machines as a table, and below it what a reader has to know. */
export function sizeLines(sizing: Sizing, facts: KnownFacts, width: number): readonly string[] {
  const { fits, several, currency } = sizing;
  const [best] = fits;
  return [
    titleText(sizing, facts),
    ...tierLines('One machine holds all of them', fits, currency, width),
    ...tierLines('Several machines hold them', several, currency, width),
    '',
    ...noteLines(sizing, facts).flatMap((line) => wrap(line, width)),
    '',
    best === undefined
      ? 'No single machine that is ranked holds all of them.'
      : `${best.tier.id}: ${costText(best)} ${currency} a month, ${best.capacity.label}.`,
  ];
}

function tierLines(
  title: string,
  of: readonly SizedTier[],
  currency: string,
  width: number,
): readonly string[] {
  const [first] = of;
  if (first === undefined) return [];
  const columns = columnsOf(currency);
  // What is the same for all stands above them.
  const isCommon = ([head, cell]: (typeof columns)[number]): boolean =>
    ABOVE.includes(head) && of.every((one) => cell(one) === cell(first));
  const common = columns.filter(isCommon).map(([head, cell]) => `${head.toLowerCase()}: ${cell(first)}`);
  const rest = columns.filter((column) => !isCommon(column));
  const rows = of.slice(0, MOST_SHOWN).map((one) => rest.map(([, cell]) => cell(one)));
  return [
    '',
    `${title}${common.length === 0 ? '' : ` (${common.join(', ')})`}`,
    ...table([rest.map(([head]) => head.toUpperCase()), ...rows], '  ', width),
    ...(of.length > MOST_SHOWN ? [`  and ${of.length - MOST_SHOWN} more (--html, --csv, --json)`] : []),
  ];
}
