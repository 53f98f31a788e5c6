import type { KnownFacts } from '../model/evidence.ts';
import { valueAt } from '../model/line.ts';
import type { SizedTier, Sizing } from '../model/sizing.ts';
import type { Drawing } from './drawing.ts';
import { list, row, safe, table } from './markup.ts';
import { page } from './page.ts';
import { numberText } from './quantity.ts';
import { columnsOf, noteLines, titleText } from './sizing-text.ts';
import { svgOf } from './svg.ts';

/** Which machines hold the players, as one page without scripts. */
export function sizingHtml(sizing: Sizing, facts: KnownFacts): string {
  const title = titleText(sizing, facts);
  const { fits, several, currency } = sizing;
  const columns = columnsOf(currency);
  const ranked = (of: readonly SizedTier[]): readonly string[] =>
    of.length === 0
      ? []
      : [
          table(
            columns.map(([head]) => head),
            of.map((one) => row(columns.map(([, cell]) => cell(one)))),
            'checks',
          ),
        ];
  const none = fits.length === 0 ? ['<p>No machine that is ranked holds all of them.</p>'] : [];
  return page(
    title,
    [`<header><h1>${safe(title)}</h1>${list(noteLines(sizing, facts))}</header>`],
    [
      { id: 'one', title: 'One machine', parts: [...none, ...ranked(fits)] },
      { id: 'several', title: 'Several machines', parts: ranked(several) },
      { id: 'cost', title: 'What a player costs', parts: [svgOf(costDrawing(facts))] },
    ],
  );
}

/** CPU over players: the line that was fitted, and how far it was measured. */
function costDrawing({ demand: { cpu, largest }, bounds }: KnownFacts): Drawing {
  const farthest = Math.max(2 * largest, ...bounds.map(({ firstFail }) => firstFail));
  const x = [0, largest, farthest];
  const limits = bounds.map(({ cpus, lastPass }) => ({
    name: `${numberText(cpus)} cores, where ${numberText(lastPass)} players passed`,
    ...{ label: `${numberText(cpus)} cores`, y: cpus, span: null },
  }));
  const top = 1.1 * Math.max(valueAt(cpu, farthest), ...limits.map(({ y }) => y));
  const at = (from: number, to: number) =>
    x.map((one) => (one >= from && one <= to ? valueAt(cpu, one) : null));
  return {
    ...{ name: 'cost', title: 'CPU of the servers', stacked: false, limits, bars: null, marks: null },
    alt: `Cores by the number of players: ${numberText(valueAt(cpu, largest))} at ${numberText(largest)}.`,
    x: { title: 'players', scale: 'linear', from: 0, to: farthest },
    y: { title: 'cores', scale: 'linear', from: 0, to: top },
    curves: [
      { name: 'measured', x, y: at(0, largest), dashed: false },
      { name: 'beyond what was measured', x, y: at(largest, farthest), dashed: true },
    ],
  };
}
